"""Where commands speak: what was asked for on standard output, what is wrong on standard error."""

import os

from rich.console import Console


class PipedConsole(Console):
    """A console whose reader may go before the end, as `head` does."""

    def on_broken_pipe(self) -> None:
        """Say no more, and let the command do what it was asked for."""
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.file.fileno())
        os.close(nowhere)


console = PipedConsole(highlight=False, soft_wrap=True)
errors = PipedConsole(stderr=True, highlight=False, soft_wrap=True)
