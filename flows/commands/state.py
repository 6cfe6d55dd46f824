"""`papers state …`: where each run's machine is wiped, what the next one goes on from."""

from typing import Annotated

from cyclopts import App, Parameter

from flows.commands.console import console, errors
from flows.outcome import EXIT_BLOCKED, EXIT_OK, EXIT_USAGE
from flows.settings import load_settings
from flows.state.keeping import claim, give_back
from flows.state.keeping import take as taken

state = App(name="state", help="What a wiped machine goes on from.")
# What takes the state itself, or never ends.
_NOT_WITHIN = {"state", "serve", "web", "mcp", "demo"}


@state.command
def take() -> int:
    """Bring the state into PAPERS_HOME, to look at it or to go on from it with a server."""
    console.print(taken(load_settings()).sentence, markup=False)
    return EXIT_OK


@state.command
def run(*command: Annotated[str, Parameter(allow_leading_hyphen=True)]) -> int:
    """Take the state, run a command of `papers` on it (default: catch-up), and keep the state.

    Of two at once one steps back. What it exits with is what the command does.

    Args:
        command: the command and its arguments.
    """
    from flows.commands.cli import answer

    words = list(command) or ["catch-up"]
    if words[0] in _NOT_WITHIN:
        errors.print(f"`papers {words[0]}` does not go on from a state; name another command.")
        return EXIT_USAGE
    settings = load_settings()
    found = taken(settings)
    claim(settings)
    console.print(found.sentence, markup=False)
    try:
        code = answer(words)
    finally:
        archive = give_back(settings)
    console.print(
        f"The state was kept: {archive.file_count:,} files, {archive.byte_count / 1e6:,.1f} MB.",
        markup=False,
    )
    if found.in_doubt:
        errors.print(found.in_doubt.sentence, markup=False)
        code = code or EXIT_BLOCKED
    return code
