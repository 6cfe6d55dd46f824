"""`python -m flows` is `papers`."""

from flows.cli import main

main()
