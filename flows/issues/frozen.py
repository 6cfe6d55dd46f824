"""An issue as a folder of files, frozen the moment it is made: how it is written and read.

Digest ──▶ issues/<date>-<edition>/{digest.html, digest.txt, digest.eml, issue.json}
"""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from pydantic import TypeAdapter

from flows.issues.periods import last_day
from flows.mail_setup import post
from flows.newsletter.digest import UNITS, Digest
from flows.newsletter.message import message
from flows.newsletter.render import public, render
from flows.settings import Settings

# The name of an issue's folder. Whatever else lies among them, or is asked for by an address, is
# none; [0-9] because \d takes any script's digits.
ISSUE_NAME = re.compile(rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}-({'|'.join(UNITS)})")


def frozen_digest(folder: Path) -> Digest:
    """The digest of an issue as it was made; its letters are rendered from this alone."""
    return TypeAdapter(Digest).validate_json((folder / "issue.json").read_bytes())


def earlier_issues(settings: Settings, digest: Digest) -> tuple[Digest, ...]:
    """The issues of the same edition that carried papers of this one before, as they were made."""
    edition = digest.edition
    dates = {last_day(edition, day) for paper in digest.papers for day in paper.listed_before}
    folders = (settings.issue_folder(day, edition) for day in sorted(dates - {digest.issue_date}))
    return tuple(frozen_digest(each) for each in folders if (each / "issue.json").exists())


def issue_files(digest: Digest, settings: Settings) -> dict[str, bytes]:
    """The files of an issue by name; the same digest and settings give the same bytes.

    The page and the text are no mail, so they show every paper, however long the list is.
    """
    shared = post(settings)
    page = public(render(digest, shared.site, limit_bytes=None))
    mail = message(
        public(render(digest, shared.site)),
        sender=shared.sender,
        to=None,
        message_id=f"<{digest.edition}.{digest.issue_date}@{shared.domain}>",
        date=digest.proof.read_at,
        list_id=shared.list_id,
        unsubscribe=None,
    )
    return {
        "digest.html": page.html.encode(),
        "digest.txt": page.text.encode(),
        "digest.eml": mail.as_bytes(),
        "issue.json": json.dumps(
            {"subject": page.subject} | asdict(digest),
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
