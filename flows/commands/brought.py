"""What is published, brought to this host first where another one published something newer."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

from flows.commands.console import errors
from flows.errors import OperationError
from flows.settings import Settings

# How long the pages of a host that does not write may lag behind the host that does.
EVERY_SECONDS = 300.0


def published_path(settings: Settings) -> Path:
    """The published file of this home, as new as any host of its lake has one.

    Where that cannot be had now, the one that is here is as good as it gets, and a line says why.
    """
    from flows.publication.newer import newer_elsewhere

    try:
        if newer_elsewhere(settings):
            from flows.publish import fetch

            fetch(settings)
    except OperationError as error:
        if not settings.published_path.exists():
            raise
        errors.print(f"What is published here may not be the newest: {error}", markup=False)
    return settings.published_path


@contextmanager
def brought_again_and_again(settings: Settings) -> Iterator[None]:
    """Bring what other hosts publish every EVERY_SECONDS while the block runs."""
    is_over = Event()

    def bring() -> None:
        while not is_over.wait(EVERY_SECONDS):
            with suppress(OperationError):
                published_path(settings)

    thread = Thread(target=bring, name="bringing what is published", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
