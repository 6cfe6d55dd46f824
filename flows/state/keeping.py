"""The state of a machine that is wiped after each run: taken, claimed, kept, and given back.

branch ──take──▶ home, claimed        home ──keep──▶ branch        home ──give back──▶ branch, free

Who mails keeps a copy first whose ledger has every message in doubt. If the run is killed, that
copy is what the next one finds: the operator decides, and nobody gets a mail twice.
"""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from flows import clock
from flows.errors import OperationError, UsageError
from flows.mailing.database import Mailing, open_mailing_database
from flows.mailing.doubts import doubt_all
from flows.mailing.ledger_issues import Issue
from flows.mailing.sent_log import SentLog
from flows.outcome import EXIT_LATER
from flows.settings import Settings
from flows.state.archive import (
    LEDGER,
    Archive,
    clear,
    copy_ledger,
    holds_archive,
    holds_state,
    read_archive,
    write_archive,
)
from flows.state.branch import Branch
from flows.state.seal import Seal, seal_of

# A run that is killed holds the state for so long: longer than any may last (the workflow's
# timeout-minutes), and counted anew from each time that it keeps something.
CLAIM = timedelta(minutes=90)
_FOLDER, _CLAIM, _MAILING = "state", "claim.json", "mailing"
_README = """\
The state of Daily Papers, sealed: every reading, the issues as sent, the mailing list, its ledger.
`papers state take` brings it into a home. Do not edit this branch: its runs replace it.
"""


class StateError(UsageError):
    """The state cannot be used as asked; the message names the way out."""


class StateClaimedError(OperationError):
    """Another run goes on from the state now; the message says which, and until when."""

    exit_code = EXIT_LATER


class NotClaimedError(OperationError):
    """Mail would leave from a state that others may mail from as well."""


@dataclass(frozen=True)
class Mailed:
    """A mailing that began when the state was kept: what became of so many messages is unknown."""

    edition: str
    issue_date: str
    count: int

    @property
    def sentence(self) -> str:
        """What nobody knows, and the operator's command."""
        edition = "" if self.edition == "daily" else f" --edition {self.edition}"
        return (
            f"A run ended while it mailed the {self.edition} issue of {self.issue_date}: whether"
            f" {self.count:,} readers have it, nobody knows, and by itself nothing goes to them"
            f" again. `papers state run issue resume {self.issue_date}{edition} --again unknown`"
            " sends it to them; who has it already gets it twice."
        )


@dataclass(frozen=True)
class Taken:
    """What the branch held: nothing yet (`archive` is None), or the state and what is in doubt."""

    archive: Archive | None
    in_doubt: Mailed | None = None

    @property
    def sentence(self) -> str:
        """How much was taken."""
        if self.archive is None:
            return "There is no state yet: this run begins one."
        size = f"{self.archive.byte_count / 1e6:,.1f} MB"
        return f"The state was taken: {self.archive.file_count:,} files, {size}."


def take(settings: Settings) -> Taken:
    """Bring the state into the home, in place of what an earlier call brought; claims nothing.

    Raises:
        StateError, SealError: the settings or the home cannot be used; nothing was changed.
        BranchError, ArchiveError: the state cannot be had.
    """
    branch, seal = _branch(settings), seal_of(settings.state_key)
    if holds_state(settings.home) and not branch.folder.exists():
        raise StateError(
            f"{settings.home} holds a warehouse or a mailing list that is none of the state's; name"
            " an empty folder in PAPERS_HOME."
        )
    # A first run that was killed leaves its claim and no more.
    if branch.fetch() is None or not holds_archive(branch.folder):
        clear(settings.home)
        return Taken(None)
    in_doubt = _mailed(branch.folder, seal)
    archive = read_archive(branch.folder, settings.home, seal)
    # It is no copy from a backup: the branch has one newest state, and nobody mails but from it.
    SentLog(settings.sent_log_path).go_on()
    return Taken(archive, in_doubt)


