"""The quality tables against plain Python: every check of both gates over a load of many days."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from flows.gates.gate import gate_marts, gate_raw
from tests.support.dbt_build import Warehouse
from tests.support.histories import changing_history, recorded_history
from tests.support.independent import Barred, History, Item, Response, Row
from tests.support.independent_gates import Finding, Judged, of_the_digests

NOW = datetime(2026, 11, 1, tzinfo=UTC)
FAULTS: tuple[Callable[[Item], object], ...] = (
    lambda item: item["paper"].pop("upvotes"),
    lambda item: item["paper"].update(title=" \n"),
    lambda item: item["paper"].update(upvotes=-1),
    lambda item: item.update(numComments=-2),
    lambda item: item["paper"].update(publishedAt="1970-01-20T00:00:00.000Z"),
    lambda item: item["paper"].update(publishedAt="2027-01-20T00:00:00.000Z"),
    lambda item: item["paper"].update(submittedOnDailyAt="2026-07-01T00:00:00.000Z"),
    lambda item: item["paper"].update(authors=[]),
    lambda item: item["paper"].update(id="2613.12345"),
    lambda item: item["paper"].update(id="cs/0412123"),
    lambda item: item["paper"].update(id=item["paper"]["id"][:-1]),
)
BAD_LISTS: tuple[Callable[[list[Item]], object], ...] = (
    lambda items: items.append(items[0]),
    lambda items: [
        item["paper"].update(submittedOnDailyAt="2026-07-01T00:00:00.000Z") for item in items
    ],
    lambda items: [item["paper"].pop("ai_summary", None) for item in items],
    lambda items: [item["paper"].update(title="") for item in items[:2]],
    lambda items: items.__delitem__(slice(3, None)),
)


def _faulty(responses: Sequence[Response]) -> list[Response]:
    """Every second reading with papers has a bad item, and every fourth is a bad list."""
    found: list[Response] = []
    for number, (day, read_at, given) in enumerate(responses):
        items = list(given)
        if items and number % 2:
            FAULTS[number // 2 % len(FAULTS)](items[number % len(items)])
        if items and number % 4 == 0:
            BAD_LISTS[number // 4 % len(BAD_LISTS)](items)
        found.append((day, read_at, items))
    return found


@dataclass
class Told:
    """A load as the gates judged it, and as Python has it."""

    warehouse: Warehouse
    judged: list[Judged]

    @property
    def admitted(self) -> list[Judged]:
        return [each for each in self.judged if not each.is_stopped]

    @property
    def history(self) -> History:
        stopped = [
            Barred(each.list_date, each.read_at, "complete", each.items, "It was stopped.")
            for each in self.judged
            if each.is_stopped
        ]
        admitted = [(each.list_date, each.read_at, each.kept) for each in self.admitted]
        return History(admitted, stopped)


@pytest.fixture(scope="module", params=["recorded", "sample"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Told:
    if request.param == "sample":
        responses = _faulty(changing_history(7))
    else:
        responses = recorded_history(request.getfixturevalue("corpus"))
    folder = tmp_path_factory.mktemp("quality")
    warehouse = Warehouse(folder, folder / "warehouse.duckdb")
    for day, read_at, items in responses:
        verdict = "complete" if items else "empty"
        warehouse.read(read_at.isoformat(), items, day=str(day), verdict=verdict, passed=None)
    with warehouse.connect() as connection:
        gate_raw(connection, "a load", now=NOW)
    warehouse.build()
    with warehouse.connect() as connection:
        gate_marts(connection, "a load", now=NOW)
    responses.sort(key=lambda response: response[1])
    return Told(warehouse, [Judged(*response, responses) for response in responses])


def test_every_check_finds_what_python_finds(told: Told, request: pytest.FixtureRequest) -> None:
    expected = [finding for each in told.judged for finding in each.findings]
    if request.node.callspec.params["told"] == "sample":
        failed = {finding.column_name for finding in expected if not finding.is_success}
        assert len(failed) == 16, "a fault that no check notices"
    expected += of_the_digests(told.admitted)
    _assert_same(told, f"select {', '.join(Finding._fields)} from quality.gate_results", expected)


def test_what_is_set_aside_is_what_python_sets_aside(told: Told) -> None:
    expected = [
        (each.run_id, position, each.items[position]["paper"]["id"], expectation,
         each.list_date, each.read_at)
        for each in told.judged
        for position, expectation in each.set_aside.items()
    ]  # fmt: skip
    assert expected
    columns = "reading_id, position, paper_id, expectation, list_date, read_at"
    _assert_same(told, f"select {columns} from quality.quarantined_items", expected)


def test_a_day_at_a_glance_is_what_python_counts(told: Told) -> None:
    history = told.history
    digests = {row[0]: row for row in history.daily_digests()}
    # The reading that a day stands on: the newest admitted one where there is one.
    newest = {each.list_date: each for each in [*told.judged, *told.admitted]}
    marts = Counter(finding.run_id for finding in of_the_digests(told.admitted))
    expected = []
    for day, last in newest.items():
        failed = [finding for finding in last.findings if not finding.is_success]
        warnings = sum(finding.severity == "warning" for finding in failed)
        listed = [one for one in history.listed if one.list_date == day]
        missing = (
            [not (one.paper.get("ai_summary") or "").strip() for one in listed],
            [not any(word.strip() for word in one.paper.get("ai_keywords") or [])
             for one in listed],
            [one.organization is None for one in listed],
            [one.told["github_url"] is None for one in listed],
            [one.submitter is None for one in listed],
        )  # fmt: skip
        expected.append(
            (
                *(day, last.run_id, digests[day][1], None, len(listed), len(last.items)),
                sum(each.list_date == day for each in told.judged),
                len(last.findings) - len(failed) + marts[last.run_id],
                *(warnings, len(failed) - warnings, len(last.set_aside)),
                *(100 * (sum(each) / len(each)) if each else None for each in missing),
                max(each.read_at for each in told.judged if each.list_date == day),
            )
        )
    _assert_same(told, "select * exclude (reason) from quality.day_reports", expected)


def _assert_same(told: Told, query: str, expected: Sequence[Row]) -> None:
    rows, others = Counter(told.warehouse.rows(query)), Counter(map(tuple, expected))
    assert [*(rows - others)][:5] == [*(others - rows)][:5]
    assert rows == others
