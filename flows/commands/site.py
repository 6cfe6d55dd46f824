"""`papers site`: the public pages as files for any web host."""

from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.progress import track

from flows.outcome import EXIT_OK
from flows.settings import load_settings
from flows.site.folder import Done, write_site

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


def site(folder: Path, /) -> int:
    """The public pages as files for any web host; search runs in the page.

    Only what changed is written, and what is gone is removed. PAPERS_PUBLIC_URL is the address that
    feeds name; links between the pages work under any.

    Args:
        folder: an empty folder, or one that this command wrote.
    """

    def shown(chunks: Iterable[Done], total: int) -> Iterable[Done]:
        return track(chunks, "pages", total=total, console=errors, disable=not errors.is_terminal)

    report = write_site(load_settings(), folder, shown)
    console.print(f"{folder}: {report.sentence}", markup=False)
    return EXIT_OK
