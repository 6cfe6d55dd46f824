"""Ctrl-C while `papers` starts: one word and the end, whatever library is being imported.

Nothing has begun then, and Python's own answer would be a traceback out of that library, or none
where the library takes it for an import that fails. `cli.py` imports this before all others.
"""

import os
import signal
from threading import current_thread, main_thread
from types import FrameType


def _end(_signal: int, _frame: FrameType | None) -> None:
    os.write(2, b"Interrupted.\n")
    os._exit(130)  # outcome.EXIT_INTERRUPTED, which is not imported yet


def end_in_order() -> None:
    """Take SIGTERM for Ctrl-C: by itself it would leave Prefect's server and a half-told run."""
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL and current_thread() is main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def started() -> None:
    """Leave Ctrl-C to the command from here on."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


# Where it is ignored, as under nohup, it stays so; other threads cannot set it.
if (
    signal.getsignal(signal.SIGINT) is signal.default_int_handler
    and current_thread() is main_thread()
):
    signal.signal(signal.SIGINT, _end)
