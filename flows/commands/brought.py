"""What is published, brought to this host first where another one published something newer."""

from pathlib import Path

from rich.console import Console

from flows.errors import OperationError
from flows.settings import Settings

errors = Console(stderr=True, highlight=False, soft_wrap=True)


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