def claim(settings: Settings) -> None:
    """Be the one who goes on from the state that was taken.

    Raises:
        StateClaimedError: somebody else is. BranchMovedError: somebody else was faster.
    """
    branch, now = _branch(settings), clock.utc_now()
    path = branch.folder / _CLAIM
    if path.exists():
        found = json.loads(path.read_text())
        until = datetime.fromisoformat(found["until"])
        if now < until:
            raise StateClaimedError(
                f"{found['by']} goes on from the state, and this one steps back; if that was"
                f" killed, the state is free from {until:%H:%M} UTC on."
            )
    _write_claim(branch.folder, now)
    (branch.folder / "README.md").write_text(_README)
    branch.replace("claimed")


def keep(settings: Settings) -> Archive:
    """Keep the home as the newest state; the claim lasts on.

    Raises:
        BranchMovedError: another run has taken over. NotClaimedError: the state was never claimed.
        BranchError: the repository cannot be reached, or refuses.
    """
    folder = _claimed(settings)
    archive = _write_state(settings, folder)
    _write_claim(folder, clock.utc_now())
    _branch(settings).replace("kept")
    return archive


def give_back(settings: Settings) -> Archive:
    """Keep the home as the newest state, for whoever claims it next. Raises as `keep` does."""
    folder = _claimed(settings)
    archive = _write_state(settings, folder)
    (folder / _CLAIM).unlink()
    _branch(settings).replace("kept")
    return archive


def _write_state(settings: Settings, folder: Path) -> Archive:
    """The home as it is, with a ledger that is true: no mailing is in doubt any more."""
    (folder / _MAILING).unlink(missing_ok=True)
    return write_archive(settings.home, folder, seal_of(settings.state_key))


def keep_before_mail(
    settings: Settings, mailing: Mailing, issue: Issue, *, is_new_begun: bool, now: datetime
) -> None:
    """Keep a state in which every message that may leave next is in doubt.

    Raises as `keep` does.
    """
    folder = _claimed(settings)
    if mailing.file is None:  # PostgreSQL is not wiped
        keep(settings)
        return
    with _doubtful_ledger(settings.home) as ledger:
        with closing(open_mailing_database(ledger)) as copy:
            count = doubt_all(copy, issue, is_new_begun=is_new_begun, now=now)
        if not count:
            return
        seal = seal_of(settings.state_key)
        mailed = Mailed(issue.edition, str(issue.issue_date), count)
        (folder / _MAILING).write_bytes(seal.close(json.dumps(asdict(mailed)).encode(), _MAILING))
        write_archive(settings.home, folder, seal, ledger)
    _write_claim(folder, clock.utc_now())
    _branch(settings).replace("kept before a mailing")


@contextmanager
def _doubtful_ledger(home: Path) -> Iterator[Path]:
    """A copy of the mailing list to write into, and one file again when it is closed."""
    copy = home / f".{LEDGER}.doubt"
    sides = [copy.with_name(copy.name + side) for side in ("", "-wal", "-shm")]
    try:
        copy_ledger(home, copy)
        yield copy
    finally:
        for path in sides:
            path.unlink(missing_ok=True)


def _claimed(settings: Settings) -> Path:
    """The working copy of the branch, which this home has claimed. Raises NotClaimedError."""
    folder = _branch(settings).folder
    if not (folder / _CLAIM).exists():
        raise NotClaimedError(
            "PAPERS_STATE_URL is set, and this home has not claimed that state: begin the command"
            " with `papers state run`."
        )
    return folder


def _write_claim(folder: Path, now: datetime) -> None:
    number = os.environ.get("GITHUB_RUN_NUMBER")
    by = f"Run {number} of the workflow" if number else "A command at a terminal"
    # The mark makes each claim a commit of its own: two alike would both be taken for one's own.
    words = {"by": by, "until": (now + CLAIM).isoformat(), "mark": secrets.token_hex(8)}
    (folder / _CLAIM).write_text(json.dumps(words))


def _mailed(folder: Path, seal: Seal) -> Mailed | None:
    path = folder / _MAILING
    return Mailed(**json.loads(seal.open(path.read_bytes(), _MAILING))) if path.exists() else None


def _branch(settings: Settings) -> Branch:
    if settings.state_url is None:
        raise StateError(
            "PAPERS_STATE_URL is not set: name the git repository whose branch `state` keeps the"
            " state."
        )
    return Branch(settings.state_url, settings.home / _FOLDER)
