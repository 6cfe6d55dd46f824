"""What was sent, as rows of the warehouse: the pipeline must know it to tell what is new since.

issues/*/issue.json ──▶ mailing.issue_papers ──dbt──▶ marts.issue_as_sent
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from duckdb import DuckDBPyConnection

from flows.issues.frozen import ISSUE_NAME, frozen_digest
from flows.newsletter.digest import Digest

# The section of issue_as_sent that is the list itself.
LIST = "papers"
_log = logging.getLogger(__name__)


def record_issues(connection: DuckDBPyConnection, folder: Path) -> int:
    """Bring `mailing.issue_papers` up to date with the frozen issues; how many were new or other.

    Each issue is read once, and again where its file is another one. What is recorded stays when
    its folder is gone: it was sent. An issue that cannot be read is named in the log and passed
    over, since one bad file must not stop the warehouse.
    """
    connection.execute(_TABLES)
    recorded = dict(connection.execute("select name, state from mailing.issues").fetchall())
    changed = 0
    for name, state in _issues(folder):
        if recorded.get(name) == state:
            continue
        try:
            digest = frozen_digest(folder / name)
        except (OSError, ValueError) as error:  # pydantic's error is a ValueError
            _log.warning("%s cannot be read, so nothing counts as sent in it: %s", name, error)
            continue
        _record(connection, name, state, digest)
        changed += 1
    return changed


def _issues(folder: Path) -> Iterator[tuple[str, str]]:
    """Name and state of each issue, oldest first; the state differs when the file does."""
    for path in sorted(folder.glob("*/issue.json")):
        if ISSUE_NAME.fullmatch(path.parent.name):
            found = path.stat()
            yield path.parent.name, f"{found.st_size} {found.st_mtime_ns}"


def _record(connection: DuckDBPyConnection, name: str, state: str, digest: Digest) -> None:
    table = pa.Table.from_pylist(list(_rows(digest)), _SCHEMA)
    connection.begin()
    try:
        connection.execute("delete from mailing.issues where name = ?", [name])
        connection.execute(
            "delete from mailing.issue_papers where issue_date = ? and edition = ?",
            [digest.issue_date, digest.edition],
        )
        connection.register("sent", table)
        connection.execute("insert into mailing.issue_papers by name from sent")
        connection.execute("insert into mailing.issues values (?, ?)", [name, state])
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    finally:
        connection.unregister("sent")


def _rows(digest: Digest) -> Iterator[dict[str, Any]]:
    sections = [(LIST, digest.papers), *((each.name, each.papers) for each in digest.sections)]
    for section, papers in sections:
        for paper in papers:
            yield {name: getattr(paper, name) for name in _AS_SENT} | {
                "issue_date": digest.issue_date,
                "edition": digest.edition,
                "section": section,
                "issue_rank": paper.rank,
                "read_at": digest.proof.read_at,
            }


_AS_SENT = (
    "paper_id",
    "title",
    "abstract",
    "organization_name",
    "github_url",
    "project_url",
    "why_here",
    "upvotes_count",
    "comments_count",
    "github_stars_count",
    "is_withdrawn",
)
_SCHEMA = pa.schema(
    [
        ("issue_date", pa.date32()),
        ("edition", pa.string()),
        ("section", pa.string()),
        ("issue_rank", pa.int64()),
        ("paper_id", pa.string()),
        ("title", pa.string()),
        ("abstract", pa.string()),
        ("organization_name", pa.string()),
        ("github_url", pa.string()),
        ("project_url", pa.string()),
        ("why_here", pa.string()),
        ("upvotes_count", pa.int64()),
        ("comments_count", pa.int64()),
        ("github_stars_count", pa.int64()),
        ("is_withdrawn", pa.bool_()),
        ("read_at", pa.timestamp("us", tz="UTC")),
    ]
)
_TABLES = """
    create schema if not exists mailing;
    create table if not exists mailing.issues (name text, state text);
    create table if not exists mailing.issue_papers (
        issue_date date,
        edition text,
        section text,
        issue_rank bigint,
        paper_id text,
        title text,
        abstract text,
        organization_name text,
        github_url text,
        project_url text,
        why_here text,
        upvotes_count bigint,
        comments_count bigint,
        github_stars_count bigint,
        is_withdrawn boolean,
        read_at timestamptz
    );
"""
