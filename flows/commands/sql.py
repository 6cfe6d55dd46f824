"""`papers sql`: the published file asked in SQL, by one query or line by line."""

import sys
from functools import partial
from pathlib import Path
from typing import Literal

from flows.commands.brought import published_path
from flows.commands.console import console, errors
from flows.outcome import EXIT_OK, EXIT_USAGE
from flows.settings import load_settings


def sql(
    query: str | None = None,
    /,
    *,
    format: Literal["table", "csv", "json", "parquet"] = "table",
    output: Path | None = None,
    examples: bool = False,
) -> int:
    """Ask the published file in SQL; read-only. Without a query on a terminal, a shell.

    Args:
        query: SQL; without it, it is read from the standard input.
        format: how the answer is given.
        output: the file to write the answer to (default: the standard output).
        examples: print questions to begin with, and their SQL.
    """
    from flows.publication.query import answer, published

    path = published_path(load_settings())
    say = partial(console.print, markup=False)
    if examples:
        from flows.commands.shell import examples_text

        say(examples_text())
        return EXIT_OK
    if query is None and sys.stdin.isatty():
        from flows.commands.shell import shell

        shell(path, path.parents[1] / "sql_history", say)
        return EXIT_OK
    if format == "parquet" and output is None and sys.stdout.isatty():
        errors.print("Parquet is not for a terminal; name a file with --output, or redirect it.")
        return EXIT_USAGE
    with published(path) as connection:
        said = answer(connection, sys.stdin.read() if query is None else query, format)
    if output is not None:
        try:
            output.write_bytes(said)
        except OSError as error:
            errors.print(f"{output} cannot be written: {error.strerror}.", markup=False)
            return EXIT_USAGE
    elif format == "parquet":
        sys.stdout.buffer.write(said)
    else:
        console.file.write(said.decode())
    return EXIT_OK
