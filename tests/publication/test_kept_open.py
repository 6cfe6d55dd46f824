"""A publication that is kept open: always the newest, and each block one of it."""

from pathlib import Path

import duckdb
import pytest

from flows.publication.kept_open import KeptOpen
from flows.publication.published import NotPublishedError, OlderPublicationError


def _publish(path: Path, number: int) -> None:
    new = path.with_suffix(".new")
    with duckdb.connect(str(new)) as connection:
        connection.execute("create schema marts")
        connection.execute(f"create table marts.papers as select {number} as number from range(9)")
    new.replace(path)


def _number(kept: KeptOpen) -> int:
    with kept.opened() as connection:
        return int(connection.execute("select max(number) from marts.papers").fetchall()[0][0])


def test_a_new_publication_is_seen_at_once_and_an_open_block_ends_with_the_old(
    tmp_path: Path,
) -> None:
    path = tmp_path / "papers.duckdb"
    kept = KeptOpen(path)
    with pytest.raises(NotPublishedError), kept.opened():
        pass
    _publish(path, 1)
    assert _number(kept) == 1
    with kept.opened() as old:
        _publish(path, 2)
        assert _number(kept) == 2
        assert old.execute("select number from marts.papers limit 1").fetchall() == [(1,)]
    for number in range(3, 20):
        _publish(path, number)
        assert _number(kept) == number
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    held = [str(link.readlink()) for link in links]
    assert sum(str(tmp_path) in each for each in held) <= 2, "old files are let go"


def test_nothing_can_be_written_and_what_is_missing_is_told(tmp_path: Path) -> None:
    path = tmp_path / "papers.duckdb"
    _publish(path, 1)
    kept = KeptOpen(path)
    with kept.opened() as connection, pytest.raises(duckdb.InvalidInputException):
        connection.execute("insert into marts.papers values (2)")
    with pytest.raises(OlderPublicationError), kept.opened() as connection:
        connection.execute("from marts.listings")
