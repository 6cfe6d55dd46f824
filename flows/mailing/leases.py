"""Which senders are alive: each holds a lock that is dropped when its process dies.

A claim names the lease of its sender. After `kill -9` nobody is left to give the claim back, but
the lock is gone at once, and the next run can tell a dead sender's claims from a slow one's.

SQLite syncs each page of claims to the disk, but not each message: that would halve their rate.
After a power cut it may not know how far the page got. So a lease also names the boot it was taken
in, and of one from another boot every claim is in doubt.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from sqlalchemy import text

from flows.file_lock import lock, try_to_lock
from flows.mailing.database import BOOT_ID_FILE, Mailing


@contextmanager
def lease(mailing: Mailing) -> Iterator[int]:
    """Give a number that `is_alive` until the block, or the process, ends."""
    number = _boot() << 31 | secrets.randbits(31)
    if (path := _lock_file(mailing, number)) is None:
        with mailing.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("select pg_advisory_lock(:number)"), {"number": number})
            try:
                yield number
            finally:
                connection.execute(text("select pg_advisory_unlock(:number)"), {"number": number})
        return
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        lock(handle)
        yield number
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def is_alive(mailing: Mailing, number: int) -> bool:
    """Whether the sender that took this lease still runs."""
    if (path := _lock_file(mailing, number)) is None:
        with mailing.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            bound = {"number": number}
            if not connection.scalar(text("select pg_try_advisory_lock(:number)"), bound):
                return True
            connection.execute(text("select pg_advisory_unlock(:number)"), bound)
            return False
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        if not try_to_lock(handle):
            return True
        path.unlink(missing_ok=True)
        return False
    finally:
        os.close(handle)


def is_certain(mailing: Mailing, number: int) -> bool:
    """Whether every row that this sender committed is still in the ledger.

    Its commits are not synced to the disk: SQLite may have lost some where the machine went down.
    """
    return mailing.file is None or number >> 31 == _boot()


def _boot() -> int:
    """A number for this boot of this machine, 31 bits; 0 where there is none to be had."""
    if not BOOT_ID_FILE.exists():
        return 0
    return int.from_bytes(sha256(BOOT_ID_FILE.read_bytes()).digest()[:4]) >> 1


def _lock_file(mailing: Mailing, number: int) -> Path | None:
    file = mailing.file
    return None if file is None else file.with_name(f"{file.name}-sender-{number}")
