"""Which pages there are: the addresses of all that is published, as the server has them."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from duckdb import DuckDBPyConnection

from flows.insights.questions import QUESTIONS
from flows.publication.people import KINDS, PAGE_LENGTH, Kind, handles
from flows.web.exports import FORMATS

# How many papers a name must have for a page. Every organization has one; of the others most stand
# on one paper or two, which search finds as well: a page each would be most of the site's files,
# and of its time, since a page takes 20 to 30 ms.
_FEWEST: dict[Kind, int] = {"organizations": 1, "authors": 10, "keywords": 10, "submitters": 10}


@dataclass(frozen=True)
class Addresses:
    """What the folder holds: pages of lists and of names, and papers by their id."""

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
    for (kind, handle), count in named_pages(connection).items():
        address = f"/{kind}/{quote(handle, safe='')}"
        yield address
        yield from (f"{address}?p={page}" for page in range(1, -(-count // PAGE_LENGTH)))


def named_pages(connection: DuckDBPyConnection) -> dict[tuple[Kind, str], int]:
    """The organizations, authors, keywords and submitters that have a page, with their papers."""
    return {
        (kind, handle): count
        for kind in KINDS
        for handle, count in handles(connection, kind, _FEWEST[kind]).items()
        if _is_name_of_a_folder(handle)
    }


def _is_name_of_a_folder(handle: str) -> bool:
    """Whether a page can lie there: `..` leads out, and `agent.json` is the list of “agent”."""
    _, dot, ending = handle.rpartition(".")
    return bool(handle.strip(".")) and not (dot and ending in FORMATS)


_LISTS = """
    select '/papers/date/' || digest_date from marts.daily_digests
    union all
    select '/papers/week/' || strftime(digest_date, '%G-W%V') from marts.weekly_digests
    union all
    select '/papers/month/' || strftime(digest_date, '%Y-%m') from marts.monthly_digests
    order by 1
"""
