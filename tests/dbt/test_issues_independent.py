"""The marts about issues against plain Python: issues made between the readings, as days go by."""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from unittest.mock import patch

import pytest

from flows.deliver import deliver
from flows.issues.frozen import issue_files, write_files
from flows.mail_setup import open_mailing
from flows.mailing.ledger_issues import delivery_counts
from flows.mailing.rules import Rule
from flows.mailing.subscribers import add
from flows.mailing.transports import DEFERRED, FAILED, SENT, Parcel, SendResult
from flows.newsletter.digest import Edition
from flows.publication.published import read_digest
from flows.settings import Settings
from flows.sources.feed_day import closes_at
from flows.transform import record_deliveries
from flows.warehouse.sent_issues import record_issues
from tests.support.dbt_build import Warehouse
from tests.support.histories import changing_history, recorded_history
from tests.support.independent import DAY, History, Response, Row
from tests.support.independent_issues import Sent, as_known_now, issue, updates

ON_ONE_LINE = r"* replace (regexp_replace(abstract, '\s+', ' ', 'g') as abstract)"
# What an issue is made of, and what is asked here; the other marts are test_independent's.
OF_ISSUES = (
    *("daily_digests", "daily_digest_papers", "daily_digest_updates", "day_reports"),
    *("weekly_digests", "weekly_digest_papers", "list_readings", "gate_results"),
    *("issue_as_sent", "issue_as_known_now", "digest_deliveries"),
)
EXPIRES = timedelta(hours=36)
NOTHING_MATCHES = Rule(include=("a word of no paper",))
READERS = {
    **{f"reader{number}": Rule() for number in range(5)},
    "both": Rule(editions=("daily", "weekly")),
    "weekly": Rule(editions=("weekly",)),
    "choosy": NOTHING_MATCHES,
    "deferred1": Rule(),
    "deferred2": Rule(editions=("daily", "weekly")),
    "deferred3": Rule(editions=("weekly",)),
    "failed1": Rule(),
}


class Relay:
    """A way out that answers by the address: whoever is named for it is deferred or refused."""

    def open(self) -> "Relay":
        return self

    def send(self, parcel: Parcel, _: object) -> SendResult:
        return SendResult(next((s for s in (DEFERRED, FAILED) if parcel.to.startswith(s)), SENT))

    def close(self) -> None:
        pass

    def cut(self) -> None:
        pass


@dataclass
class Told:
    """Issues as they went out: the warehouse knows them by their files, Python by the JSON."""

    warehouse: Warehouse
    settings: Settings
    known: list[Response] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    made: list[tuple[date, Edition, datetime]] = field(default_factory=list)

    def read(self, response: Response) -> None:
        day, read_at, items = response
        verdict = "complete" if items else "empty"
        self.warehouse.read(read_at.isoformat(), items, day=str(day), verdict=verdict)
        self.known.append(response)

    def make(self, issue_date: date, edition: Edition, now: datetime) -> None:
        """Build, and make and send the issue as the flow does."""
        self.warehouse.build_of(*OF_ISSUES)
        digest = read_digest(self.warehouse.path, issue_date, edition)
        assert digest
        folder = self.settings.issue_folder(issue_date, edition)
        write_files(folder, issue_files(digest, self.settings))
        with (
            closing(open_mailing(self.settings)) as mailing,
            patch("flows.deliver.transport", return_value=Relay()),
        ):
            deliver(mailing, folder, self.settings, now)
            counts = delivery_counts(mailing)
        with self.warehouse.connect() as connection:
            record_issues(connection, self.settings.issues_path)
            record_deliveries(connection, counts)
        self.made.append((issue_date, edition, now))
        self.sent += issue(History(self.known), self.sent, issue_date, edition)


def _lists(request: pytest.FixtureRequest) -> list[Response]:
    """The lists of some days with their readings, the oldest reading first."""
    if request.param == "recorded":
        responses = recorded_history(request.getfixturevalue("corpus"), "2026-08-*")
    else:
        responses = [one for one in changing_history(7) if one[0] < date(2026, 7, 16)]
    return sorted(responses, key=lambda response: (response[1], response[0]))


