"""How far long work has come: a bar on the terminal, an artifact in Prefect."""

import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from prefect import get_run_logger
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    RenderableColumn,
    TextColumn,
    TimeRemainingColumn,
)

from flows.runs.interruption import safe_point
from flows.runs.names import artifact_key
from flows.runs.terminal import SHOWN

TOLD_EVERY = 30.0  # seconds
SHOWN_EVERY = 2.0  # seconds; an update is a request to Prefect's server
T = TypeVar("T")


def track(
    things: Iterable[T], total: int, doing: str, note: Callable[[], str] = str
) -> Iterator[T]:
    """The things one by one, while a bar says how many are done and how long the rest takes.

    Where there is no terminal to draw it on, a line in the log says so every half a minute. Both
    end with the `note`, which is asked anew each time.
    """
    if not total:
        return
    began = told = shown = time.monotonic()
    artifact = create_progress_artifact(progress=0.0, description=doing)
    columns = (
        *(TextColumn(doing), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()),
        RenderableColumn(_Note(note)),
    )
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(doing, total=total)
        for done, thing in enumerate(things, 1):
            safe_point()
            yield thing
            bar.advance(task)
            now = time.monotonic()
            if not console.is_terminal and now - told >= TOLD_EVERY:
                told = now
                left = (now - began) / done * (total - done)
                line = f"{doing}: {done:,} of {total:,}, about {math.ceil(left / 60)} min left"
                line = "; ".join(filter(None, (line, note())))
                get_run_logger().info(line, extra={SHOWN: True})
            if isinstance(artifact, UUID) and (done == total or now - shown >= SHOWN_EVERY):
                shown = now
                update_progress_artifact(artifact, progress=100 * done / total)


@dataclass(frozen=True)
class _Note:
    """What `say` says whenever the bar is drawn, also while nothing moves it on."""

    say: Callable[[], str]

    def __rich__(self) -> str:
        return self.say()


def sending() -> Callable[[int, int], None]:
    """What shows how many of all readers were tried; no address comes this way."""
    shown: list[UUID] = []

    def show(tried: int, total: int) -> None:
        safe_point()
        progress = 100 * tried / total if total else 100.0
        said = f"{tried:,} of {total:,} readers"
        if shown:
            update_progress_artifact(shown[0], progress=progress, description=said)
        else:
            made = create_progress_artifact(progress, key=artifact_key("sending"), description=said)
            shown.extend([made] if isinstance(made, UUID) else [])

    return show
