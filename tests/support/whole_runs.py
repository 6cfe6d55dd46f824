"""A Prefect server for the flow tests, one for all of them, and a sample Hub for each."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from flows.mail_setup import open_mailing
from flows.mailing.rules import Rule
from flows.mailing.subscribers import add
from flows.outcome import Outcome
from flows.runs.states import outcome_of
from flows.settings import Settings, load_settings
from flows.sources.sample_hub import SampleHub
from tests.support.clock import CLOSED, DAY, Clock
from tests.support.dbt_build import parsed_project
from tests.support.quick_builds import Invoke, quick


@pytest.fixture(scope="session")
def prefect(whole_build: "WholeBuild") -> Iterator[None]:
    from prefect.settings import (
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        PREFECT_LOGGING_TO_API_ENABLED,
        temporary_settings,
    )
    from prefect.testing.utilities import prefect_test_harness

    # Joining the heartbeat's thread costs a second at the end of each run, and the server writes
    # every line of the log into its database; no test here is about either.
    quick = temporary_settings(
        {PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None, PREFECT_LOGGING_TO_API_ENABLED: False}
    )
    with prefect_test_harness(server_startup_timeout=120), quick:
        yield


@dataclass(frozen=True)
class WholeBuild:
    """What `transform` calls where no test saves its seconds."""

    invoke: Invoke
    write_docs: Callable[[Settings], None]


@pytest.fixture(scope="session")
def whole_build() -> Iterator[WholeBuild]:
    """Let dbt parse its project once, and leave its data tests to tests/dbt: seconds a run."""
    from flows import transform

    whole = WholeBuild(transform._invoke, transform._write_docs_or_warn)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            transform,
            "_manifest",
            lambda places: parsed_project(places[places.index("--target") + 1]),
        )
        patch.setattr(transform, "_invoke", quick(whole.invoke))
        patch.setattr(transform, "_write_docs_or_warn", lambda _settings: None)
        yield whole


@pytest.fixture
def data_tests(whole_build: WholeBuild, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the runs of this test run dbt's data tests."""
    monkeypatch.setattr("flows.transform._invoke", whole_build.invoke)


@pytest.fixture
def docs_page(whole_build: WholeBuild, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the runs of this test write docs/index.html; the others save its seconds."""
    monkeypatch.setattr("flows.transform._write_docs_or_warn", whole_build.write_docs)


@pytest.fixture
def hub(own_home: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[SampleHub]:
    """A Hub that goes by the clock, and the settings that lead to it."""
    with SampleHub(now=clock.now) as hub:
        clock.hubs.append(hub)
        monkeypatch.setenv("PAPERS_HUB_URL", hub.url)
        yield hub


@pytest.fixture
def run(prefect: None, hub: SampleHub, clock: Clock) -> Iterator[Callable[..., Outcome]]:
    """Run the flow of one day, with a Hub that is asked quickly again when it fails."""
    from flows import extract
    from flows.daily_papers import daily_papers
    from flows.sources.hub import Hub, Patience

    patience = Patience(attempts=2, back_off=0.01, longest_wait=1, read_timeout=2)

    def go(day: date = DAY, at: datetime | None = None) -> Outcome:
        if at:
            clock.turn(at)
        state: Any = daily_papers(day, return_state=True)
        return outcome_of(state)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extract, "Hub", lambda url, token: Hub(url, token, patience))
        yield go


@dataclass
class KeptHomes:
    """Homes after a run that many tests begin with: the first makes each, the others copy it."""

    folder: Path
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    def fill(self, home: Path, name: str, make: Callable[[], Outcome]) -> Outcome:
        """Bring this home to where `make` leaves one; what that run came to."""
        if name in self.outcomes:
            shutil.copytree(self.folder / name, home, symlinks=True, dirs_exist_ok=True)
            _let_it_be_no_copy(home / "mailed.log")
        else:
            self.outcomes[name] = make()
            shutil.copytree(home, self.folder / name, symlinks=True)
        return self.outcomes[name]


def _let_it_be_no_copy(log: Path) -> None:
    """Give its lines the time of now: by an older one a run sees that the file was restored."""
    now = datetime.now(UTC).isoformat()
    lines = [line.partition(" ")[2] for line in log.read_text().splitlines()]
    log.write_text("".join(f"{now} {words}\n" for words in lines))


@pytest.fixture(scope="session")
def kept_homes(tmp_path_factory: pytest.TempPathFactory) -> KeptHomes:
    return KeptHomes(tmp_path_factory.mktemp("kept_homes"))


@pytest.fixture
def complete_day(run: Callable[..., Outcome], own_home: Path, kept_homes: KeptHomes) -> Outcome:
    """Thursday, read when its list had closed and published, with nobody to mail it to."""
    outcome = kept_homes.fill(own_home, "complete day", run)
    assert outcome.verdict == "complete"
    return outcome


def subscribe(*people: tuple[str, Rule]) -> dict[str, str]:
    """Add these people; their public ids by address."""
    with closing(open_mailing(load_settings())) as mailing:
        return {who: add(mailing, who, now=CLOSED, rule=rule).public_id for who, rule in people}
