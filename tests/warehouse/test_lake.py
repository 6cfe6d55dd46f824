"""A lake is a warehouse like the file: the same readings make the same tables, on every host."""

import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from traceback import format_exception
from typing import Any

import duckdb
import pytest

from flows.commands.brought import brought_again_and_again
from flows.gates.audit import create_audit
from flows.outcome import Outcome
from flows.publication.published import opened
from flows.runs.states import outcome_of
from flows.settings import Settings, load_settings
from flows.sources.sample_hub import SampleHub
from flows.warehouse import database
from flows.warehouse.database import (
    WarehouseAwayError,
    WarehouseBusyError,
    has_warehouse,
    lock_holder,
    looking,
    open_warehouse,
    writer_lock,
)
from flows.warehouse.lake_trouble import LakeError
from tests.support.clock import CLOSED, DAY, Clock
from tests.support.lakes import Bucket, Lake
from tests.support.prefect_api import eventually
from tests.support.published_tables import published_tables
from tests.support.publishing import put_out
from tests.support.rooms import ROOT


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing that is away."""
    monkeypatch.setattr(database, "PATIENCE_SECONDS", 0.1)


def settings_of(home: Path, lake: Lake, **other: str) -> Settings:
    return Settings.model_validate({"home": home, **lake.settings, **other})


def test_nobody_outside_the_warehouse_asks_which_it_is() -> None:
    asks = re.compile(r"lake_(catalog|storage|s3)|warehouse_path|warehouse import lake\b")
    known = {"flows/settings.py"}
    askers = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "flows").rglob("*.py")
        if asks.search(path.read_text()) and path.parent.name != "warehouse"
    }
    assert askers == known


@pytest.mark.torture
def test_in_a_lake_the_same_readings_make_the_tables_of_a_file(
    s3_lake: Lake,
    run: Callable[..., Outcome],
    hub: SampleHub,
    own_home: Path,
    tmp_path: Path,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """History at once, then two days by themselves, the second read twice."""
    from flows.backfill import backfill

    def history() -> None:
        clock.turn(CLOSED)
        state: Any = backfill(DAY - timedelta(days=4), DAY - timedelta(days=1), return_state=True)
        assert outcome_of(state).verdict == "complete"
        assert run().verdict == "complete"
        assert run(at=CLOSED + timedelta(minutes=30)).verdict == "complete"

    history()
    in_a_file = published_tables(own_home)
    home = tmp_path / "other"
    for name, value in {"PAPERS_HOME": str(home), **s3_lake.environment}.items():
        monkeypatch.setenv(name, value)
    history()
    in_a_lake = published_tables(home)

    assert in_a_lake.keys() == in_a_file.keys()
    assert {name for name in in_a_file if in_a_lake[name] != in_a_file[name]} == set()
    assert not (home / "warehouse.duckdb").exists()
    assert len(in_a_file["marts.listings"]) > 100


def test_another_host_has_what_was_published_and_nothing_else(
    lake: Lake,
    run: Callable[..., Outcome],
    clock: Clock,
    own_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from flows.publish import fetch

    for name, value in lake.environment.items():
        monkeypatch.setenv(name, value)
    run()
    here = published_tables(own_home)
    with open_warehouse(load_settings()) as connection:  # a build whose gate has not been asked
        connection.execute("delete from marts.listings")

    elsewhere = settings_of(tmp_path / "elsewhere", lake)
    assert fetch(elsewhere) is not None
    assert published_tables(elsewhere.home) == here
    assert fetch(elsewhere) is None

    monkeypatch.setattr("flows.commands.brought.EVERY_SECONDS", 0.1)
    clock.pass_by(hours=1)
    with brought_again_and_again(elsewhere):
        put_out(load_settings())
        eventually(lambda: _listing_count(elsewhere) == 0, "the newest publication")


def _listing_count(settings: Settings) -> int:
    with opened(settings.published_path) as connection:
        ((count,),) = connection.execute("select count(*) from marts.listings").fetchall()
    return int(count)


def test_one_host_writes_at_a_time_and_the_others_learn_who(lake: Lake, tmp_path: Path) -> None:
    one, other = settings_of(tmp_path / "one", lake), settings_of(tmp_path / "other", lake)
    with (
        writer_lock(one, holder="the run of Thursday"),
        pytest.raises(WarehouseBusyError, match=r"in use by .*: the run of Thursday"),
        writer_lock(other, patience=0.1),
    ):
        pass
    with writer_lock(other, patience=0.1, holder="the backfill"):
        assert ": the backfill" in (lock_holder(one) or "")
    assert lock_holder(one) is None


def test_looking_at_a_lake_that_nobody_filled_makes_nothing(lake: Lake, tmp_path: Path) -> None:
    assert not has_warehouse(settings_of(tmp_path / "home", lake))
    assert lake.ask("select count(*) from pg_tables where tablename like 'ducklake%'") == [(0,)]


def _write(settings: Settings) -> None:
    with open_warehouse(settings) as connection:
        connection.execute("create schema if not exists raw")
        connection.execute("create or replace table raw.numbers as select range as n from range(9)")


@pytest.mark.usefixtures("quick")
def test_a_lake_that_is_away_or_refuses_is_told_by_its_part(
    s3_lake: Lake, bucket: Bucket, tmp_path: Path
) -> None:
    settings = settings_of(tmp_path / "home", s3_lake)
    _write(settings)

    def told(kind: type[Exception], other: Settings = settings) -> str:
        with pytest.raises(kind) as stop:
            _write(other)
        return str(stop.value)

    def elsewhere(**other: str) -> Settings:
        return settings_of(tmp_path / "home", s3_lake, **other)

    bucket.refuse("507 Insufficient Storage", "InsufficientStorage")
    assert "storage is full" in told(LakeError)
    bucket.refuse("403 Forbidden", "SignatureDoesNotMatch")
    assert "refuses our key" in told(LakeError)
    bucket.refuse("503 Slow Down", "SlowDown")
    assert "storage does not answer" in told(WarehouseAwayError)
    bucket.refusal = None
    with open_warehouse(settings) as connection:  # nothing was lost
        assert connection.execute("select count(*) from raw.numbers").fetchall() == [(9,)]

    catalog = "ducklake:postgres:" + s3_lake.catalog
    nowhere = elsewhere(warehouse="ducklake:postgres:dbname=x host=127.0.0.1 port=9 password=hush")
    assert "catalog does not answer (Connection refused)" in told(WarehouseAwayError, nowhere)
    stranger = elsewhere(warehouse=catalog.replace("user=papers", "user=stranger"))
    assert 'refuses us (role "stranger" does not exist)' in told(LakeError, stranger)
    assert "PAPERS_LAKE_STORAGE is s3://other" in told(
        LakeError, elsewhere(lake_storage="s3://other")
    )
    down = elsewhere(lake_s3_endpoint="http://127.0.0.1:9")
    assert "storage does not answer (Could not connect to server)" in told(WarehouseAwayError, down)


def test_a_folder_that_is_away_is_named_and_not_made_by_looking(lake: Lake, tmp_path: Path) -> None:
    storage = tmp_path / 'a share "of all"'
    settings = settings_of(tmp_path / "home", lake, lake_storage=str(storage))
    _write(settings)
    storage.rename(tmp_path / "unmounted")
    with (
        pytest.raises(LakeError, match=r"storage cannot be used \(No such file or directory\)"),
        looking(settings) as connection,
    ):
        connection.execute("from raw.numbers").fetchall()
    assert not storage.exists()


def test_a_folder_that_cannot_be_is_told(lake: Lake, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = settings_of(tmp_path / "home", lake, lake_storage=str(tmp_path / "file"))
    with pytest.raises(LakeError, match=r"Not a directory\); look at PAPERS_LAKE_STORAGE"):
        _write(settings)


def test_a_long_name_of_a_writer_keeps_its_process(lake: Lake, tmp_path: Path) -> None:
    one, other = settings_of(tmp_path / "one", lake), settings_of(tmp_path / "other", lake)
    with writer_lock(one, holder=f"`papers {'very ' * 12}long`"):
        name = lock_holder(other) or ""
    assert re.search(rf"very.*\.\. \(process {os.getpid()}, since \d\d:\d\d UTC\)$", name)


def test_an_error_that_nobody_foresaw_keeps_the_password(tmp_path: Path) -> None:
    lake = Lake("dbname=x sslmode=nonsense password=hush", str(tmp_path / "files"))
    with (
        pytest.raises(duckdb.Error, match="nonsense") as stop,
        open_warehouse(settings_of(tmp_path / "home", lake)),
    ):
        pass
    assert "hush" not in "".join(format_exception(stop.value))


@pytest.mark.usefixtures("quick")
def test_a_bucket_that_is_missing_is_named(catalog: str, bucket: Bucket, tmp_path: Path) -> None:
    lake = Lake(catalog, "s3://missing-bucket", bucket.endpoint)
    with pytest.raises(LakeError, match="bucket is missing"):
        _write(settings_of(tmp_path / "home", lake))


def _write_at_once(settings: Settings) -> None:
    with open_warehouse(settings) as one, open_warehouse(settings) as other:
        for number, connection in enumerate((one, other)):
            connection.begin()
            connection.execute("delete from raw.numbers where n = ?", [number])
        one.commit()
        other.commit()


def test_two_writers_of_one_table_are_told_and_one_of_them_did(lake: Lake, tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "home", lake)
    _write(settings)
    with pytest.raises(WarehouseAwayError, match="changed by another run at once"):
        _write_at_once(settings)
    with open_warehouse(settings) as connection:
        rows = connection.execute("select min(n), count(*) from raw.numbers").fetchall()
    assert rows == [(1, 8)]


def test_the_view_of_the_audit_is_made_where_it_differs_and_else_makes_no_snapshot(
    lake: Lake, tmp_path: Path
) -> None:
    def made() -> list[tuple[object, ...]]:
        create_audit(connection)
        return lake.ask("select max(snapshot_id) from ducklake_snapshot")

    readings = "reading_id text, list_date date, is_whole boolean, kind text, verdict text"
    with open_warehouse(settings_of(tmp_path / "home", lake)) as connection:
        create_audit(connection)  # before the first load
        connection.execute(f"create schema raw; create table raw.readings ({readings})")
        assert made() == made()
        connection.execute("alter table raw.readings add column origin text")
        before = made()
        assert connection.execute("select origin from audit.judged_readings").fetchall() == []
        connection.execute("drop view audit.judged_readings")
        assert made() > before
        connection.execute("from audit.judged_readings")


def test_extensions_come_from_what_is_installed_and_are_never_asked_of_the_network(
    lake: Lake, tmp_path: Path
) -> None:
    settings = settings_of(tmp_path / "home", lake)
    with open_warehouse(settings) as connection:
        loaded = connection.execute(
            "select extension_name from duckdb_extensions()"
            " where loaded and install_mode <> 'STATICALLY_LINKED' order by all"
        ).fetchall()
        unsafe = connection.execute(
            "select value from duckdb_settings() where name in"
            " ('allow_unsigned_extensions', 'autoinstall_known_extensions')"
        ).fetchall()
    assert [name for (name,) in loaded] == ["ducklake", "postgres_scanner"]
    assert unsafe == [("false",), ("false",)]


def test_a_file_warehouse_pays_for_no_extension(own_home: Path) -> None:
    with open_warehouse(load_settings()) as connection:
        connection.execute("create schema raw")
    assert not (own_home / "extensions").exists()
    with duckdb.connect(str(own_home / "warehouse.duckdb")) as connection:
        count = "select count(*) from duckdb_extensions() where loaded and extension_name = ?"
        assert connection.execute(count, ["ducklake"]).fetchall() == [(0,)]
