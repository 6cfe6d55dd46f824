"""`papers migrate`: a file warehouse into a lake, and back."""

from pathlib import Path
from typing import Literal

from flows.commands.console import console
from flows.outcome import EXIT_OK
from flows.settings import load_settings


def migrate(to: Literal["lake", "file"], /, file: Path | None = None) -> int:
    """A file warehouse into the lake that PAPERS_WAREHOUSE names, or that lake into a file.

    All of it or nothing, every table proven equal; what is copied stays as it is.

    Args:
        to: lake or file.
        file: the warehouse file (default: warehouse.duckdb in PAPERS_HOME).
    """
    from flows.warehouse.migration import into_file, into_lake

    settings = load_settings()
    copied = (into_lake if to == "lake" else into_file)(
        settings, (file or settings.home / "warehouse.duckdb").absolute()
    )
    console.print(copied.sentence, markup=False)
    return EXIT_OK
