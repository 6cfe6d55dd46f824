"""Export: the digest of a day as an issue, frozen under `issues/` the moment it is made.

published/papers.duckdb ──Digest──▶ issues/<date>-daily/{digest.html, .txt, .eml, issue.json}
"""

from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from flows import clock
from flows.deliver import deliver
from flows.issues.frozen import issue_files, issue_folder, write_files
from flows.mail_setup import open_mailing
from flows.mailing.database import MailingError
from flows.mailing.transports import TransportError
from flows.publication.published import read_digest
from flows.quality.day_page import quality_page_path
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
def export(day: date, settings: Settings) -> Export:
    """The issue of this day, made once, and sent to each reader once; what was sent stays."""
    folder = issue_folder(settings, day)
    is_new = not folder.exists()
    if is_new:
        digest = read_digest(settings.published_path, day)
        if digest is None:
            return Export(None, "", "No issue: earlier issues carried every paper of the day.")
        quality_page = quality_page_path(settings, day).read_bytes()
        write_files(folder, issue_files(digest, settings) | {"quality.html": quality_page})
    return mailed(folder, settings, is_new=is_new)


def mailed(folder: Path, settings: Settings, *, is_new: bool) -> Export:
    """The issue in this folder, once everyone whose turn it is has been sent it."""
    where = folder.relative_to(settings.home)
    made = f"The issue is {where}." if is_new else f"The issue exists already: {where}."
    try:
        with closing(open_mailing(settings)) as mailing:
            report = deliver(mailing, folder, settings, clock.utc_now(), on_progress=sending())
    except (TransportError, MailingError) as error:
        return Export(folder, made, f"Mail is held: {error}", is_blocked=True)
    return Export(folder, made, report.sentence, report.is_blocked)
