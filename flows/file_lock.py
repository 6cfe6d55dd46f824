"""The one way to lock a file, so that of two processes one waits or steps back.

The lock ends with the process that holds it, whatever kills it; nothing is left to clean up.
"""

import fcntl
import os
from pathlib import Path
from typing import IO


def is_taken(file: IO[str] | int, *, shared: bool = False) -> bool:
    """Try to lock this open file, by oneself or with others that share; whether it is ours now."""
    mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(file, mode | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def holder(path: Path) -> str | None:
    """What the holder of the lock wrote into the file; None where nobody holds it."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor) as file:
        return None if is_taken(file, shared=True) else file.read()
