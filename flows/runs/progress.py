"""How far long work has come: a bar on the terminal, an artifact in Prefect."""

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from flows.runs.names import artifact_key

T = TypeVar("T")


def track(things: Iterable[T], total: int, doing: str) -> Iterator[T]:
    """The things one by one, while a bar says how many are done and how long the rest takes."""
    if not total:
        return
    artifact = create_progress_artifact(progress=0.0, description=doing)
    columns = (TextColumn(doing), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(doing, total=total)
        for done, thing in enumerate(things, 1):
            yield thing
            bar.advance(task)
            if isinstance(artifact, UUID) and (done == total or done % max(total // 20, 1) == 0):
                update_progress_artifact(artifact, progress=100 * done / total)


def sending() -> Callable[[int, int], None]:
    """What shows how many of all readers were tried; no address comes this way."""
    shown: list[UUID] = []

    def show(tried: int, total: int) -> None:
        progress = 100 * tried / total if total else 100.0
        said = f"{tried:,} of {total:,} readers"
        if shown:
            update_progress_artifact(shown[0], progress=progress, description=said)
        else:
            made = create_progress_artifact(progress, key=artifact_key("sending"), description=said)
            shown.extend([made] if isinstance(made, UUID) else [])

    return show
