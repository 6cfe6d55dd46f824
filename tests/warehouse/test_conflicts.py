"""Two writers change one table at once: who is late does the step again; nothing is lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient

from flows.extract import load_readings
from flows.settings import Settings
from flows.sources.hub import Answer
from flows.sources.pipeline import Reading
from flows.sources.verdict import Verdict
from flows.warehouse import database
from flows.warehouse.database import ConflictError, open_warehouse, retried_on_conflict
from tests.support.clock import CLOSED, DAY
from tests.support.dbt_build import item
from tests.support.lakes import Lake

TIMES, LOADS = 5, 2


@pytest.fixture
def writers(lake: Lake, tmp_path: Path) -> tuple[Settings, Settings]:
    one, other = (
        Settings.model_validate({"home": tmp_path / name, **lake.settings})
        for name in ("one", "other")
    )
    return one, other


def _reading(host: int, number: int) -> Reading:
    read_at = CLOSED + timedelta(minutes=2 * number + host)
    answer = Answer(DAY, read_at, tuple(item(f"2608.{n:05}") for n in range(9)), 200)
    verdict = Verdict("complete", "All read.", is_whole=True)
    return Reading(answer, verdict, "hub", f"{host}.{number}")


def test_what_two_writers_count_together_is_counted(
    writers: tuple[Settings, Settings],
) -> None:
    with open_warehouse(writers[0]) as connection:
        connection.execute("create table counted as select 0 as n")

    def count(settings: Settings) -> None:
        with open_warehouse(settings) as connection:
            connection.begin()
            ((n,),) = connection.execute("from counted").fetchall()
            connection.execute("delete from counted")
            connection.execute("insert into counted values (?)", [n + 1])
            connection.commit()

    def count_on(settings: Settings) -> None:
        for _ in range(TIMES):
            retried_on_conflict(lambda: count(settings))

    with ThreadPoolExecutor() as pool:
        list(pool.map(count_on, writers))
    with open_warehouse(writers[0]) as connection:
        assert connection.execute("from counted").fetchall() == [(2 * TIMES,)]


def test_a_load_that_finds_no_schema_where_another_just_made_it_is_loaded_again(
    writers: tuple[Settings, Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_warehouse(writers[0]) as connection:
        connection.execute("create schema raw")
    asked: list[str] = []
    has_dataset = DuckDbSqlClient.has_dataset

    def found(client: DuckDbSqlClient) -> bool:
        asked.append(client.dataset_name)
        return len(asked) > 1 and has_dataset(client)

    monkeypatch.setattr(DuckDbSqlClient, "has_dataset", found)
    load_readings([_reading(host=0, number=0)], writers[0])
    with open_warehouse(writers[0]) as connection:
        assert connection.execute("select count(*) from raw.readings").fetchall() == [(1,)]
    assert asked.count("raw") > 1


def test_a_load_whose_tables_another_load_changed_is_loaded_again(
    writers: tuple[Settings, Settings],
) -> None:
    def load(host: int) -> None:
        for number in range(LOADS):
            load_readings([_reading(host, number)], writers[host])

    with ThreadPoolExecutor() as pool:
        list(pool.map(load, range(2)))
    with open_warehouse(writers[0]) as connection:
        counts = "select count(*), count(distinct reading_id) from raw."
        assert connection.execute(f"{counts}readings").fetchall() == [(2 * LOADS, 2 * LOADS)]
        assert connection.execute(f"{counts}items").fetchall() == [(18 * LOADS, 2 * LOADS)]


def test_who_is_never_quick_enough_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_PAUSES", (0.0, 0.0))
    tries = []

    def step() -> None:
        tries.append(1)
        raise ConflictError("The table was changed.")

    with pytest.raises(ConflictError):
        retried_on_conflict(step)
    assert len(tries) == 3
