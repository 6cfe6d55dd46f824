"""What was mailed, told a second time beside the ledger: a short line an issue in `mailed.log`.

A ledger restored from a backup does not know who was mailed since. What the age of issues and
newer issues do not stop, this does: an issue whose ledger knows of fewer messages than the log, and
every issue from before the log itself was restored. The operator can send them all the same.

    2026-08-21T02:31:07.120000+00:00 daily 2026-08-20 412
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flows.mailing.ledger_issues import DONE, Issue

# Between the time in a line and the moment the file system gives the write; more, and it is a copy.
_SLOWNESS = timedelta(seconds=10)
_RELAYED = "relayed"
# A full disk or a killed machine may leave half a line; what it said is not known then.
_LINE = re.compile(r"\S+\+00:00 (begun|taken|relayed|\w+ \d{4}-\d\d-\d\d \d+)")


@dataclass(frozen=True)
class SentLog:
    """The log of one home; no address is in it, and no backup needs it."""

    path: Path

    def begin(self, *, is_new: bool) -> None:
        """Make the log where there is none; where the ledger is not new, it must have been lost."""
        if self.path.exists():
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if is_new:
            self._append("begun")
        else:
            self.path.touch(mode=0o600)

    def doubt(self, issue: Issue, entry_count: Callable[[], int]) -> str | None:
        """Why the ledger cannot be believed about this issue, or None.

        Its entries are counted after the log is read: other senders may add to both meanwhile.
        """
        restored_at = self._restored_at()
        is_after = restored_at is None or issue.due_at > restored_at or issue.state == DONE
        return self.knows_more(issue, entry_count) or (None if is_after else _doubt(issue))

    def knows_more(self, issue: Issue, entry_count: Callable[[], int]) -> str | None:
        """Why the ledger must have lost entries of this issue, or None."""
        name = [issue.edition, str(issue.issue_date)]
        known = max((int(line[3]) for line in self._lines() if line[1:3] == name), default=0)
        return _doubt(issue) if entry_count() < known else None

    def was_relayed(self) -> bool:
        """Whether an issue of this home ever left through a relay."""
        return self.path.exists() and any(line[1] == _RELAYED for line in self._lines())

    def note_relayed(self) -> None:
        """Remember that issues leave through a relay."""
        if not self.was_relayed():
            self._append(_RELAYED)

    def go_on(self) -> None:
        """Take this log for the one that did the mailing: it came here with its own ledger."""
        if self.path.exists():
            self._append("taken")

    def note(self, issue: Issue, entry_count: int) -> None:
        """Remember how many readers the ledger has an entry for."""
        self._append(f"{issue.edition} {issue.issue_date} {entry_count}")

    def _append(self, words: str) -> None:
        # The machine's time and not the pipeline's: it is compared with that of the file system.
        now = datetime.now(UTC)
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            # A line that a full disk cut off stays alone on its line.
            end = file.seek(0, os.SEEK_END)
            is_cut = end > 0 and os.pread(descriptor, 1, end - 1) != b"\n"
            file.write(b"\n" * is_cut + f"{now.isoformat()} {words}\n".encode())
            file.flush()
            os.fsync(descriptor)

    def _lines(self) -> list[list[str]]:
        """The words of each line that is whole: a time, and one word or three."""
        text = self.path.read_text(encoding="utf-8", errors="replace")
        return [line.split() for line in text.splitlines() if _LINE.fullmatch(line)]

    def _restored_at(self) -> datetime | None:
        """When this file was put here, if it is a copy.

        A copy keeps the text, and may keep the time of the last change; the inode's own time is
        always that of the copying.
        """
        changed_at = datetime.fromtimestamp(self.path.stat().st_ctime, UTC)
        lines = self._lines()
        if lines and changed_at - datetime.fromisoformat(lines[-1][0]) < _SLOWNESS:
            return None
        return changed_at


def _doubt(issue: Issue) -> str:
    return (
        "Not sent: the mailing list seems to be restored from a backup, and may not know who "
        f"has had this issue. `papers issue resume {issue.issue_date}"
        f"{'' if issue.edition == 'daily' else f' --edition {issue.edition}'}`"
        " sends it to everyone it has no entry for."
    )
