"""Which dates a build makes again, and which readings it may refuse; no dbt runs here."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flows.warehouse.refusals import not_built_yet, refuse
from flows.warehouse.stale_dates import mark_built, mark_stale
from tests.support.dbt_build import Warehouse, item

MORNING, EVENING, NEXT = "2026-08-13 04:45:00", "2026-08-13 16:05:44", "2026-08-14 16:05:44"


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with closing(Warehouse(tmp_path, tmp_path / "warehouse.duckdb")) as opened:
        opened.read(MORNING, [item("2608.00001")])
        yield opened


def _stale(warehouse: Warehouse) -> list[date]:
    with warehouse.connect() as connection:
        dates = list(mark_stale(connection, every_date=False))
    assert warehouse.rows("from staging.stale_list_dates order by all") == dates
    return dates


def _succeed(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        mark_built(connection)


def _suspects(warehouse: Warehouse) -> list[str]:
    with warehouse.connect() as connection:
        return not_built_yet(connection)


def test_a_date_is_stale_until_a_build_of_its_readings_has_succeeded(warehouse: Warehouse) -> None:
    day = [date(2026, 8, 13)]
    assert _stale(warehouse) == day
    assert _stale(warehouse) == day, "the build failed or was killed"
    assert len(_suspects(warehouse)) == 1
    _succeed(warehouse)
    assert (_stale(warehouse), _suspects(warehouse)) == ([], [])


def test_what_a_failed_build_may_have_made_is_made_again_without_the_reading(
    warehouse: Warehouse,
) -> None:
    _stale(warehouse)
    _succeed(warehouse)
    evening = warehouse.read(EVENING, [item("2608.00002")])
    assert _stale(warehouse) == [date(2026, 8, 13)]
    assert _suspects(warehouse) == [evening]
    with warehouse.connect() as connection:
        at = datetime(2026, 8, 14, tzinfo=UTC)
        refuse(connection, [evening], "build", "It broke a model.", at)
    assert _stale(warehouse) == [date(2026, 8, 13)]


def test_a_reading_that_comes_while_a_build_works_is_left_to_the_next_one(
    warehouse: Warehouse,
) -> None:
    _stale(warehouse)
    late = warehouse.read(NEXT, [item("2608.00003")])
    _succeed(warehouse)
    assert _suspects(warehouse) == [late]
    assert _stale(warehouse) == [date(2026, 8, 14)]


def test_a_trending_reading_makes_its_date_stale_once(warehouse: Warehouse) -> None:
    warehouse.read_trending(NEXT, [item("2608.00001")])
    assert len(_stale(warehouse)) == 2
    _succeed(warehouse)
    assert _stale(warehouse) == []
