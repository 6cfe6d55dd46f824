"""The one way to lock a file, so that of two processes one waits or steps back.

The lock ends with the process that holds it, whatever kills it; nothing is left to clean up.
"""

import fcntl
import os
from pathlib import Path
from typing import IO


def lock(file: IO[str] | int) -> None:
    """Lock this open file, and wait for whoever holds it."""
    fcntl.flock(file, fcntl.LOCK_EX)


def try_to_lock(file: IO[str] | int, *, shared: bool = False) -> bool:
    """Lock this open file, alone or with others that share it; False where somebody holds it."""
    mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(file, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def words_of_holder(path: Path) -> str | None:
    """What the holder of the lock wrote into the file; None where nobody holds it."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor) as file:
        return None if try_to_lock(file, shared=True) else file.read()