@pytest.fixture(scope="module", params=["recorded", "sample"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Each list but the last is mailed at its second reading, the first week after its Friday."""
    folder = tmp_path_factory.mktemp("issues")
    told = Told(Warehouse(folder, folder / "warehouse.duckdb"), Settings(home=folder))
    with closing(open_mailing(told.settings)) as mailing:
        for name, rule in READERS.items():
            add(mailing, f"{name}@example.org", now=closes_at(date(2026, 7, 1)), rule=rule)
    responses = _lists(request)
    days = sorted({day for day, _, items in responses if items})
    friday, last = days[4], days[-1]
    readings = Counter[date]()
    for response in responses:
        told.read(response)
        day, read_at, items = response
        readings[day] += bool(items)
        if readings[day] == 2 and items and day != last:
            told.make(day, "daily", read_at)
            if day == friday:
                told.make(day + 2 * DAY, "weekly", read_at)
    told.warehouse.build_of(*OF_ISSUES)
    return told


def _rows(told: Told, mart: str, columns: str = "*") -> list[Row]:
    return told.warehouse.rows(f"select {columns} from marts.{mart} order by all")


def test_an_issue_stands_as_it_was_sent(told: Told) -> None:
    assert {row.edition for row in told.sent} == {"daily", "weekly"}
    _assert_same(_rows(told, "issue_as_sent", ON_ONE_LINE), told.sent)


def test_what_became_of_an_issue_is_what_the_newest_readings_say(told: Told) -> None:
    expected = as_known_now(History(told.known), told.sent)
    assert any(row[11] > 0 for row in expected)
    _assert_same(_rows(told, "issue_as_known_now"), expected)


def test_news_is_told_and_still_to_be_told(told: Told, request: pytest.FixtureRequest) -> None:
    expected = updates(History(told.known), told.sent)
    # what was recorded of August holds no news that was not told
    assert True in {row[-1] for row in expected}
    if request.node.callspec.params["told"] == "sample":
        assert {row[-1] for row in expected} == {True, False}
        assert {row[1] for row in expected} == {"late_bloomers", "now_has_code", "corrections"}
    _assert_same(_rows(told, "daily_digest_updates"), expected)


def test_deliveries_are_counted_by_what_became_of_them(told: Told) -> None:
    counted = Counter((edition, state, day) for (edition, day, _), state in _states(told).items())
    expected = [(*key[:2], count, key[2]) for key, count in counted.items()]
    assert {row[1] for row in expected} == {"sent", "skipped", "failed", "deferred"}
    _assert_same(_rows(told, "digest_deliveries"), expected)


def _states(told: Told) -> dict[tuple[str, date, str], str]:
    """What became of each mail, by edition, date and reader: who refuses three gets no more."""
    states: dict[tuple[str, date, str], str] = {}
    refused = Counter[str]()
    for issue_date, edition, now in told.made:
        for (other, day, name), state in states.items():
            if (other, state) == (edition, "deferred") and now - closes_at(day) > EXPIRES:
                states[other, day, name] = "failed"
                refused[name] += 1
        if edition == "daily" and not _is_current(issue_date, now):
            continue
        for name, rule in READERS.items():
            if edition in rule.editions and refused[name] < 3:
                state = "skipped" if rule.include else name.rstrip("1234567890")
                state = state if state in {"skipped", "deferred", "failed"} else "sent"
                states[edition, issue_date, name] = state
                refused[name] += state == "failed"
    return states


def _is_current(issue_date: date, now: datetime) -> bool:
    """Whether the issue may begin to go out: it is young, and no later list has closed."""
    next_list = issue_date + (3 if issue_date.weekday() == 4 else 1) * DAY
    return now < closes_at(next_list) and now - closes_at(issue_date) <= EXPIRES


def _assert_same(found: Sequence[Row], expected: Sequence[Row]) -> None:
    rows, others = Counter(found), Counter(map(tuple, expected))
    assert [*(rows - others)][:5] == [*(others - rows)][:5]
    assert rows == others
