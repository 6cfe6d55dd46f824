"""Export: a day, a week or a month as an issue, frozen under `issues/` the moment it is made.

published/papers.duckdb ──Digest──▶ issues/<date>-<edition>/{digest.html, .txt, .eml, issue.json}
"""

from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from flows import clock
from flows.deliver import deliver
from flows.issues.frozen import issue_files, write_files
from flows.mail_setup import open_mailing
from flows.mailing.database import MailingError
from flows.mailing.transports import TransportError
from flows.newsletter.digest import Edition
from flows.publication.issue_digest import issue_digest
from flows.runs.pool import start_shards
from flows.runs.progress import sending
from flows.settings import Settings
from flows.stage import stage


@dataclass(frozen=True)
class Export:
    """What readers get of a day: the issue's folder, and what became of the mail."""

    folder: Path | None
    made: str
    mail: str
    is_blocked: bool = False

    @property
    def sentence(self) -> str:
        """What was made, and what became of it."""
        return f"{self.made} {self.mail}".strip()


@stage
def export(issue_date: date, edition: Edition, quality_page: str, settings: Settings) -> Export:
    """The issue of this date, made once with its quality page, and sent to each reader once.

    What was sent stays: of an issue that exists only the rest of its mail goes out.
    """
    folder = settings.issue_folder(issue_date, edition)
    is_new = not folder.exists()
    if is_new:
        digest = issue_digest(settings, issue_date, edition)
        if digest is None:
            return Export(None, "", "No issue: its list has no paper any more.")
        quality = {"quality.html": quality_page.encode()}
        write_files(folder, issue_files(digest, settings) | quality)
    return mailed(folder, settings, is_new=is_new)


def mailed(folder: Path, settings: Settings, *, is_new: bool) -> Export:
    """The issue in this folder, once everyone whose turn it is has been sent it."""
    where = folder.relative_to(settings.home)
    made = f"The issue is {where}." if is_new else f"The issue exists already: {where}."
    try:
        with closing(open_mailing(settings)) as mailing:
            report = deliver(
                mailing,
                folder,
                settings,
                clock.utc_now(),
                on_progress=sending(),
                start_others=start_shards,
            )
    except (TransportError, MailingError) as error:
        return Export(folder, made, f"Mail is held: {error}", is_blocked=True)
    return Export(folder, made, report.sentence, report.is_blocked)
