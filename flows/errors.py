"""Errors that are no bugs: each is one sentence for the person who typed the command."""

from flows.outcome import EXIT_BLOCKED, EXIT_USAGE


class UsageError(ValueError):
    """An argument, a file or a setting that cannot be used; the message names it."""

    exit_code = EXIT_USAGE


class OperationError(RuntimeError):
    """Something that cannot be done now; the message says why, and the way out."""

    exit_code = EXIT_BLOCKED
