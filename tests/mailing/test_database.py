import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from flows.mailing.database import Mailing, MailingError, _use_wal, open_mailing_database
from flows.mailing.migrations.indexes import metadata

if TYPE_CHECKING:
    from tests.support.fork_server import ForkServer


def test_the_migrations_give_the_tables_that_the_code_expects(mailing: Mailing) -> None:
    with mailing.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_several_processes_may_open_a_new_list_at_once(
    list_url: str, fork_server: "ForkServer"
) -> None:
    for _ in range(6):
        fork_server.start(do="open", url=list_url)
    assert fork_server.wait() == [0] * 6


def test_only_the_owner_can_read_the_file_of_addresses(tmp_path: Path) -> None:
    open_mailing_database(tmp_path / "new" / "mailing.sqlite").close()
    assert (tmp_path / "new" / "mailing.sqlite").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://root@host/papers", "sqlite:// or postgresql://"),
        ("sqlite://", "must name a SQLite file"),
        ("postgresql://u:geheim@/x?host=/nowhere", "cannot be opened"),
        ("://", "not a database URL"),
        ("postgresql://u:geheim@127.0.0.1:abc/x", "not a database URL"),
    ],
)
def test_a_list_that_cannot_be_opened_is_named_without_its_password(url: str, said: str) -> None:
    with pytest.raises(MailingError, match=said) as caught:
        open_mailing_database(url)
    assert "geheim" not in str(caught.value)


def test_a_directory_in_the_way_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(MailingError, match="cannot be opened"):
        open_mailing_database(tmp_path)


@pytest.mark.parametrize("damage", ["bytes of something else", "half of it"])
def test_a_damaged_list_is_one_sentence_with_the_way_out(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "mailing.sqlite"
    open_mailing_database(path).close()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if damage == "half of it" else b"\x07" * 9000)
    with pytest.raises(MailingError, match=r"is damaged: .+ Restore it from the backup;"):
        open_mailing_database(path)


def test_a_list_of_a_newer_version_is_one_sentence_and_stays_as_it_is(list_url: str) -> None:
    with closing(open_mailing_database(list_url)) as mailing, mailing.write() as connection:
        connection.execute(text("update alembic_version set version_num = 'm9999'"))
    with pytest.raises(MailingError, match="is of a newer version of Daily Papers"):
        open_mailing_database(list_url)


def test_a_full_disk_is_one_sentence_that_gives_no_address_away(tmp_path: Path) -> None:
    def fill(mailing: Mailing) -> None:
        with mailing.write() as connection:
            connection.execute(text("pragma max_page_count = 1"))  # SQLite keeps what there is
            rows = [{"address": f"reader-{n}@example.org" * 40} for n in range(2000)]
            connection.execute(text("create table filler (address text)"))
            connection.execute(text("insert into filler values (:address)"), rows)

    with (
        closing(open_mailing_database(tmp_path / "mailing.sqlite")) as mailing,
        pytest.raises(MailingError) as caught,
    ):
        fill(mailing)
    assert str(caught.value) == "The mailing list does not answer: database or disk is full."


def test_a_disk_that_cannot_be_written_is_not_waited_for() -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR
    refused = Mock(execute=Mock(side_effect=error))
    with pytest.raises(sqlite3.OperationalError):
        _use_wal(refused)
    assert refused.execute.call_count == 1
