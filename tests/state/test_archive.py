import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from flows.state.archive import PIECE_BYTES, ArchiveError, read_archive, write_archive
from flows.state.seal import SealError, seal_of

SEAL = seal_of(SecretStr("k" * 32))
MIB = 2**20


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "full"
    (home / "issues" / "2026-08-20-daily").mkdir(parents=True)
    (home / "issues" / "2026-08-20-daily" / "issue.json").write_text("{}")
    (home / "warehouse.duckdb").write_bytes(os.urandom(3 * MIB + 5))
    (home / "secret.key").write_text("signs links")
    (home / "secret.key").chmod(0o600)
    (home / "mailed.log").touch()
    (home / "papers.env").write_text("the machine's own")
    (home / "quality").mkdir()
    return home


def _names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_home_comes_back_from_its_archive_with_all_that_cannot_be_made_again(
    home: Path, tmp_path: Path
) -> None:
    archive, back = tmp_path / "archive", tmp_path / "back"
    written = write_archive(home, archive, SEAL)
    read = read_archive(archive, back, SEAL)
    assert _names(back) == _names(home) - {"papers.env"}
    assert all((back / name).read_bytes() == (home / name).read_bytes() for name in _names(back))
    assert (back / "secret.key").stat().st_mode & 0o777 == 0o600
    assert (written.file_count, written.file_count) == (read.file_count, 4)
    kept = b"".join(path.read_bytes() for path in archive.rglob("*") if path.is_file())
    assert b"signs links" not in kept
    assert max(path.stat().st_size for path in archive.rglob("*")) < PIECE_BYTES * 1.1


def test_a_change_in_one_place_changes_one_part_and_what_is_gone_leaves_no_part(
    home: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "archive"
    write_archive(home, archive, SEAL)
    before = set((archive / "parts").iterdir())
    with (home / "warehouse.duckdb").open("r+b") as file:
        file.seek(MIB + 7)
        file.write(b"changed")
    write_archive(home, archive, SEAL)
    after = set((archive / "parts").iterdir())
    assert (len(before - after), len(after - before)) == (1, 1)
    (home / "warehouse.duckdb").unlink()
    write_archive(home, archive, SEAL)
    assert len(list((archive / "parts").iterdir())) == 2  # secret.key, issue.json; a log of nothing


def test_an_archive_that_cannot_be_opened_leaves_the_home_as_it_is(
    home: Path, tmp_path: Path
) -> None:
    archive, other = tmp_path / "archive", tmp_path / "other"
    write_archive(home, archive, SEAL)
    other.mkdir()
    (other / "mailed.log").write_text("as it was")
    with pytest.raises(SealError):
        read_archive(archive, other, seal_of(SecretStr("x" * 32)))
    next((archive / "parts").iterdir()).unlink()
    with pytest.raises(ArchiveError, match="is not whole"):
        read_archive(archive, other, SEAL)
    assert (other / "mailed.log").read_text() == "as it was"
