"""`papers migrate`: everything of a warehouse in another one, or nothing."""

from pathlib import Path

import duckdb
import pytest

from flows.settings import Settings
from flows.warehouse import migration
from flows.warehouse.database import open_warehouse
from flows.warehouse.migration import MigrationError, into_file, into_lake
from tests.support.lakes import Lake

MADE = """
    create schema raw;
    create schema audit;
    create table raw.items as
        select n as position, '{"a": ' || n || '}' as item, date '2026-08-13' + n::integer as day,
            [n, null] as list, {'is': n % 2 = 0} as pair,
            timestamptz '2026-08-13 02:00:00+00' as read_at
        from range(1000) as numbers (n);
    insert into raw.items from raw.items limit 3;
    create table raw.vectors as select array[1, 0.5, n]::float[3] as vector from range(9) as r (n);
    create table audit.gates (run_id text not null, reason text);
    insert into audit.gates values ('x', 'it''s'), ('y', null);
    create view audit.all_gates as from audit.gates;
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(MADE)
    return path


@pytest.fixture
def settings(lake: Lake, tmp_path: Path) -> Settings:
    return Settings.model_validate({"home": tmp_path / "home", **lake.settings})


def test_a_file_goes_into_a_lake_and_back(settings: Settings, file: Path, tmp_path: Path) -> None:
    into = into_lake(settings, file)
    assert (into.table_count, into.row_count) == (3, 1003 + 9 + 2)
    with pytest.raises(MigrationError, match="has tables already"):
        into_lake(settings, file)

    back = tmp_path / "back.duckdb"
    assert into_file(settings, back) == into
    with duckdb.connect(str(back)) as connection:
        connection.execute(f"attach '{file}' as before (read_only)")
        for table in ("raw.items", "audit.gates"):
            differences = f"(from {table} except all from before.{table})"
            assert connection.execute(f"select count(*) from {differences}").fetchall() == [(0,)]
        with pytest.raises(duckdb.ConstraintException):
            connection.execute("insert into audit.gates values (null, null)")
    with pytest.raises(MigrationError, match="exists already"):
        into_file(settings, back)


def test_a_copy_that_fails_leaves_nothing(
    settings: Settings, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(migration, "_proven_equal", fail)
        with pytest.raises(KeyboardInterrupt):
            into_lake(settings, file)
    with open_warehouse(settings) as connection:
        assert connection.execute("select count(*) from duckdb_tables()").fetchall() == [(0,)]
    with pytest.raises(MigrationError, match="lake is empty"):
        into_file(settings, tmp_path / "back.duckdb")
    assert not (tmp_path / "back.duckdb").exists()
    assert into_lake(settings, file).table_count == 3


def test_it_says_what_is_missing(settings: Settings, own_home: Path) -> None:
    with pytest.raises(MigrationError, match="names no lake"):
        into_lake(Settings(home=own_home), own_home / "warehouse.duckdb")
    with pytest.raises(MigrationError, match="There is no warehouse file"):
        into_lake(settings, own_home / "warehouse.duckdb")
