"""What readers get is read from what was published, never from the warehouse.

published/papers.duckdb ──▶ Digest
"""

from datetime import date
from pathlib import Path
from typing import Any

from flows.newsletter.digest import Digest, DigestPaper, Proof
from flows.warehouse import connect, records

RECENT_DAYS = 30
NOTHING_PUBLISHED = "Nothing is published yet; `papers run` publishes a day."


class NotPublishedError(Exception):
    """There is nothing published to answer from; the message says what to run."""


def read_digest(path: Path, day: date) -> Digest | None:
    """The daily digest of a date as published, or None where no paper of it is.

    A paper that an earlier digest carried already is left out: a reader gets it once.

    Raises:
        NotPublishedError: there is no publication yet.
    """
    if not path.exists():
        raise NotPublishedError(NOTHING_PUBLISHED)
    with connect(path, read_only=True) as connection:
        papers = tuple(
            DigestPaper(**_paper(row)) for row in records(connection, _PAPERS, {"day": day})
        )
        if not papers:
            return None
        (proof,) = records(connection, _PROOF, {"day": day})
        warnings = tuple(row[0] for row in connection.execute(_WARNINGS, {"day": day}).fetchall())
    return Digest(day, "daily", papers, Proof(**proof, warnings=warnings))


def recent_digests(path: Path) -> tuple[Digest, ...]:
    """The daily digests of complete days, the last 30 calendar days up to the newest of them."""
    if not path.exists():
        return ()
    # While this connection is open, DuckDB gives every other one in this process the same file:
    # all days are of one publication, and it is opened once.
    with connect(path, read_only=True) as connection:
        days = [row[0] for row in connection.execute(_COMPLETE_DAYS, [RECENT_DAYS]).fetchall()]
        digests = [read_digest(path, day) for day in days]
    return tuple(digest for digest in digests if digest)


def _paper(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"author_names": tuple(row["author_names"] or ())}


_COMPLETE_DAYS = """
    select digest_date
    from marts.daily_digests
    where verdict = 'complete'
    qualify digest_date > max(digest_date) over () - ?::integer
    order by digest_date
"""
_PAPERS = """
    select
        papers.paper_id,
        digest.digest_rank as rank,
        papers.title,
        papers.abstract,
        digest.upvotes_count,
        digest.comments_count,
        papers.organization_name,
        papers.author_names,
        papers.author_count,
        papers.published_on,
        papers.ai_summary,
        papers.github_url,
        papers.github_stars_count,
        papers.project_url,
        papers.submitted_by,
        digest.why_here,
        papers.is_withdrawn
    from marts.daily_digest_papers as digest
    inner join marts.papers as papers using (paper_id)
    where digest.digest_date = $day and not digest.is_repeat
    order by digest.digest_rank
"""
# The reading that the digest stands on: the newest that was let through.
_READING = """
    select reading_id, read_at, item_count
    from marts.list_readings
    where list_date = $day and is_admitted
    order by read_at desc
    limit 1
"""
_PROOF = f"""
    with reading as ({_READING})
    select
        (select paper_count from marts.daily_digests where digest_date = $day) as paper_count,
        reading.item_count as source_count,
        reading.read_at,
        (
            select count(*) from quality.gate_results
            where run_id = reading.reading_id
        ) as check_count
    from reading
"""
_WARNINGS = f"""
    with reading as ({_READING})
    select results.sentence
    from quality.gate_results as results
    inner join reading on results.run_id = reading.reading_id
    where not results.is_success
    order by results.gate, results.suite, results.expectation, results.column_name
"""
