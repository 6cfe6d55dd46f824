"""A week of simulated time against a Hub that misbehaves, through what the clock starts."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import duckdb
import pytest

from flows.mail_setup import open_mailing
from flows.mailing.subscribers import add
from flows.operations.status import overview
from flows.outcome import Outcome
from flows.runs.states import outcome_of
from flows.settings import Settings, load_settings
from flows.sources.sample_hub import SampleHub
from flows.warehouse.lake_trouble import LakeError
from tests.support.clock import CLOSED, DAY, Clock

if TYPE_CHECKING:
    from tests.support.relay import Relay

NEW_YORK = ZoneInfo("America/New_York")
READERS = ("ana@example.org", "ben@example.org")
Start = Callable[..., Outcome]


@dataclass(frozen=True)
class Step:
    """A run in the week: when (New York), what was wrong, and what must come of it."""

    at: str
    flow: str
    fault: str | None
    verdict: str
    mails: int  # that leave in this run
    says: str
    alert: str | None = None  # what the operator is told in this run, if anything


WEEK = [
    # Thursday grows, and is mailed when it has closed.
    Step(
        "2026-08-20 12:05",
        "open_list",
        None,
        "partial",
        0,
        "the list grows until 01:30 UTC",
    ),
    Step("2026-08-20 21:45", "daily_digest", None, "complete", 2, "Sent to 2."),
    # On Friday the Hub is down when the digest is due, and back at the next try.
    Step(
        "2026-08-21 21:45",
        "daily_digest",
        "503",
        "failed",
        0,
        "try is at 22:00 America/New_York on Friday.",
        "Friday 21 August 2026 has failed",
    ),
    Step(
        "2026-08-21 22:00",
        "daily_digest",
        None,
        "complete",
        2,
        "Sent to 2.",
        "Over: Friday 21 August 2026. Complete. ",
    ),
    # The weekend has no list, and nothing to re-read but what is older.
    Step(
        "2026-08-22 12:05",
        "open_list",
        None,
        "empty",
        0,
        "the Hub makes none on Saturdays",
    ),
    Step("2026-08-23 03:20", "reread", None, "complete", 0, "3 new readings"),
    # Monday's list comes late.
    Step(
        "2026-08-24 21:45",
        "daily_digest",
        "empty",
        "partial",
        0,
        "try is at 22:00 America/New_York on Monday.",
    ),
    Step(
        "2026-08-24 22:00",
        "daily_digest",
        "empty",
        "partial",
        0,
        "try is at 22:30 America/New_York on Monday.",
    ),
    Step("2026-08-24 22:30", "daily_digest", None, "complete", 2, "Sent to 2."),
    # On Tuesday a field has changed its type, all night.
    Step(
        "2026-08-25 21:45",
        "daily_digest",
        "retyped_votes",
        "failed",
        0,
        "at 22:00 America/New_York on Tuesday.",
        "A gate stopped the newest reading of Tuesday 25 August 2026",
    ),
    Step("2026-08-26 07:30", "daily_digest", "retyped_votes", "failed", 0, "paper.upvotes"),
    # The machine is down on Wednesday evening; on Thursday both missed runs are late.
    Step(
        "2026-08-27 08:00",
        "daily_digest",
        None,
        "complete",
        2,
        "missed before (2026-08-25)",
        "Over: Tuesday 25 August 2026. Complete. ",
    ),
    Step("2026-08-27 08:01", "daily_digest", None, "complete", 0, "Nothing is owed: Wednesday"),
]
# day: its verdict after the week, and the readers who have its issue
AFTER = {
    "2026-08-20": ("complete", 2),
    "2026-08-21": ("complete", 2),
    "2026-08-24": ("complete", 2),
    "2026-08-25": ("complete", None),
    "2026-08-26": ("complete", 2),
}


@pytest.fixture
def start(prefect: None, hub: object, clock: Clock) -> Iterator[Start]:
    """Start a scheduled flow at a time of the clock, with a Hub that is asked quickly again."""
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    from flows import backfill, extract, scheduled
    from flows.sources.hub import Hub, Patience

    patience = Patience(attempts=2, back_off=0.01, longest_wait=1, read_timeout=10)

    def go(flow: str, at: datetime) -> Outcome:
        clock.turn(at)
        return outcome_of(getattr(scheduled, flow)(return_state=True))

    with (
        pytest.MonkeyPatch.context() as patch,
        temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}),
    ):
        for module in (extract, backfill):
            patch.setattr(module, "Hub", lambda url, token: Hub(url, token, patience))
        yield go


def subscribe(*addresses: str) -> None:
    with closing(open_mailing(load_settings())) as mailing:
        for address in addresses:
            add(mailing, address, now=CLOSED)


def mails(home: Path) -> int:
    return len(list(home.glob("issues/*/mail/*.eml")))


def told(home: Path) -> set[Path]:
    return set(home.glob("outbox/incident-*.eml"))


@pytest.mark.torture
def test_a_week_of_a_hub_that_misbehaves(
    start: Start, hub: SampleHub, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERS_REREAD_DAYS", "3")
    monkeypatch.setenv("PAPERS_OPERATOR_EMAIL", "operator@example.org")
    subscribe(*READERS)
    for step in WEEK:
        hub.heal()
        hub.fail(*[step.fault] if step.fault else [])
        before, known = mails(own_home), told(own_home)
        outcome = start(
            step.flow, datetime.fromisoformat(step.at).replace(tzinfo=NEW_YORK).astimezone(UTC)
        )
        happened = (outcome.verdict, mails(own_home) - before)
        assert happened == (step.verdict, step.mails), (step, outcome.sentence)
        assert step.says in outcome.sentence + " ".join(outcome.details), (step, outcome)
        news = [
            message_from_bytes(path.read_bytes(), policy=policy.default)["Subject"]
            for path in told(own_home) - known
        ]
        assert len(news) == (step.alert is not None), (step, news)
        assert all(one.startswith(f"Daily Papers: {step.alert}") for one in news), (step, news)
    with duckdb.connect(str(own_home / "published" / "papers.duckdb"), read_only=True) as marts:
        verdicts = marts.execute(
            "select digest_date::text, verdict from marts.daily_digests order by 1"
        ).fetchall()
    issues = {
        folder.name.removesuffix("-daily"): len(list(folder.glob("mail/*.eml")))
        for folder in (own_home / "issues").iterdir()
    }
    happened_after = {day: (verdict, issues.get(day)) for day, verdict in verdicts}
    # Those that only the re-reading read have no issue.
    reread = {day: happened_after[day] for day in happened_after if day not in AFTER}
    assert {day: happened_after[day] for day in AFTER} == AFTER
    assert reread == {"2026-08-19": ("complete", None)}


@pytest.mark.torture
def test_five_late_runs_read_every_missed_day_and_mail_the_current_issue_alone(
    start: Start, hub: SampleHub, own_home: Path
) -> None:
    """E10: the machine was down for a week, and all its missed runs start at once."""
    subscribe(*READERS)
    assert start("daily_digest", CLOSED).verdict == "complete"
    back = CLOSED + timedelta(days=7)
    outcomes = [start("daily_digest", back + timedelta(minutes=n)) for n in range(5)]
    missed = "2026-08-21, 2026-08-24, 2026-08-25, 2026-08-26"
    assert f"missed before ({missed}): 4 new readings" in outcomes[0].sentence
    assert [outcome.exit_code for outcome in outcomes] == [0] * 5
    for outcome in outcomes[1:]:
        assert outcome.sentence.startswith(
            "Nothing is owed: Thursday 2026-08-27 is complete and its issue is out."
        )
    assert sorted(folder.name for folder in (own_home / "issues").iterdir()) == [
        "2026-08-20-daily", "2026-08-27-daily",
    ]  # fmt: skip
    assert mails(own_home) == 4


def test_catching_up_reads_what_is_due_and_mails_the_current_issue_once(
    start: Start, hub: SampleHub, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine where nothing runs for long; the Hub is down on Friday, and back an hour later."""
    monkeypatch.setenv("PAPERS_REREAD_DAYS", "1")
    subscribe(*READERS)
    first = start("catch_up", CLOSED)
    assert (first.verdict, mails(own_home)) == ("complete", 2)
    assert "Sent to 2." in first.sentence
    friday = CLOSED + timedelta(days=1)
    hub.fail("503")
    down = start("catch_up", friday)
    assert (down.verdict, down.exit_code, mails(own_home)) == ("failed", 1, 2)
    assert down.sentence.startswith("Failed. The Hub gave no list for Friday 21 August 2026: ")
    hub.heal()
    healed = start("catch_up", friday + timedelta(hours=1))
    assert (healed.verdict, mails(own_home)) == ("complete", 4)
    again = start("catch_up", friday + timedelta(hours=2))
    assert ("Already sent to 2." in again.sentence, mails(own_home)) == (True, 4)


