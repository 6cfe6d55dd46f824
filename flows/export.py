"""Export: the digest of a day as an issue, frozen under `issues/` the moment it is made.

published/papers.duckdb ──Digest──▶ issues/<date>-daily/{digest.html, .txt, .eml, issue.json}
"""

import json
import shutil
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from flows import clock
from flows.deliver import deliver, open_mailing, post
from flows.mailing.database import MailingError
from flows.mailing.transports import TransportError
from flows.newsletter.digest import Digest, Edition
from flows.newsletter.message import message
from flows.newsletter.render import Rendering, Site, public, render
from flows.progress import sending
from flows.published import read_digest
from flows.quality_page import quality_page_path
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


def issue_folder(settings: Settings, day: date, edition: Edition = "daily") -> Path:
    """Where the issue of a day, or of the week or month that ends on it, is or will be."""
    return settings.issues_path / f"{day}-{edition}"


def issue_files(digest: Digest, settings: Settings) -> dict[str, bytes]:
    """The files of an issue by name; the same digest and settings give the same bytes."""
    rendering = public(render(digest, Site(settings.public_url)))
    return {
        "digest.html": rendering.html.encode(),
        "digest.txt": rendering.text.encode(),
        "digest.eml": _mail(digest, rendering, settings),
        "issue.json": json.dumps(
            {"subject": rendering.subject} | asdict(digest),
            default=str,
            ensure_ascii=False,
            indent=1,
        ).encode(),
    }


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder of files so that it is there whole or not at all, whatever is killed."""
    new = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    for name, content in files.items():
        (new / name).write_bytes(content)
    new.rename(folder)


def _mail(digest: Digest, rendering: Rendering, settings: Settings) -> bytes:
    shared = post(settings)
    mail = message(
        rendering,
        sender=settings.mail_from,
        to=None,
        message_id=f"<{digest.edition}.{digest.issue_date}@{shared.domain}>",
        date=digest.proof.read_at,
        list_id=shared.list_id,
        unsubscribe=None,
    )
    return mail.as_bytes()
