"""How a day's run ends: one sentence everywhere, artifacts by date, an operator who knows."""

import json
import logging
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from flows.daily_papers import daily_papers
from flows.mail_setup import open_mailing
from flows.mailing.rules import Rule
from flows.mailing.subscribers import add
from flows.operations.status import overview
from flows.outcome import Outcome
from flows.settings import load_settings
from flows.sources.sample_hub import SampleHub
from tests.support.clock import CLOSED, DAY, Clock

Run = Callable[..., Outcome]


@pytest.fixture
def end(run: Run, clock: Clock) -> Callable[..., tuple[Any, Any]]:
    """Run a day: its final state, and the flow run as the server has it."""
    from prefect import get_client

    def go(day: date = DAY, at: Any = CLOSED) -> tuple[Any, Any]:
        clock.turn(at)
        state: Any = daily_papers(day, return_state=True)
        with get_client(sync_client=True) as client:
            return state, client.read_flow_run(state.state_details.flow_run_id)

    return go


def artifacts(run_id: UUID) -> dict[str, Any]:
    """The artifacts of a run by key."""
    from prefect import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId

    of_run = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run_id]))
    with get_client(sync_client=True) as client:
        return {str(a.key): a for a in client.read_artifacts(artifact_filter=of_run)}


def outbox(home: Path) -> list[str]:
    return sorted(path.read_text() for path in (home / "outbox").glob("*.eml"))


@pytest.mark.parametrize(
    ("day", "fault", "tags", "name"),
    [
        (DAY, None, {"complete", "mailed to 1"}, "papers of Thursday 20 August 2026: mailed to 1"),
        (
            DAY,
            "zero_votes",
            {"failed", "no mail"},
            "papers of Thursday 20 August 2026: no mail. Failed. The gate raw stopped it: ",
        ),
        (
            DAY + timedelta(days=8),
            None,
            {"not open", "no mail"},
            "papers of Friday 28 August 2026: no mail. Not open. The Hub has not opened the list",
        ),
    ],
    ids=["complete", "stopped", "not open"],
)
def test_the_run_its_page_and_the_status_say_the_same(
    end: Callable[..., tuple[Any, Any]],
    hub: SampleHub,
    day: date,
    fault: str | None,
    tags: set[str],
    name: str,
    data_tests: None,
) -> None:
    with closing(open_mailing(load_settings())) as mailing:
        add(mailing, "ann@example.org", now=CLOSED, rule=Rule())
    hub.fail(*[fault] if fault else [])
    state, run = end(day)
    (status,) = overview(load_settings(), day).days
    assert status.sentence == state.message
    assert set(run.tags) == {str(day), *tags}
    assert run.name.startswith(name)

    shown = artifacts(run.id)
    assert all(key.startswith(f"{day}-") for key in shown)
    verdict = shown[f"{day}-verdict"]
    assert verdict.description == state.message
    for word in ("pages read", "second look at the first page", "checks", "mail"):
        assert f"| {word} |" in verdict.data
    rows = {n["name"]: n["row_count"] for n in json.loads(shown[f"{day}-dbt-build"].data)}
    assert rows["listings"] == status.paper_count
    assert {count for name, count in rows.items() if name.startswith("rules_of_")} == {0}
    if fault:
        (first, *_) = json.loads(shown[f"{day}-gate-raw"].data)
        assert first["result"] == "STOPS IT"
        assert first["check"].endswith("has a single upvote")
        assert "**What to do:**" in verdict.data
    if "complete" in tags:
        assert f"http://localhost:8080/issues/{day}-daily/" in str(
            shown[f"{day}-digest"].description
        )
        (counted,) = json.loads(shown[f"{day}-mail"].data)
        assert (counted["state"], counted["readers"]) == ("sent", 1)


def test_the_operator_hears_of_a_stopped_day_once_and_of_its_end_once(
    end: Callable[..., tuple[Any, Any]],
    hub: SampleHub,
    own_home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PAPERS_OPERATOR_EMAIL", "operator@example.org")
    hub.fail("zero_votes")
    for hour in (0, 2):
        assert end(at=CLOSED + timedelta(hours=hour))[0].is_failed()
    (said,) = outbox(own_home)
    assert "has a single upvote" in said
    hub.heal()
    state, _ = end(at=CLOSED + timedelta(hours=4))
    assert state.is_completed()
    over, _ = sorted(outbox(own_home), key=lambda text: "Over: " not in text)
    assert "Over: Thursday 20 August 2026. Complete. " in over
    assert "Complete. " in over


def test_held_mail_is_over_when_the_operator_resumes_it(
    end: Callable[..., tuple[Any, Any]], own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.commands.mail import resume

    monkeypatch.setenv("PAPERS_OPERATOR_EMAIL", "operator@example.org")
    monkeypatch.setenv("PAPERS_MAIL_URL", "smtp://me:hunter2@127.0.0.1:9?tls=none")
    with closing(open_mailing(load_settings())) as mailing:
        add(mailing, "ann@example.org", now=CLOSED, rule=Rule())
    state, run = end()
    assert state.is_failed()
    assert run.name.startswith("papers of Thursday 20 August 2026: mail held. Mail is held: ")
    (incident,) = overview(load_settings()).incidents
    assert incident.incident.command == "papers doctor; papers issue resume 2026-08-20"
    assert "hunter2" not in incident.incident.cause

    monkeypatch.delenv("PAPERS_MAIL_URL")
    assert resume(DAY) == 0
    after = overview(load_settings())
    assert after.incidents == ()
    assert after.days[0].sentence.endswith(" Since then: Sent to 1.")
    (over,) = outbox(own_home)
    assert "Over since" in over
    assert "ann@example.org" not in over


def test_an_error_of_our_own_is_a_failed_day_and_still_an_error(
    prefect: None, hub: SampleHub, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERS_OPERATOR_EMAIL", "operator@example.org")
    monkeypatch.setattr("flows.clock.utc_now", lambda: CLOSED)

    def broken(*_: Any) -> None:
        raise ZeroDivisionError("an error with a value in it")

    monkeypatch.setattr("flows.daily_papers.extract", broken)
    state: Any = daily_papers(DAY, return_state=True)
    assert isinstance(state.result(raise_on_failure=False), ZeroDivisionError)
    (status,) = overview(load_settings(), DAY).days
    assert (status.verdict, status.sentence) == ("failed", state.message)
    assert "ZeroDivisionError" in status.sentence
    (said,) = outbox(own_home)
    assert "papers run 2026-08-20" in said
    assert "a value in it" not in said


def test_an_alert_that_fails_is_in_the_log_and_fails_nothing(
    end: Callable[..., tuple[Any, Any]],
    hub: SampleHub,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("flows.operations.alerts.wrong_now", broken)
    with caplog.at_level(logging.WARNING, "prefect.flow_runs"):
        state, _ = end(DAY + timedelta(days=2), CLOSED + timedelta(days=2))
    assert (state.name, state.is_completed()) == ("Empty", True)
    assert "The operator was not told: ZeroDivisionError" in caplog.text
