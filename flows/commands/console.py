"""Where commands speak: what was asked for on standard output, what is wrong on standard error."""

import os
import select
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console


class PipedConsole(Console):
    """A console whose reader may go before the end, as `head` does."""

    def on_broken_pipe(self) -> None:
        """Say no more, and let the command do what it was asked for."""
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.file.fileno())
        os.close(nowhere)

    @contextmanager
    def while_it_is_read(self) -> Iterator[None]:
        """End this block where nobody reads any more what it writes past this console."""
        try:
            yield
            self.file.flush()
        except BrokenPipeError:
            if not self._is_left():  # another line broke, and that is an error
                raise
            self.on_broken_pipe()

    def _is_left(self) -> bool:
        line = select.poll()
        line.register(self.file.fileno(), 0)
        return any(event & select.POLLERR for _, event in line.poll(0))


console = PipedConsole(highlight=False, soft_wrap=True)
errors = PipedConsole(stderr=True, highlight=False, soft_wrap=True)
