"""Errors that are no bugs: each is one sentence for the person who typed the command."""

import errno

from flows.outcome import EXIT_BLOCKED, EXIT_USAGE


class UsageError(ValueError):
    """An argument, a file or a setting that cannot be used; the message names it."""

    exit_code = EXIT_USAGE


class OperationError(RuntimeError):
    """Something that cannot be done now; the message says why, and the way out."""

    exit_code = EXIT_BLOCKED


def why_no_room(error: BaseException) -> str | None:
    """That the disk is full, in one sentence, where this is what an error goes back to; else None.

    Libraries tell it in errors of their own, with the system's among what they were raised from.
    """
    causes: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in causes:
        causes.append(each)
        each = each.__cause__ or each.__context__
    if any(isinstance(each, OSError) and each.errno in _NO_ROOM for each in causes) or any(
        words in str(each) for each in causes for words in _NO_ROOM_IN_WORDS
    ):
        return "The disk is full. Make room, and run this again; what was kept before stays."
    return None


_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_NO_ROOM_IN_WORDS = ("No space left on device", "database or disk is full")
