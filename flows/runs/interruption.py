"""Ctrl-C: a run ends at its next safe point, or four seconds later wherever it is.

Python raises KeyboardInterrupt at any place, and libraries lose it, or end half-way with pages of
traceback. Here it only sets a mark, except while the run waits for the Hub, where it raises at
once. A run that cannot end by itself in time is ended as a kill would end it, which every stage
survives.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread, Timer, current_thread, main_thread
from types import FrameType

from rich.console import Console

from flows.outcome import EXIT_INTERRUPTED

SENTENCE = "Interrupted. What was read is kept, and the same command goes on from there."
GRACE_SECONDS = 4.0
_asked, _awaiting = Event(), Event()
_done_at_once: list[Callable[[], object]] = []


@contextmanager
def noting_ctrl_c(first: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Only note Ctrl-C in this block, for its safe points; `first` is called the first time."""
    if current_thread() is not main_thread():  # only there signals can be handled
        yield
        return

    def note(_signal: int, _frame: FrameType | None) -> None:
        if not _asked.is_set():
            _asked.set()
            first()
            for step in _done_at_once:
                Thread(target=step, daemon=True).start()
        if _awaiting.is_set():
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        _asked.clear()


@contextmanager
def ending_by_ctrl_c(console: Console) -> Iterator[None]:
    """Let Ctrl-C end the run in this block; `console` is where a forced end says so."""

    def end() -> None:
        console.print(SENTENCE)
        # Prefect stops its temporary server when Python ends; this end is none that it sees.
        if module := sys.modules.get("prefect.server.api.server"):
            module.SubprocessASGIServer().stop()
        os._exit(EXIT_INTERRUPTED)

    timer = Timer(GRACE_SECONDS, end)
    timer.daemon = True
    with noting_ctrl_c(timer.start):
        try:
            yield
        finally:
            timer.cancel()


@contextmanager
def doing_at_ctrl_c(step: Callable[[], object]) -> Iterator[None]:
    """Do this, in a thread of its own, as soon as Ctrl-C is pressed in this block.

    For what others must know even where the run is then ended before it comes to a safe point.
    """
    _done_at_once.append(step)
    try:
        yield
    finally:
        _done_at_once.remove(step)


def safe_point() -> None:
    """End here if Ctrl-C asked for it: nothing is half-done. Raises KeyboardInterrupt."""
    if _asked.is_set():
        raise KeyboardInterrupt


@contextmanager
def awaiting() -> Iterator[None]:
    """Let Ctrl-C end what this block waits for. Raises KeyboardInterrupt."""
    _awaiting.set()
    try:
        safe_point()
        yield
    finally:
        _awaiting.clear()
