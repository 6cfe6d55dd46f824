"""A backfill whose months other workers may take: each date is read once, whoever is at it."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from flows.outcome import Outcome
from flows.runs.states import outcome_of
from flows.settings import load_settings
from flows.sources.sample_hub import SampleHub
from flows.warehouse.month_lock import month_lock
from tests.support.prefect_api import eventually
from tests.support.published_tables import published_tables

FIRST, LAST = date(2026, 7, 30), date(2026, 8, 4)
JULY, AUGUST = {"2026-07-30", "2026-07-31"}, {f"2026-08-0{n}" for n in range(1, 5)}


@pytest.fixture
def by_month(prefect: None, hub: SampleHub, clock: object) -> Callable[[], Outcome]:
    """A backfill by month on a server that knows the deployment, and has no worker."""
    from prefect.deployments.runner import RunnerDeployment

    from flows.backfill_by_month import backfill_by_month, backfill_month

    RunnerDeployment.from_flow(backfill_month, "backfill-month").apply()
    return lambda: outcome_of(backfill_by_month(FIRST, LAST, return_state=True))


def asked(hub: SampleHub) -> list[str]:
    """The dates that the Hub was asked for, each once however many pages it took."""
    return list(dict.fromkeys(request.query["date"] for request in hub.requests))


def offered_runs() -> list[tuple[str, Mapping[str, Any]]]:
    """The state and the parameters of each run that was offered, oldest first."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs()
    return [
        (run.state.type.value if run.state else "", run.parameters)
        for run in sorted(runs, key=lambda run: str(run.parameters))
        if run.deployment_id
    ]


def test_without_a_worker_one_reads_all_of_it_and_takes_its_offers_back(
    by_month: Callable[[], Outcome], hub: SampleHub, own_home: Path
) -> None:
    outcome = by_month()
    assert (outcome.verdict, outcome.exit_code) == ("complete", 0)
    assert outcome.sentence.startswith("6 new readings, ")
    assert outcome.sentence.endswith(" items: 4 complete, 2 empty.")
    assert asked(hub)[0] in AUGUST  # newest first: workers begin with the oldest
    assert set(asked(hub)) == JULY | AUGUST
    assert [state for state, _ in offered_runs()[-2:]] == ["CANCELLED", "CANCELLED"]
    days = {row[0] for row in published_tables(own_home)["marts.daily_digests"]}
    assert len(days) == 6
    assert by_month().sentence == "0 new readings, 0 items: nothing was missing."


def test_a_month_that_a_worker_reads_is_not_read_again(
    by_month: Callable[[], Outcome], hub: SampleHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.backfill_by_month import backfill_month
    from flows.runs.offers import Offers, offered

    read_by_worker: list[Outcome] = []

    @contextmanager
    def offered_to_a_quick_worker(
        deployment: str, runs: Mapping[str, Mapping[str, str]]
    ) -> Iterator[Offers]:
        with offered(deployment, runs) as offers:
            july = {name: date.fromisoformat(day) for name, day in runs["2026-07"].items()}
            read_by_worker.append(outcome_of(backfill_month(**july, return_state=True)))
            hub.requests.clear()
            yield offers

    monkeypatch.setattr("flows.backfill_by_month.offered", offered_to_a_quick_worker)
    outcome = by_month()
    assert read_by_worker[0].sentence.startswith("2 new readings, ")
    assert set(asked(hub)) == AUGUST
    assert outcome.sentence.startswith("6 new readings, ")  # whoever read them


def test_a_month_that_a_worker_is_at_is_waited_for_and_read_once_that_one_has_died(
    by_month: Callable[[], Outcome], hub: SampleHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.backfill_by_month.LOOK_AGAIN_SECONDS", 0.05)
    is_held, asked_meanwhile = Event(), set[str]()

    def work_and_die() -> None:
        with month_lock(load_settings(), "2026-07") as is_ours:
            assert is_ours
            is_held.set()
            eventually(lambda: set(asked(hub)) >= AUGUST, "the month that is free")
            time.sleep(3)  # the others have been loaded, and this one is looked at again and again
            asked_meanwhile.update(asked(hub))

    worker = Thread(target=work_and_die)
    worker.start()
    is_held.wait(10)
    outcome = by_month()
    worker.join()
    assert asked_meanwhile == AUGUST
    assert set(asked(hub)) == JULY | AUGUST
    assert outcome.sentence.startswith("6 new readings, ")


def test_who_finds_another_at_its_month_says_so_and_reads_nothing(
    prefect: None, hub: SampleHub, clock: object, own_home: Path
) -> None:
    from flows.backfill_by_month import backfill_month

    with month_lock(load_settings(), "2026-08"):
        state: Any = backfill_month(date(2026, 8, 1), date(2026, 8, 4), return_state=True)
    assert outcome_of(state) == Outcome("complete", "Another worker reads August 2026.")
    assert hub.requests == []


def test_a_server_without_the_deployment_is_told_in_one_sentence(
    prefect: None, hub: SampleHub, clock: object
) -> None:
    from flows.backfill_by_month import DEPLOYMENT, backfill_by_month

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.backfill_by_month.DEPLOYMENT", f"{DEPLOYMENT}-of-nobody")
        outcome = outcome_of(backfill_by_month(FIRST, LAST, return_state=True))
    assert outcome.exit_code == 1
    assert outcome.sentence.startswith("Prefect's server has no deployment `backfill month/")
    assert hub.requests == []
