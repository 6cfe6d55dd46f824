"""Gate linked: what the Hub said of single papers, row by row and reading by reading."""

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from flows.gates.gate import gate_linked
from flows.gates.judging import GateReport
from flows.sources.linked_item import read_linked_item
from tests.expectations.conftest import DAY, NOW, Warehouse

NIGHTS = [DAY - timedelta(days=back) for back in (2, 1, 0)]


def repositories(*names: str) -> dict[str, Any]:
    return {"linkedModels": [{"id": name} for name in names], "numTotalModels": len(names)}


def add(warehouse: Warehouse, night: date, answers: dict[str, Any], load: str = "a-load") -> str:
    """A reading of this night; an answer that is a number is that status without one."""
    read_at = datetime.combine(night, time(8), UTC)
    reading_id = f"{night}.linked.{read_at:%Y%m%dT%H%M%S}000Z"
    rows: list[dict[str, Any]] = []
    for position, (paper_id, said) in enumerate(answers.items()):
        is_status = isinstance(said, int)
        trouble = f"it answered {said}" if is_status and said != 404 else None
        raw = {
            "paper_id": paper_id,
            "status": said if is_status else 200,
            "answer": None if is_status else {"id": paper_id, **said},
            "trouble": trouble,
        }
        item = vars(read_linked_item(position, raw))
        row: dict[str, Any] = {"reading_id": reading_id, "list_date": night, "read_at": read_at}
        rows.append(row | item)
    fields = sorted({field for row in rows for field in row["new_fields"]})
    warehouse.insert(
        "raw.readings",
        reading_id=reading_id,
        load_id=load,
        list_date=night,
        read_at=read_at,
        verdict="complete",
        is_whole=False,
        item_count=len(rows),
        new_fields=json.dumps(fields),
        kind="linked",
    )
    warehouse.add_items(rows)
    return reading_id


def judged(warehouse: Warehouse, load: str = "a-load") -> list[GateReport]:
    return gate_linked(warehouse.connection, load, now=NOW)


def papers(count: int, said: dict[str, Any]) -> dict[str, Any]:
    return {f"2608.{number:05}": said for number in range(count)}


def test_good_answers_pass_and_are_admitted(warehouse: Warehouse) -> None:
    reading = add(warehouse, DAY, papers(20, repositories("a/b", "gpt2")))
    [report] = judged(warehouse)
    assert (report.run_id, report.gate, report.failures, report.warnings) == (
        reading,
        "linked",
        (),
        (),
    )
    admitted = "select reading_id from audit.judged_readings where is_admitted"
    assert warehouse.rows(admitted) == [(reading,)]
    assert warehouse.gate_raw() == [], "no list's gate is asked about it"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (404, "2608.00003: the Hub has no page of it (404)"),
        (500, "2608.00003: it answered 500"),
        ({"linkedModels": 3}, "2608.00003: linkedModels: input should be a valid list"),
        (repositories("a/../b"), "2608.00003 is linked with what is no repository: a/../b"),
        (repositories("../b"), "2608.00003 is linked with what is no repository: ../b"),
        (repositories("a/b?c"), "2608.00003 is linked with what is no repository: a/b?c"),
        (repositories("https://evil"), "is linked with what is no repository: https://evil"),
    ],
)
def test_an_answer_that_cannot_be_used_is_quarantined_alone(
    warehouse: Warehouse, said: Any, reason: str
) -> None:
    add(warehouse, DAY, papers(20, repositories("a/b")) | {"2608.00003": said})
    [report] = judged(warehouse)
    assert report.is_passed
    [item] = report.quarantined
    assert (item.position, item.paper_id) == (3, "2608.00003")
    assert reason in item.reason


def test_a_shape_that_is_not_known_stops_the_reading_and_troubles_of_the_hub_do_not(
    warehouse: Warehouse,
) -> None:
    odd: dict[str, Any] = {"linkedModels": "moved"}
    add(warehouse, NIGHTS[0], papers(40, odd) | papers(38, repositories("a/b")))
    add(warehouse, NIGHTS[1], papers(40, odd) | papers(37, repositories("a/b")))
    bad: dict[str, Any] = dict.fromkeys(papers(40, {}), 503)
    add(warehouse, NIGHTS[2], bad | papers(3, repositories("a/b")))
    passing, stopped, troubled = judged(warehouse)
    assert (passing.is_passed, stopped.is_passed, troubled.is_passed) == (True, False, True)
    assert "3 of 40 answers are of another shape, where at most 2 may be" in stopped.reason
    assert len(troubled.quarantined) == 37


def test_repositories_that_go_all_at_once_stop_the_reading(warehouse: Warehouse) -> None:
    add(warehouse, NIGHTS[0], papers(10, repositories("a/b", "c/d")), "first")
    assert judged(warehouse, "first")[0].is_passed
    add(warehouse, NIGHTS[1], papers(10, repositories("a/b")), "half")
    assert judged(warehouse, "half")[0].is_passed
    few = papers(10, repositories()) | papers(4, repositories("a/b"))
    add(warehouse, NIGHTS[2], few, "gone")
    [gone] = judged(warehouse, "gone")
    assert "4 repositories, where the same papers had 10" in gone.reason


def test_what_is_odd_and_harmless_is_a_warning(warehouse: Warehouse) -> None:
    odd = repositories("a/b", "c/d") | {"numTotalModels": 1, "conference": "A hall"}
    add(warehouse, NIGHTS[0], papers(1, odd))
    add(warehouse, NIGHTS[1], papers(3, {}))
    known, silent = judged(warehouse)
    assert [check.sentence for check in known.warnings] == [
        "1 of 1 papers: 2608.00000 lists more than its total: Models",
        "fields never seen before: conference",
    ]
    assert [check.sentence for check in silent.warnings] == [
        "no answer says anything of models, datasets or Spaces"
    ]
    assert known.is_passed
    assert silent.is_passed


def test_an_answer_that_was_lost_on_the_way_stops_the_load(warehouse: Warehouse) -> None:
    add(warehouse, DAY, papers(5, repositories("a/b")))
    warehouse.connection.execute("delete from raw.items where position = 4")
    [report] = judged(warehouse)
    assert report.reason == "The gate linked stopped it: 4 papers arrived where 5 were asked about."
