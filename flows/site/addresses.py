"""Which pages there are: the addresses of all that is published, as the server has them."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from duckdb import DuckDBPyConnection

from flows.insights.questions import QUESTIONS
from flows.publication.people import PAGE_LENGTH


@dataclass(frozen=True)
class Addresses:
    """What the folder holds: pages of lists and organizations, and papers by their id."""

    lists: tuple[str, ...]
    paper_ids: tuple[str, ...]


def addresses(connection: DuckDBPyConnection) -> Addresses:
    """Every address of the public pages, from one publication."""
    ids = connection.execute("select paper_id from marts.papers order by paper_id").fetchall()
    return Addresses(tuple(_lists(connection)), tuple(row[0] for row in ids))


def _lists(connection: DuckDBPyConnection) -> Iterator[str]:
    yield from ("/", "/papers", "/papers/trending", "/papers/search", "/insights")
    yield from (row[0] for row in connection.execute(_LISTS).fetchall())
    yield from (f"/insights/{question.name}.csv" for question in QUESTIONS)
    for name, count in connection.execute(_ORGANIZATIONS).fetchall():
        address = f"/organizations/{quote(name, safe='')}"
        yield address
        yield from (f"{address}?p={page}" for page in range(1, -(-count // PAGE_LENGTH)))


_LISTS = """
    select '/papers/date/' || digest_date from marts.daily_digests
    union all
    select '/papers/week/' || strftime(digest_date, '%G-W%V') from marts.weekly_digests
    union all
    select '/papers/month/' || strftime(digest_date, '%Y-%m') from marts.monthly_digests
    order by 1
"""
# By each name that a page of a paper has it under.
_ORGANIZATIONS = """
    select papers.organization_name, any_value(organizations.paper_count)
    from marts.papers as papers
    inner join marts.organizations as organizations using (organization_id)
    where papers.organization_name is not null
    group by papers.organization_name
    order by papers.organization_name
"""
