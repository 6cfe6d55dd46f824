"""Our own pipeline reads our own API, as it reads the Hub: the marts are the same."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from flows.outcome import Outcome
from flows.settings import Settings
from flows.sources.sample_hub import SampleHub
from tests.support.clock import DAY, Clock
from tests.support.published_tables import published_tables
from tests.support.site import serving

# Of which reading it is; the words of a verdict name no Hub.
_OF_A_RUN = ".*(read|checked|quarantined)_at|reading_id|run_id|paper_row"


@pytest.mark.torture
def test_a_day_read_from_our_own_api_makes_the_same_marts(
    run: Callable[..., Outcome],
    hub: SampleHub,
    clock: Clock,
    own_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for day in (DAY - timedelta(days=1), DAY):
        assert run(day).verdict == "complete"
    other = tmp_path / "other"
    with serving(Settings(home=own_home)) as site:
        monkeypatch.setenv("PAPERS_HOME", str(other))
        monkeypatch.setenv("PAPERS_HUB_URL", site.url)
        asked = len(hub.requests)
        for day in (DAY - timedelta(days=1), DAY):
            assert run(day).verdict == "complete"
    assert len(hub.requests) == asked
    ours, theirs = published_tables(other), published_tables(own_home)
    assert ours["marts.listings"]
    # what the Hub calls trending is read once a run of the newest day, and ours is another order
    apart = {name for name in theirs if ours[name] != theirs[name]}
    assert apart <= {"marts.hub_trending_papers"}
