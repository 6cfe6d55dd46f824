"""`python -m flows` is `papers`."""

from flows.commands.cli import main

main()
