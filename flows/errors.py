"""Errors that are no bugs: each is one sentence for the person who typed the command."""

import errno
from collections.abc import Iterator

from flows.outcome import EXIT_BLOCKED, EXIT_USAGE


class UsageError(ValueError):
    """An argument, a file or a setting that cannot be used; the message names it."""

    exit_code = EXIT_USAGE


class OperationError(RuntimeError):
    """Something that cannot be done now; the message says why, and the way out."""

    exit_code = EXIT_BLOCKED


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and those it came from, the innermost last."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def why_no_room(error: BaseException) -> str | None:
    """That the disk is full, in one sentence, where this is what an error goes back to; else None.

    Libraries tell it in errors of their own, with the system's among what they were raised from.
    """
    if any(_is_no_room(cause) for cause in causes(error)):
        return "The disk is full. Make room, and run this again; what was kept before stays."
    return None


def _is_no_room(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return True
    return any(words in str(error) for words in _NO_ROOM)


_NO_ROOM = ("No space left on device", "database or disk is full")
