"""Publications of a lake: snapshots with a name, which every host can make the published file of.

publish ──a name──▶ the lake's snapshot ──▶ published/papers.duckdb of another host
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from duckdb import DuckDBPyConnection

from flows.settings import Settings
from flows.warehouse import lake
from flows.warehouse.database import CONFIG, check_writer, open_warehouse, told


@dataclass(frozen=True)
class NamedPublication:
    """A snapshot that passed both gates, and when it was published (UTC)."""

    snapshot: int
    published_at: datetime


def name_publication(connection: DuckDBPyConnection, settings: Settings, at: datetime) -> None:
    """Name the lake as it is now a publication of this time; a warehouse file needs no name.

    The caller is the one writer, so what is named is what was audited.
    """
    if not settings.lake_catalog:
        return
    check_writer(settings)
    message = f"{_PUBLICATION}{at.isoformat(timespec='microseconds')}"
    connection.execute("create table if not exists staging.publications (published_at timestamptz)")
    connection.begin()
    # A snapshot stands for a change, so there has to be one.
    connection.execute(f"call {lake.NAME}.set_commit_message('papers', ?)", [message])
    connection.execute("delete from staging.publications where published_at < ?", [at])
    connection.execute("insert into staging.publications values (?)", [at])
    connection.commit()


def newest_publication(settings: Settings) -> NamedPublication | None:
    """The newest publication that any host named; None in a file, and where there is none yet."""
    if not settings.lake_catalog:
        return None
    with open_warehouse(settings) as connection:
        rows = connection.execute(_NEWEST, [f"{_PUBLICATION}%"]).fetchall()
    if not rows:
        return None
    snapshot, message = rows[0]
    return NamedPublication(snapshot, datetime.fromisoformat(message.removeprefix(_PUBLICATION)))


@contextmanager
def at_publication(
    settings: Settings, publication: NamedPublication
) -> Iterator[DuckDBPyConnection]:
    """A connection to the lake as it was published, to read only."""
    with told(), lake.as_it_was(settings, CONFIG, publication.snapshot) as connection:
        yield connection


_PUBLICATION = "publication "
_NEWEST = f"""
    select snapshot_id, commit_message
    from {lake.NAME}.snapshots()
    where commit_message like ?
    order by snapshot_id desc
    limit 1
"""
