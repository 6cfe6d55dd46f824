"""A publication that is the last one brought up to date is the one that would be made anew."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows import publish
from flows.publication import changes, last_publication
from flows.publication.changes import bring_up_to_date
from flows.settings import Settings
from flows.warehouse.database import connect
from tests.support.dbt_build import Warehouse
from tests.support.histories import changing_history, recorded_history
from tests.support.independent import Response
from tests.support.published_tables import published_tables
from tests.support.publishing import publish_built, put_out

# What no two publications have in common, and where in its own file a paper is.
_OF_A_PUBLICATION = "publication_id|paper_row"
Tables = dict[str, list[tuple[Any, ...]]]


class Home:
    """A warehouse that is fed bit by bit and published after each."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(home=folder, embedding_model="none")
        self.warehouse = Warehouse(folder, self.settings.warehouse_path)

    def read(self, responses: Iterable[Response]) -> None:
        for day, read_at, items in responses:
            verdict = "complete" if items else "empty"
            self.warehouse.read(read_at.isoformat(), items, day=str(day), verdict=verdict)

    def publish(self) -> None:
        publish_built(self.warehouse, self.settings)

    def forget(self) -> None:
        """Let the next publication be made anew."""
        self.settings.published_path.with_suffix(".json").unlink()

    def tables(self) -> Tables:
        return published_tables(self.settings.home, but=_OF_A_PUBLICATION)

    def parquet(self) -> Tables:
        """The rows of every Parquet file, by its place."""
        folder = self.settings.published_path.with_name("parquet")
        return {
            str(file.relative_to(folder)): duckdb.sql(f"from '{file}' order by all").fetchall()
            for file in sorted(folder.rglob("*.parquet"))
        }


