"""Upkeep of a lake: small files go, what was published stays."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from flows.settings import Settings
from flows.warehouse.database import open_warehouse
from flows.warehouse.publications import at_publication, name_publication, newest_publication
from flows.warehouse.tidying import READERS_DONE, SNAPSHOTS_KEPT, tidy
from tests.support.lakes import Lake


def files(settings: Settings) -> int:
    return len(list(Path(settings.lake_storage or "").rglob("*.parquet")))


def test_a_lake_is_tidied_and_its_newest_publication_stays(lake: Lake, tmp_path: Path) -> None:
    settings = Settings.model_validate({"home": tmp_path / "home", **lake.settings})
    now = datetime.now(UTC)
    with open_warehouse(settings) as connection:
        connection.execute("create schema raw; create schema staging")
        connection.execute("create table raw.numbers (n bigint)")
        for n in range(20):
            connection.execute("insert into raw.numbers values (?)", [n])
        name_publication(connection, settings, now)
        connection.execute("delete from raw.numbers where n >= 10")
        connection.execute("insert into raw.numbers values (100)")
    published = newest_publication(settings)
    assert published is not None
    assert published.published_at == now
    before = files(settings)

    assert tidy(settings, now) > 0
    assert files(settings) >= before  # a reader may be at one of them
    later = now + SNAPSHOTS_KEPT + READERS_DONE + timedelta(days=1)
    tidy(settings, later)
    assert files(settings) < before

    assert newest_publication(settings) == published
    with at_publication(settings, published) as connection:
        assert connection.execute("select count(*) from raw.numbers").fetchall() == [(20,)]
    with open_warehouse(settings) as connection:
        rows = connection.execute("select max(n), count(*) from raw.numbers").fetchall()
    assert rows == [(100, 11)]


def test_a_file_is_checked_in(own_home: Path) -> None:
    settings = Settings(home=own_home)
    assert tidy(settings, datetime.now(UTC)) == 0
    with open_warehouse(settings) as connection:
        connection.execute("create table numbers as select range as n from range(1000)")
    assert tidy(settings, datetime.now(UTC)) == settings.warehouse_path.stat().st_size
