"""Words as SQL, where a statement takes no parameters."""

from pathlib import Path


def literal(words: str | Path) -> str:
    """Words or a path as SQL."""
    return "'" + str(words).replace("'", "''") + "'"
