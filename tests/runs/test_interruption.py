"""Ctrl-C, and being busy: neither is a failure, and nothing that was read is lost."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, suppress
from datetime import date, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import duckdb
import pytest
from rich.console import Console

from flows.mail_setup import open_mailing
from flows.operations.days import known_days
from flows.operations.incidents import open_incidents
from flows.outcome import Outcome
from flows.runs.interruption import (
    SENTENCE,
    awaiting,
    doing_at_ctrl_c,
    ending_by_ctrl_c,
    safe_point,
)
from flows.runs.states import outcome_of
from flows.settings import Settings, load_settings
from flows.sources.sample.recordings import write_recordings
from flows.sources.sample_hub import SampleHub
from flows.warehouse.database import writer_lock
from tests.support.clock import DAY, Clock

Run = Callable[..., Outcome]
Send = Callable[[int, int], None]
LAST = date(2026, 9, 30)


def _ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.01)  # until the handler has run


def test_ctrl_c_is_noted_and_ends_the_run_at_its_next_safe_point() -> None:
    with ending_by_ctrl_c(Console(stderr=True)):
        safe_point()
        _ctrl_c()
        with pytest.raises(KeyboardInterrupt):
            safe_point()
    safe_point()  # what was asked of one run is not asked of the next


def test_ctrl_c_ends_what_is_waited_for_at_once() -> None:
    with ending_by_ctrl_c(Console(stderr=True)), pytest.raises(KeyboardInterrupt), awaiting():
        _ctrl_c()


def test_what_others_must_know_is_done_at_once_though_the_run_reaches_no_safe_point() -> None:
    told = Event()
    with ending_by_ctrl_c(Console(stderr=True)), doing_at_ctrl_c(told.set):
        assert not told.is_set()
        _ctrl_c()
        assert told.wait(10)
    told.clear()
    with ending_by_ctrl_c(Console(stderr=True)):
        _ctrl_c()
        assert not told.wait(0.1)  # the block it belonged to is over


def test_readings_in_hand_are_kept_when_the_run_is_interrupted() -> None:
    from flows.backfill import _chunks

    def answers() -> Any:
        yield from (1, 2)
        raise KeyboardInterrupt

    chunks = _chunks(answers())
    assert next(chunks) == [1, 2]
    with pytest.raises(KeyboardInterrupt):
        next(chunks)


def test_a_run_that_finds_the_warehouse_taken_is_busy_and_no_failure(
    complete_day: Outcome, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect import get_client

    from flows import daily_papers, scheduled
    from flows.runs import flow_runs

    settings = load_settings()

    def impatient(settings: Settings, *_: object) -> AbstractContextManager[None]:
        return writer_lock(settings, 0.1)

    monkeypatch.setattr(daily_papers, "writer_lock", impatient)
    monkeypatch.setattr(flow_runs, "writer_lock", impatient)
    planned: list[Any] = []
    monkeypatch.setattr(scheduled, "plan_next_try", lambda _day, at: planned.append(at))
    with writer_lock(settings, holder="the run “papers of Thursday”"):
        busy: Any = daily_papers.daily_papers(DAY, return_state=True)
        tomorrow: Any = scheduled.daily_digest(return_state=True)
        upkeep: Any = scheduled.upkeep(return_state=True)
    with get_client(sync_client=True) as client:
        states = [client.read_flow_run(s.state_details.flow_run_id).state for s in (busy, upkeep)]
    assert [(state.name, state.is_completed()) for state in states if state] == [
        ("Busy", True),
        ("Busy", True),
    ]
    outcome = outcome_of(busy)
    assert (outcome.verdict, outcome.exit_code) == ("busy", 75)
    assert outcome.sentence.startswith("The warehouse is in use by the run “papers of Thursday”")
    assert "The next try is at" in outcome_of(tomorrow).sentence
    assert len(planned) == 1
    with closing(open_mailing(settings)) as mailing:
        (day,) = known_days(mailing).values()
        assert (day.verdict, open_incidents(mailing)) == ("complete", [])


def test_progress_is_told_where_there_is_no_bar(
    run: Run, hub: SampleHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    import logging

    from flows.backfill import backfill
    from flows.runs import progress

    monkeypatch.setattr(progress, "TOLD_EVERY", 0.0)
    told: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(record.getMessage())

    listener = Listener()
    logging.getLogger("prefect.flow_runs").addHandler(listener)
    try:
        backfill(DAY - timedelta(days=2), DAY, return_state=True)
    finally:
        logging.getLogger("prefect.flow_runs").removeHandler(listener)
    said = "reading days: 1 of 3, about 1 min left; "
    assert [line for line in told if line.startswith(said) and line.endswith("requests left")]
    assert not [line for line in told if "was not told" in line]


@pytest.mark.torture
@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["to-the-command", "to-its-group"])
@pytest.mark.parametrize(
    ("requests", "then"), [(60, 1.0), (20, 4.0)], ids=["while-the-hub-keeps-it-waiting", "later"]
)
def test_ctrl_c_in_a_backfill_keeps_what_was_read(
    own_home: Path, clock: Clock, requests: int, then: float, send: Send
) -> None:
    last = LAST if requests == 60 else date(2026, 6, 20)
    with SampleHub(quota=60 if requests == 60 else None) as hub:
        environment = {**os.environ, "PAPERS_HUB_URL": hub.url}
        backfill = [sys.executable, "-m", "flows", "backfill", "2026-06-01", str(last)]
        process = subprocess.Popen(
            backfill,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        while len(hub.requests) < requests and process.poll() is None:
            time.sleep(0.05)
        time.sleep(then)
        send(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)  # the Hub would be waited for 300 s
        assert (process.returncode, SENTENCE in said, "Traceback" in said) == (130, True, False)
        with duckdb.connect(str(own_home / "warehouse.duckdb"), read_only=True) as connection:
            (kept,) = connection.execute("select count(*) from raw.readings").fetchone() or (0,)
        assert kept >= 15
        if requests == 20:
            asked = len(hub.requests)
            again = subprocess.run(
                backfill, env=environment, capture_output=True, text=True, check=False
            )
            assert again.returncode == 0, again.stderr
            assert len(hub.requests) - asked <= 2 * (20 - kept)


def _ended_by_ctrl_c(process: "subprocess.Popen[str]", send: Send) -> None:
    """Stop a run that waits; it says so in one sentence, within its five seconds and some load."""
    send(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, SENTENCE in said, "Traceback" in said) == (130, True, False), said


def _started(*words: str, **settings: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "flows", *words],
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.torture
@pytest.mark.parametrize(
    ("command", "send"), [("run", os.kill), ("import", os.killpg), ("edition", os.killpg)]
)
def test_ctrl_c_ends_a_run_that_waits_for_the_warehouse(
    own_home: Path, tmp_path: Path, command: str, send: Send
) -> None:
    write_recordings(tmp_path / "recordings", [DAY], [timedelta(hours=27)], 3)
    settings = load_settings()
    settings.published_path.parent.mkdir(parents=True)
    duckdb.connect(str(settings.published_path)).close()  # an edition is made of what is published
    words = {
        "run": ["run", str(DAY)],
        "import": ["import", str(tmp_path / "recordings")],
        "edition": ["edition", "weekly", "2026-W33"],
    }[command]
    with writer_lock(settings, holder="another run"), SampleHub() as hub:
        process = _started(*words, PAPERS_HUB_URL=hub.url)
        _wait_until_it_has_opened(process, own_home / "writer.lock")
        _ended_by_ctrl_c(process, send)
    assert hub.requests == []
    with writer_lock(settings, patience=0.1):
        assert not settings.warehouse_path.exists()


def _wait_until_it_has_opened(process: "subprocess.Popen[str]", file: Path) -> None:
    while process.poll() is None:
        for held in Path(f"/proc/{process.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                if held.readlink() == file:
                    return
        time.sleep(0.02)


@pytest.mark.torture
def test_ctrl_c_ends_the_run_of_a_day_that_waits_for_the_hub(own_home: Path) -> None:
    with SampleHub() as hub:
        hub.fail("hang")
        process = _started("run", str(DAY), PAPERS_HUB_URL=hub.url)
        while not hub.requests and process.poll() is None:
            time.sleep(0.05)
        _ended_by_ctrl_c(process, os.killpg)
