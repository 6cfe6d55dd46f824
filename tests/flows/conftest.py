"""A Prefect server for the flow tests, one for all of them, and a sample Hub for each."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from flows.outcome import Outcome
from flows.runs.states import outcome_of
from flows.sources.sample_hub import SampleHub
from tests.flows.quick_builds import Invoke, without_data_tests

# Thursday 20 August 2026, an hour after it closed: 21:30 in New York is 01:30 UTC.
DAY = date(2026, 8, 20)
CLOSED = datetime(2026, 8, 21, 2, 31, tzinfo=UTC)


@pytest.fixture(scope="session")
def prefect() -> Iterator[None]:
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
    from prefect.testing.utilities import prefect_test_harness

    # Joining the heartbeat's thread costs a second at the end of each run; no test is about it.
    no_heartbeat = temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None})
    with prefect_test_harness(server_startup_timeout=120), no_heartbeat:
        yield


@pytest.fixture(scope="session", autouse=True)
def whole_build() -> Iterator[Invoke]:
    """Let dbt parse its project once, and leave its data tests to tests/dbt: seconds a run."""
    from flows import transform

    parse, invoke, known = transform._manifest, transform._invoke, list[Any]()

    def parsed(places: tuple[str, ...]) -> Any:
        if not known:
            known.append(parse(places))
        return known[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transform, "_manifest", parsed)
        patch.setattr(transform, "_invoke", without_data_tests(invoke))
        yield invoke


@pytest.fixture
def data_tests(whole_build: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the runs of this test run dbt's data tests."""
    monkeypatch.setattr("flows.transform._invoke", whole_build)


@pytest.fixture
def docs_page() -> None:
    """Let the runs of this test write docs/index.html; the others save its seconds."""


@pytest.fixture(autouse=True)
def no_docs_page(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "docs_page" not in request.fixturenames:
        monkeypatch.setattr("flows.transform._write_docs_or_warn", lambda _settings: None)


@pytest.fixture
def hub(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SampleHub]:
    """A Hub at the clock of `CLOSED`, and the settings that lead to it."""
    with SampleHub(now=CLOSED) as hub:
        monkeypatch.setenv("PAPERS_HUB_URL", hub.url)
        yield hub


@pytest.fixture
def clock(hub: SampleHub, monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Set the one clock of the pipeline and of its Hub."""

    def turn(to: datetime) -> None:
        hub.now = to
        monkeypatch.setattr("flows.clock.utc_now", lambda: to)

    turn(CLOSED)
    return turn


@pytest.fixture
def run(prefect: None, clock: Callable[[datetime], None]) -> Iterator[Callable[..., Outcome]]:
    """Run the flow of one day, with a Hub that is asked quickly again when it fails."""
    from flows import extract
    from flows.daily_papers import daily_papers
    from flows.sources.hub import Hub, Patience

    patience = Patience(attempts=2, back_off=0.01, longest_wait=1, read_timeout=0.5)

    def go(day: date = DAY, at: datetime | None = None) -> Outcome:
        if at:
            clock(at)
        state: Any = daily_papers(day, return_state=True)
        return outcome_of(state)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extract, "Hub", lambda url, token: Hub(url, token, patience))
        yield go
