"""What readers get is read from what was published, never from the warehouse.

published/papers.duckdb ──▶ Digest
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from flows.errors import OperationError
from flows.issues.periods import first_day
from flows.newsletter.digest import SECTIONS, Digest, DigestPaper, Edition, Proof, Section
from flows.warehouse.database import connect, lacking, records

RECENT_DAYS: dict[Edition, int] = {"daily": 30, "weekly": 56, "monthly": 180}
MOST_NEWS = 10  # a section; a week's would else push its list aside
NOTHING_PUBLISHED = "Nothing is published yet; `papers run` publishes a day."


OLDER = "What is published is of an older version; the next `papers run` publishes it anew."


class NotPublishedError(OperationError):
    """There is nothing published to answer from; the message says what to run."""


class OlderPublicationError(NotPublishedError):
    """An older version of this project made the published file."""


@dataclass(frozen=True)
class Period:
    """A week or a month of papers as published: its last day, and how far it is known."""

    digest_date: date
    verdict: str
    reason: str
    paper_count: int


def read_digest(path: Path, day: date, edition: Edition = "daily") -> Digest | None:
    """The digest of a date as published, or None where no paper of it is.

    A weekly or monthly edition has the last day of its period as its date. A paper that an earlier
    digest carried stands in its place all the same, with `listed_before`: not everyone was sent it.

    Raises:
        NotPublishedError: there is no publication yet, or only one of an older version.
    """
    first = first_day(edition, day)
    days = {"first": first, "day": day}
    with opened(path) as connection:
        rows = records(connection, _PAPERS.format(edition=edition), days)
        if not rows:
            return None
        carried = {row["paper_id"] for row in rows}
        sections = _sections(connection, days, carried)
        (proof,) = records(connection, _PROOF, days | {"count": len(rows)})
        warnings = tuple(row[0] for row in connection.execute(_WARNINGS, days).fetchall())
    papers = tuple(DigestPaper(**_paper(row)) for row in rows)
    return Digest(day, edition, papers, Proof(**proof, warnings=warnings), sections)


def read_period(path: Path, edition: Edition, digest_date: date) -> Period | None:
    """How far a week or month is known, or None where no day of it was ever read.

    Raises:
        NotPublishedError: there is no publication yet.
    """
    with opened(path) as connection:
        rows = records(connection, _PERIOD.format(edition=edition), {"day": digest_date})
    return Period(**rows[0]) if rows else None


def recent_digests(path: Path, edition: Edition = "daily") -> tuple[Digest, ...]:
    """The digests of complete days, weeks or months: the newest, and those of a while before it."""
    if not path.exists():
        return ()
    # While this connection is open, DuckDB gives every other one in this process the same file:
    # all days are of one publication, and it is opened once.
    with opened(path) as connection:
        query = _COMPLETE.format(edition=edition)
        days = [row[0] for row in connection.execute(query, [RECENT_DAYS[edition]]).fetchall()]
        digests = [read_digest(path, day, edition) for day in days]
    return tuple(digest for digest in digests if digest)


@contextmanager
def opened(path: Path) -> Iterator[DuckDBPyConnection]:
    """A connection to the published file, to read only, for queries of ours.

    Raises:
        NotPublishedError: there is no publication yet.
        OlderPublicationError: the block asked for a table or column that the file lacks.
    """
    if not path.exists():
        raise NotPublishedError(NOTHING_PUBLISHED)
    with connect(path, read_only=True) as connection, lacking(OlderPublicationError(OLDER)):
        yield connection


def _sections(
    connection: DuckDBPyConnection, days: dict[str, date], carried: set[str]
) -> tuple[Section, ...]:
    """The news of these days about papers that earlier issues carried, and this one does not."""
    found: dict[str, list[DigestPaper]] = {}
    for row in records(connection, _UPDATES, days):
        papers = found.setdefault(row.pop("section"), [])
        if row["paper_id"] not in carried and len(papers) < MOST_NEWS:
            papers.append(DigestPaper(**_paper(row | {"rank": len(papers) + 1})))
    return tuple(Section(name, tuple(found[name])) for name in SECTIONS if found.get(name))


def _paper(row: dict[str, Any]) -> dict[str, Any]:
    return row | {
        "author_names": tuple(row["author_names"] or ()),
        "ai_keywords": tuple(row["ai_keywords"] or ()),
        "organization_names": tuple(row["organization_names"] or ()),
        "listed_before": tuple(row.get("listed_before") or ()),
    }


_COMPLETE = """
    select digest_date
    from marts.{edition}_digests
    where verdict = 'complete'
    qualify digest_date > max(digest_date) over () - ?::integer
    order by digest_date
"""
_PAPER = """
        papers.paper_id,
        papers.title,
        papers.abstract,
        digest.upvotes_count,
        papers.organization_name,
        named.organization_names,
        papers.author_names,
        papers.author_count,
        papers.published_on,
        papers.ai_summary,
        papers.ai_keywords,
        papers.github_url,
        papers.github_stars_count,
        papers.project_url,
        papers.submitted_by,
        digest.why_here,
        papers.is_withdrawn
"""
# Of the papers of `digest`. An organization keeps its id, and is found by each of the names and
# handles it had.
_NAMED = """
    named as (
        select
            organization_id,
            list(distinct organization_handle order by organization_handle)
            || list(distinct organization_name order by organization_name)
                as organization_names
        from marts.papers
        where organization_id in (
            select organization_id from marts.papers
            where paper_id in (select paper_id from digest)
        )
        group by organization_id
    )
"""
_PAPERS = f"""
    with

    digest as materialized (
        from marts.{{edition}}_digest_papers where digest_date = $day
    ),

    {_NAMED}

    select
        digest.digest_rank as rank,
        digest.comments_count,
        case when digest.is_repeat then [d for d in papers.list_dates if d < $first] end
            as listed_before,
        {_PAPER}
    from digest
    inner join marts.papers as papers using (paper_id)
    left join named using (organization_id)
    order by digest.digest_rank
"""
_UPDATES = f"""
    with

    digest as materialized (
        from marts.daily_digest_updates where digest_date between $first and $day
    ),

    {_NAMED}

    select
        digest.section,
        digest.update_rank as rank,
        papers.comments_count,
        {_PAPER}
    from digest
    inner join marts.papers as papers using (paper_id)
    left join named using (organization_id)
    order by digest.section, digest.update_rank, digest.digest_date desc
"""
_PERIOD = """
    select digest_date, verdict, reason, paper_count
    from marts.{edition}_digests
    where digest_date = $day
"""
# The days that the digest is made of, by the readings that they stand on.
_REPORTS = """
    select * from quality.day_reports where list_date between $first and $day
"""
# A paper on two days of a week is one paper of it; what no day could bring is missing in the week.
_PROOF = f"""
    select
        $count::bigint as paper_count,
        ($count + coalesce(sum(source_count - paper_count), 0))::bigint as source_count,
        (
            select max(read_at) from marts.list_readings
            where is_admitted and list_date between $first and $day
        ) as read_at,
        coalesce(sum(passed_count + warning_count + failure_count), 0)::bigint as check_count
    from ({_REPORTS})
"""
_WARNINGS = f"""
    with reports as ({_REPORTS})
    select results.sentence
    from quality.gate_results as results
    inner join reports on results.run_id = reports.run_id
    where not results.is_success
    order by
        reports.list_date, results.gate, results.suite, results.expectation, results.column_name
"""
