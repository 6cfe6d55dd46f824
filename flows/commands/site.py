"""`papers site`: the public pages as files for any web host."""

from collections.abc import Iterable
from pathlib import Path

from rich.progress import track

from flows.commands.brought import published_path
from flows.commands.console import console, errors
from flows.outcome import EXIT_OK
from flows.runs.interruption import noting_ctrl_c, safe_point
from flows.settings import Settings, load_settings
from flows.site.folder import Done, SiteError, write_site


def site(folder: str, /) -> int:
    """The public pages as files for any web host; search runs in the page.

    Only what changed is written, and what is gone is removed. PAPERS_PUBLIC_URL is the address that
    feeds name; links between the pages work under any.

    Args:
        folder: an empty folder, or one that this command wrote.
    """

    def shown(chunks: Iterable[Done], total: int) -> Iterable[Done]:
        terminal = errors.is_terminal
        for chunk in track(chunks, "pages", total=total, console=errors, disable=not terminal):
            safe_point()
            yield chunk

    if not folder.strip():
        raise SiteError("The name of the folder is empty; name one for the pages.")
    settings = load_settings()
    published_path(settings)
    with noting_ctrl_c():
        report = write_site(settings, Path(folder), shown)
    console.print(f"{folder}: {report.sentence}", markup=False)
    if settings.public_url == Settings.model_fields["public_url"].default:
        errors.print(
            f"The feeds name {settings.public_url}: set PAPERS_PUBLIC_URL to the site's address.",
            markup=False,
        )
    return EXIT_OK
