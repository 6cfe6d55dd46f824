"""A digest as files to look at: for everyone, or as one subscriber would get it."""

from collections.abc import Sequence
from contextlib import closing
from datetime import date
from pathlib import Path

from flows.issues.frozen import issue_files
from flows.mail_setup import open_mailing, post
from flows.mailing.letters import letters
from flows.mailing.recipients import Reader
from flows.mailing.rules import choose
from flows.mailing.subscribers import RefusedError, Subscriber, find
from flows.newsletter.digest import Digest, Edition
from flows.newsletter.likeness import Likeness
from flows.newsletter.lint import lint
from flows.publication.issue_digest import issue_digest
from flows.publication.likeness import published_likeness
from flows.settings import Settings


def preview_files(
    settings: Settings, day: date, edition: Edition, address: str | None
) -> list[Path]:
    """The written files, the HTML first; [] where no paper is published or none was chosen.

    Raises:
        RefusedError: the address is not on the list.
        NotPublishedError: there is no publication yet.
    """
    digest = issue_digest(settings, day, edition)
    if digest is None:
        return []
    folder = settings.home / "preview" / f"{day}-{edition}"
    if address is None:
        files = issue_files(digest, settings)
    else:
        person = _subscriber(settings, address)
        likeness = published_likeness(settings)
        chosen = choose(digest, person.rule, likeness)
        if not chosen.papers:
            return []
        letter = _letter(digest, person, settings, likeness)
        files = issue_files(chosen, settings) | {"digest.eml": letter}
        folder = folder.with_name(f"{folder.name}-{person.public_id}")
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]


def _subscriber(settings: Settings, address: str) -> Subscriber:
    with closing(open_mailing(settings)) as mailing:
        person = find(mailing, address)
    if person is None or person.address is None:
        raise RefusedError(f"{address} is not on the list.")
    return person


def _letter(digest: Digest, person: Subscriber, settings: Settings, likeness: Likeness) -> bytes:
    compose = letters(digest, post(settings), likeness, sent_at=digest.proof.read_at)
    letter = compose(person.rule)
    if letter is None:
        raise RefusedError(f"Nothing of {digest.issue_date} matches the choice of this address.")
    reader = Reader(person.id, person.public_id, person.address or "", person.rule, person.rule.key)
    return letter(reader)


def findings_of(files: Sequence[Path]) -> list[str]:
    """What the mails among these files lack of what lists owe their readers."""
    return [line for f in files if f.suffix == ".eml" for line in lint(f.read_bytes())]
