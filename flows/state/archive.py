"""What of a home cannot be made again, as sealed parts in a folder, and back.

home ──files──▶ pieces of a MiB ──seal──▶ parts/<hash>, and `index`: which parts make which file

Pieces begin at fixed places, and DuckDB and SQLite leave blocks that did not change where they are:
so most parts of a day are those of the day before, and a push carries only the others.
"""

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath

from flows.errors import OperationError
from flows.state.seal import Seal

# As infra/backup.sh has it, but for the settings, which are the machine's, and with `mailed.log`:
# this is no restored copy but the ledger that goes on.
FILES = ("warehouse.duckdb", "warehouse.duckdb.wal", "secret.key", "mailed.log")
FOLDERS = ("issues", "readings")
LEDGER = "mailing.sqlite"
PIECE_BYTES = 2**20  # far below the 100 MB at which GitHub refuses a file
INDEX, PARTS = "index", "parts"
_FORMAT = 1


class ArchiveError(OperationError):
    """The archive is not whole, or of a newer version; the message says which."""


@dataclass(frozen=True)
class Archive:
    """How much was written, or read."""

    file_count: int
    byte_count: int  # of the parts, as they are kept


def write_archive(home: Path, folder: Path, seal: Seal, ledger: Path | None = None) -> Archive:
    """Make the folder the archive of this home; parts that are there already stay.

    `ledger` is put into the place of the home's own (default: a copy that SQLite makes). Nobody may
    write to the warehouse meanwhile.
    """
    parts = folder / PARTS
    parts.mkdir(parents=True, exist_ok=True)
    index, used = list[dict[str, object]](), dict[str, int]()
    copy = folder / f"{LEDGER}.copy"
    try:
        for name, path in _files(home, copy, ledger):
            hashes = []
            for piece in _pieces(path):
                sealed = seal.close(piece, PARTS)
                part = sha256(sealed).hexdigest()
                hashes.append(part)
                used[part] = len(sealed)
                if not (parts / part).exists():
                    (parts / part).write_bytes(sealed)
            mode = path.stat().st_mode & 0o777
            index.append({"path": name, "mode": mode, "parts": hashes})
    finally:
        copy.unlink(missing_ok=True)
    for path in parts.iterdir():
        if path.name not in used:
            path.unlink()
    words = json.dumps({"format": _FORMAT, "files": index}, ensure_ascii=False)
    sealed = seal.close(words.encode(), INDEX)
    (folder / INDEX).write_bytes(sealed)
    return Archive(len(index), sum(used.values()) + len(sealed))


def read_archive(folder: Path, home: Path, seal: Seal) -> Archive:
    """Put the files of the archive into the home, in place of those it has.

    Everything is opened before the first file is replaced.

    Raises:
        SealError: no key of the seal opens it.
        ArchiveError: it is not whole, or of a newer version.
    """
    if not (folder / INDEX).exists():
        raise ArchiveError("The state is not whole: its index is missing.")
    index = json.loads(seal.open((folder / INDEX).read_bytes(), INDEX))
    if index["format"] != _FORMAT:
        raise ArchiveError("The state is of a newer version of Daily Papers; update this one.")
    new = home / ".taken"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    total = 0
    for file in index["files"]:
        path = new / PurePosixPath(file["path"])
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY, file["mode"]), "wb") as out:
            for part in file["parts"]:
                sealed = _part(folder, part)
                total += len(sealed)
                out.write(seal.open(sealed, PARTS))
    clear(home)
    for each in new.iterdir():
        each.replace(home / each.name)
    new.rmdir()
    return Archive(len(index["files"]), total)


def holds_archive(folder: Path) -> bool:
    """Whether anything was ever written into this folder, be it whole or not."""
    return (folder / INDEX).exists() or (folder / PARTS).exists()


def clear(home: Path) -> None:
    """Remove from this home what an archive holds."""
    for name in (*FILES, LEDGER, f"{LEDGER}-wal", f"{LEDGER}-shm"):
        (home / name).unlink(missing_ok=True)
    for name in FOLDERS:
        shutil.rmtree(home / name, ignore_errors=True)


def holds_state(home: Path) -> bool:
    """Whether there is anything in this home that an archive would hold."""
    return any((home / name).exists() for name in (*FILES, LEDGER, *FOLDERS))


def copy_ledger(home: Path, to: Path) -> None:
    """Copy the mailing list as it is now, whoever writes to it meanwhile."""
    source, target = sqlite3.connect(home / LEDGER), sqlite3.connect(to)
    with closing(source), closing(target):
        source.backup(target)


def _part(folder: Path, name: str) -> bytes:
    try:
        return (folder / PARTS / name).read_bytes()
    except FileNotFoundError:
        raise ArchiveError(f"The state is not whole: the part {name} is missing.") from None


def _files(home: Path, copy: Path, ledger: Path | None) -> Iterator[tuple[str, Path]]:
    """The files of the home by their names in the archive, in a fixed order."""
    for name in FILES:
        if (home / name).exists():
            yield name, home / name
    if ledger is None and (home / LEDGER).exists():
        copy_ledger(home, copy)
        ledger = copy
    if ledger is not None:
        ledger.chmod(0o600)
        yield LEDGER, ledger
    for name in FOLDERS:
        for path in sorted((home / name).rglob("*")):
            if path.is_file():
                yield path.relative_to(home).as_posix(), path


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece
