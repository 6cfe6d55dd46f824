"""Errors that are no bugs: each is one sentence for the person who typed the command."""


class UsageError(ValueError):
    """An argument, a file or a setting that cannot be used; the message names it."""

    exit_code = 2


class OperationError(RuntimeError):
    """Something that cannot be done now; the message says why, and the way out."""

    exit_code = 1
