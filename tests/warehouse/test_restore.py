"""Which times can be rebuilt, and what is recorded of the issues."""

import json
import os
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.issues.frozen import frozen_digest
from flows.newsletter.digest import Digest, DigestPaper, Proof, Section
from flows.settings import Settings
from flows.warehouse.database import connect
from flows.warehouse.restore import AsOfError, check_time, parse_time
from flows.warehouse.sent_issues import record_issues

DAY, READ_AT = date(2026, 8, 13), datetime(2026, 8, 14, 2, 31, tzinfo=UTC)
PAPER = DigestPaper("2608.00001", 1, "One", "An abstract.", 9, 2)
MINUTE_END = READ_AT.replace(second=59, microsecond=999_999)
DIGEST = Digest(DAY, "daily", (PAPER,), Proof(1, 1, READ_AT, 30))


@pytest.mark.parametrize(
    ("words", "time"),
    [
        ("2026-08-14T02:31Z", MINUTE_END),
        ("2026-08-14 02:31", MINUTE_END),
        ("2026-08-13T22:31-04:00", MINUTE_END),
        ("2026-08-14T02:31:00Z", READ_AT),
        ("2026-08-14", datetime(2026, 8, 14, tzinfo=UTC)),
        ("2026-09-01T00:00Z", datetime(2026, 9, 1, tzinfo=UTC)),
    ],
)
def test_a_time_is_utc_unless_it_names_its_zone(words: str, time: datetime) -> None:
    assert parse_time(words, datetime(2026, 9, 1, tzinfo=UTC)) == time


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("yesterday", "“yesterday” is no time; write it as 2026-08-20T16:05Z."),
        ("", "is no time"),
        ("2026-08-13T25:00", "is no time"),
        ("0001-01-01T00:00+14:00", "is no time"),
        ("2026-09-01T00:00:01Z", "2026-09-01 00:00:01 UTC has not come yet"),
    ],
)
def test_what_is_no_past_time_is_said_in_one_sentence(words: str, said: str) -> None:
    with pytest.raises(AsOfError, match=said):
        parse_time(words, datetime(2026, 9, 1, tzinfo=UTC))


def test_before_the_first_reading_nothing_was_known(own_home: Path) -> None:
    settings = Settings()
    with pytest.raises(AsOfError, match="2026-08-13 was never read; `papers run 2026-08-13`"):
        check_time(settings, DAY, READ_AT)
    with connect(settings.warehouse_path) as connection:
        connection.execute("create schema raw")
        connection.execute(
            "create table raw.readings (kind text, list_date date, read_at timestamptz)"
        )
        connection.execute("insert into raw.readings values ('daily', ?, ?)", [DAY, READ_AT])
    before = sorted(own_home.iterdir())
    with pytest.raises(AsOfError, match="it was first read at 2026-08-14 02:31:00 UTC"):
        check_time(settings, DAY, READ_AT.replace(second=0, minute=30))
    check_time(settings, DAY, READ_AT)
    lock = own_home / "writer.lock"  # that nobody writes meanwhile
    assert sorted(own_home.iterdir()) == sorted([*before, lock])


def freeze(issues: Path, digest: Digest, **more: Any) -> Path:
    folder = issues / f"{digest.issue_date}-{digest.edition}"
    folder.mkdir(parents=True, exist_ok=True)
    content = {"subject": "Daily Papers"} | asdict(digest) | more
    (folder / "issue.json").write_text(json.dumps(content, default=str))
    return folder


@pytest.fixture
def warehouse() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    return connection


SENT = """
    select issue_date, edition, section, issue_rank, paper_id, upvotes_count, read_at
    from mailing.issue_papers order by all
"""


def test_what_was_sent_is_recorded_once_and_stays_when_its_folder_is_gone(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    news = (Section("late_bloomers", (replace(PAPER, paper_id="2608.00002", upvotes_count=90),)),)
    daily = freeze(tmp_path, replace(DIGEST, sections=news))
    freeze(tmp_path, replace(DIGEST, edition="weekly", issue_date=date(2026, 8, 16)))
    (tmp_path / ".2026-08-14-daily.new").mkdir()
    (tmp_path / ".2026-08-14-daily.new" / "issue.json").write_text("half")

    assert record_issues(warehouse, tmp_path) == 2
    recorded = [
        (DAY, "daily", "late_bloomers", 1, "2608.00002", 90, READ_AT),
        (DAY, "daily", "papers", 1, "2608.00001", 9, READ_AT),
        (date(2026, 8, 16), "weekly", "papers", 1, "2608.00001", 9, READ_AT),
    ]
    assert warehouse.execute(SENT).fetchall() == recorded
    assert record_issues(warehouse, tmp_path) == 0

    (daily / "issue.json").unlink()
    assert record_issues(warehouse, tmp_path) == 0
    assert warehouse.execute(SENT).fetchall() == recorded

    # Restored or made again: what the file says now takes the place of what it said.
    file = freeze(tmp_path, replace(DIGEST, papers=(replace(PAPER, upvotes_count=10),)))
    os.utime(file / "issue.json", ns=(1, 1))
    assert record_issues(warehouse, tmp_path) == 1
    assert warehouse.execute(SENT).fetchall() == [
        (DAY, "daily", "papers", 1, "2608.00001", 10, READ_AT),
        recorded[2],
    ]


def test_an_issue_that_cannot_be_read_stops_no_other(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    freeze(tmp_path, DIGEST)
    (freeze(tmp_path, replace(DIGEST, issue_date=date(2026, 8, 12))) / "issue.json").write_text("{")
    assert record_issues(warehouse, tmp_path) == 1
    assert "2026-08-12-daily cannot be read" in caplog.text


def test_an_issue_from_before_there_were_sections_is_read(tmp_path: Path) -> None:
    folder = freeze(tmp_path, DIGEST)
    content = json.loads((folder / "issue.json").read_text())
    del content["sections"]
    (folder / "issue.json").write_text(json.dumps(content))
    assert frozen_digest(folder) == DIGEST