def test_catching_up_says_what_the_newest_answer_came_to_and_not_what_stood_before(
    start: Start, hub: SampleHub
) -> None:
    assert start("catch_up", CLOSED - timedelta(hours=6)).verdict == "complete"  # of Wednesday
    hub.fail("fewer_rows")
    late = start("catch_up", CLOSED)
    assert (late.verdict, late.exit_code) == ("partial", 75)
    assert "but an earlier reading had" in late.sentence


def test_what_goes_out_later_is_in_the_days_sentence(
    start: Start, relay: "Relay", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERS_MAIL_URL", f"smtp://127.0.0.1:{relay.port}?tls=none")
    monkeypatch.setenv("PAPERS_MAIL_FROM", "papers@papers.example.org")
    subscribe(*READERS)
    relay.says("RCPT", "451 4.7.1 try later", to=READERS[0])
    assert "Sent to 1, 1 deferred." in start("daily_digest", CLOSED).sentence
    relay.says("RCPT", "250 well", to=READERS[0])
    start("open_list", CLOSED + timedelta(hours=9))
    day = next(each for each in overview(load_settings()).days if each.list_date == DAY)
    assert day.sentence.endswith(" Since then: Sent to 2.")
    assert day.mail == {"sent": 2}


def test_a_full_disk_is_told_in_one_sentence(
    start: Start, hub: SampleHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        cause = OSError(errno.ENOSPC, "No space left on device")
        raise RuntimeError("the step of a library failed") from cause

    monkeypatch.setattr("flows.sources.pipeline.ReadingPipeline.load", full)
    for flow in ("daily_digest", "reread"):
        stopped = start(flow, CLOSED)
        assert (stopped.verdict, stopped.exit_code) == ("failed", 1)
        assert "The disk is full. Make room, and run this again" in stopped.sentence


def test_a_lake_that_is_full_is_not_told_as_a_full_disk(
    start: Start, hub: SampleHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "The lake's storage is full (No space left on device); make room."

    def full(*_: object) -> None:
        raise LakeError(said, may_pass=False, is_conflict=False)

    monkeypatch.setattr("flows.sources.pipeline.ReadingPipeline.load", full)
    assert start("daily_digest", CLOSED).sentence.startswith(f"Failed. {said}")
    assert start("reread", CLOSED).sentence == said


def test_a_fresh_home_begins_with_the_newest_closed_day(
    start: Start, hub: SampleHub, own_home: Path
) -> None:
    outcome = start("daily_digest", CLOSED)
    assert "missed before" not in outcome.sentence
    assert {request.query["date"] for request in hub.requests} == {str(DAY)}
    loads = own_home / "dlt" / "daily_papers" / "load" / "loaded"
    (loaded,) = loads.iterdir()
    os.utime(loaded, times=(CLOSED.timestamp(), CLOSED.timestamp()))
    start("upkeep", CLOSED + timedelta(days=6))
    assert loaded.exists()
    upkept = start("upkeep", CLOSED + timedelta(days=60))
    assert list(loads.iterdir()) == []
    assert "months kept as Parquet: 2026-08;" in upkept.sentence
    for table in ("readings", "items"):
        archive = own_home / "readings" / "2026-08" / f"{table}.parquet"
        with duckdb.connect(str(own_home / "warehouse.duckdb"), read_only=True) as warehouse:
            kept = warehouse.sql(f"from raw.{table} order by all").fetchall()
        assert duckdb.sql(f"from '{archive}' order by all").fetchall() == kept
    assert "nothing new" in start("upkeep", CLOSED + timedelta(days=61)).sentence


@pytest.mark.parametrize(
    ("verdict", "minutes", "pause"),
    [
        ("partial", 15, 15),
        ("partial", 30, 30),
        ("not_open", 60, 60),
        ("failed", 120, 120),
        ("partial", 500, 120),
        ("partial", 9.5 * 60, 120),  # 07:00, two hours before the verdict is due
        ("partial", 9.5 * 60 + 1, None),
        ("complete", 15, None),
        ("empty", 15, None),
    ],
)
def test_the_pause_before_the_next_try_grows_until_the_deadline(
    verdict: str, minutes: float, pause: float | None
) -> None:
    from flows.scheduled import next_try_at
    from flows.sources.feed_day import closes_at

    now = closes_at(DAY) + timedelta(minutes=minutes)
    at = next_try_at(DAY, Outcome(verdict, ""), Settings(), now)
    assert at == (None if pause is None else now + timedelta(minutes=pause))


def test_held_mail_is_tried_again_and_paused_mail_waits_for_the_operator(
    start: Start, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.mailing.ledger_issues import PAUSED, find_issue, set_issue
    from flows.scheduled import next_try_at

    monkeypatch.setenv("PAPERS_MAIL_URL", "smtp://127.0.0.1:9?tls=none")
    subscribe(*READERS)
    held = start("daily_digest", CLOSED)
    assert (held.exit_code, held.verdict) == (1, "complete")
    assert "The next try is at 23:31 America/New_York on Thursday." in held.sentence
    monkeypatch.delenv("PAPERS_MAIL_URL")
    settings = load_settings()
    with closing(open_mailing(settings)) as mailing:
        issue = find_issue(mailing, "daily", DAY)
        assert issue
        set_issue(mailing, issue, PAUSED, "Too many went wrong.", now=CLOSED)
    paused = start("daily_digest", CLOSED + timedelta(hours=1))
    assert (paused.exit_code, mails(own_home)) == (1, 0)
    assert "Too many went wrong." in paused.sentence
    assert next_try_at(DAY, paused, settings, CLOSED + timedelta(hours=1)) is None


def test_a_hand_started_run_says_who_holds_the_warehouse(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.warehouse.database import WarehouseBusyError, writer_lock

    settings = load_settings()
    with (
        writer_lock(settings, holder="the run “papers of Thursday 20 August 2026”"),
        pytest.raises(WarehouseBusyError) as busy,
        writer_lock(settings, patience=0.1),
    ):
        pass
    assert "in use by the run “papers of Thursday 20 August 2026” (process " in str(busy.value)
    assert "UTC); try again when it has finished." in str(busy.value)
    monkeypatch.setattr("sys.argv", ["/somewhere/bin/papers", "run", "2026-08-20"])
    with (
        writer_lock(settings),
        pytest.raises(WarehouseBusyError, match="`papers run 2026-08-20`"),
        writer_lock(settings, patience=0.1),
    ):
        pass
