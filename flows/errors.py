"""What can go wrong without being a bug: each error is one sentence for who typed the command."""


class UsageError(ValueError):
    """A word, a file or a setting that cannot be used; the message names it. Exit code 2."""


class OperationError(RuntimeError):
    """Something that cannot be done now; the message says why, and the way out. Exit code 1."""