@pytest.fixture
def updates(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each publication that was the last one brought up to date."""
    made = list[int]()

    def counted(*given: Any) -> None:
        made.append(1)
        bring_up_to_date(*given)

    monkeypatch.setattr(publish, "bring_up_to_date", counted)
    monkeypatch.setattr(changes, "MOST_CHANGED", 1)
    monkeypatch.setattr(last_publication, "MOST_GROWTH", 9)
    return made


def _assert_equal_to_one_made_anew(home: Home) -> None:
    brought_up, parquet, hits = home.tables(), home.parquet(), _hits(home)
    home.forget()
    home.publish()
    anew = home.tables()
    assert {name for name in anew if anew[name] != brought_up[name]} == set()
    assert brought_up.keys() == anew.keys()
    assert home.parquet() == parquet
    assert _hits(home) == hits


def _hits(home: Home) -> list[Any]:
    with duckdb.connect(str(home.settings.published_path), read_only=True) as connection:
        return [
            connection.execute("from search_papers(?, most := 50)", [text]).fetchall()
            for text in ("revised", "attention", '"an abstract"', "a*")
        ]


def test_weeks_published_bit_by_bit_are_those_published_at_once(
    tmp_path: Path, updates: list[int]
) -> None:
    home = Home(tmp_path)
    history = sorted(changing_history(1), key=lambda response: response[1])
    home.read(history[:40])
    home.publish()
    for part in (history[40:50], history[50:60]):
        home.read(part)
        home.publish()
    assert len(updates) == 2
    assert len(home.tables()["marts.paper_changes"]) > 5
    _assert_equal_to_one_made_anew(home)


@pytest.mark.torture
def test_recorded_days_published_one_by_one_are_those_published_at_once(
    tmp_path: Path, updates: list[int], corpus: Path
) -> None:
    home = Home(tmp_path)
    history = sorted(recorded_history(corpus), key=lambda response: response[1])
    for at in range(0, len(history), 8):
        home.read(history[at : at + 8])
        home.publish()
    assert len(updates) == (len(history) - 1) // 8
    _assert_equal_to_one_made_anew(home)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that has published a week."""
    folder = tmp_path_factory.mktemp("week")
    home = Home(folder)
    home.read(changing_history(3)[:20])
    home.publish()
    return folder


@pytest.fixture
def settings(made: Path, tmp_path: Path) -> Settings:
    """That home as each test has it for itself."""
    shutil.copytree(made / "published", tmp_path / "published", symlinks=True)
    shutil.copy2(made / "warehouse.duckdb", tmp_path)
    return Settings(home=tmp_path, embedding_model="none")


def test_a_paper_that_goes_goes_with_all_that_refers_to_it(
    settings: Settings, updates: list[int]
) -> None:
    with connect(settings.warehouse_path) as warehouse:
        ((paper,),) = warehouse.execute("select min(paper_id) from marts.papers").fetchall()
        tables = (
            "select table_name from duckdb_columns() semi join duckdb_tables()"
            " using (schema_name, table_name)"
            " where schema_name = 'marts' and column_name = 'paper_id'"
        )
        for (table,) in warehouse.execute(tables).fetchall():
            warehouse.execute(f"delete from marts.{table} where paper_id = ?", [paper])
    put_out(settings)
    assert updates == [1]
    with duckdb.connect(str(settings.published_path), read_only=True) as connection:
        for table in ("marts.papers", "marts.paper_authors", "search.papers", "search.paper_names"):
            query = f"select count(*), count(*) filter (paper_id = ?) from {table}"
            (left, gone) = connection.execute(query, [paper]).fetchall()[0]
            assert left > 0 == gone, table


def _change_a_day(settings: Settings) -> None:
    with connect(settings.warehouse_path) as warehouse:
        warehouse.execute(
            "update marts.papers set upvotes_count = upvotes_count + 1000"
            " where last_listed_on = (select max(last_listed_on) from marts.papers)"
        )


def _write_into_the_file(settings: Settings, _: pytest.MonkeyPatch) -> None:
    with duckdb.connect(str(settings.published_path)) as connection:
        connection.execute("update marts.listings set upvotes_count = 0")


def _put_another_file_there(settings: Settings, _: pytest.MonkeyPatch) -> None:
    settings.published_path.unlink()
    with duckdb.connect(str(settings.published_path)) as connection:
        connection.execute("create table other (number integer)")


def _cut_the_record_short(settings: Settings, _: pytest.MonkeyPatch) -> None:
    settings.published_path.with_suffix(".json").write_text("{")


def _remove_the_file(settings: Settings, _: pytest.MonkeyPatch) -> None:
    settings.published_path.unlink()


def _build_with_another_project(settings: Settings, _: pytest.MonkeyPatch) -> None:
    with connect(settings.warehouse_path) as warehouse:
        warehouse.execute("update staging.built_with set project_sha256 = 'other'")


def _let_it_be_full_of_dead_rows(_: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_publication, "MOST_GROWTH", 0.5)


def _let_it_be_much(_: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MOST_CHANGED", 0)


@pytest.mark.parametrize(
    "happens",
    [
        _write_into_the_file,
        _put_another_file_there,
        _cut_the_record_short,
        _remove_the_file,
        _build_with_another_project,
        _let_it_be_full_of_dead_rows,
        _let_it_be_much,
    ],
)
def test_what_is_no_base_is_not_built_upon(
    settings: Settings,
    updates: list[int],
    monkeypatch: pytest.MonkeyPatch,
    happens: Callable[[Settings, pytest.MonkeyPatch], None],
) -> None:
    happens(settings, monkeypatch)
    _change_a_day(settings)
    put_out(settings)
    assert updates == []
    query = "select count(*) from marts.papers where upvotes_count >= 1000"
    with duckdb.connect(str(settings.published_path), read_only=True) as connection:
        assert connection.execute(query).fetchall()[0][0] > 0
        assert connection.execute("select max(upvotes_count) from marts.listings").fetchall()[0][0]


def test_an_old_duckdb_can_open_a_file_that_was_brought_up_to_date(
    settings: Settings, updates: list[int]
) -> None:
    _change_a_day(settings)
    put_out(settings)
    assert updates == [1]
    query = "select tags['storage_version'] from duckdb_databases() where not internal"
    with duckdb.connect(str(settings.published_path), read_only=True) as connection:
        assert connection.execute(query).fetchall() == [(f"{publish.STORAGE_VERSION}+",)]


def test_what_did_not_change_is_a_link_to_the_file_of_before(
    settings: Settings, updates: list[int]
) -> None:
    folder = settings.published_path.with_name("parquet")
    before = {file.relative_to(folder): file.stat().st_ino for file in folder.rglob("*.parquet")}
    _change_a_day(settings)
    put_out(settings)
    after = {file.relative_to(folder): file.stat().st_ino for file in folder.rglob("*.parquet")}
    assert updates == [1]
    assert {str(place) for place in before if before[place] != after[place]} == {
        "papers.parquet", "authors.parquet", "organizations.parquet",
    }  # fmt: skip
