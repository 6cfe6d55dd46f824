"""The one clock of the tests: it stands still until a test moves it."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest

from flows.sources.sample_hub import SampleHub

# Thursday 20 August 2026, an hour after its list closed: 21:30 in New York is 01:30 UTC.
DAY = date(2026, 8, 20)
CLOSED = datetime(2026, 8, 21, 2, 31, tzinfo=UTC)


@dataclass
class Clock:
    """Called, it says the time; the Hubs that go by it are set with it."""

    now: datetime
    hubs: list[SampleHub] = field(default_factory=list)

    def __call__(self) -> datetime:
        return self.now

    def turn(self, to: datetime) -> None:
        self.now = to
        for hub in self.hubs:
            hub.now = to

    def pass_by(self, **length: float) -> None:
        self.turn(self.now + timedelta(**length))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the pipeline, and of the sample Hub of `hub`; it begins at `CLOSED`."""
    clock = Clock(CLOSED)
    monkeypatch.setattr("flows.clock.utc_now", clock)
    return clock
