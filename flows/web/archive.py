"""The issues as sent: what is in `issues/`, read late and never changed."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from flows.issues.frozen import ISSUE_NAME
from flows.newsletter.digest import Digest
from flows.wording import counted

_FILES = ("digest.html", "digest.txt", "quality.html")
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class FrozenIssue(Digest):
    """A digest as it was sent, with the subject it had."""

    subject: str

    @property
    def name(self) -> str:
        """Its folder's name, and its place in the archive: `2026-08-20-daily`."""
        return f"{self.issue_date}-{self.edition}"

    @property
    def contents(self) -> str:
        """The subject without the newsletter's name and the date, which stand elsewhere."""
        return self.subject.partition(": ")[2] or self.subject

    @property
    def summary(self) -> str:
        """`43 papers · 1,204 votes`."""
        votes = sum(paper.upvotes_count for paper in self.papers)
        return f"{counted(len(self.papers), 'paper')} · {counted(votes, 'vote')}"


@dataclass(frozen=True)
class Headline:
    """A line of the archive."""

    name: str
    issue_date: date
    edition: str
    contents: str
    summary: str

    @property
    def month(self) -> str:
        """`2026-08`."""
        return f"{self.issue_date:%Y-%m}"


@dataclass(frozen=True)
class Archive:
    """The folder of issues."""

    folder: Path

    def names(self) -> list[str]:
        """The names of all issues, the newest first."""
        if not self.folder.is_dir():
            return []
        found = (path.name for path in self.folder.iterdir())
        return sorted((name for name in found if ISSUE_NAME.fullmatch(name)), reverse=True)

    def file(self, name: str, file_name: str) -> bytes | None:
        """A file of an issue; None where there is no such issue or file."""
        if not ISSUE_NAME.fullmatch(name) or file_name not in _FILES:
            return None
        try:
            return (self.folder / name / file_name).read_bytes()
        except FileNotFoundError:
            return None

    def checks_page(self, day: date) -> str | None:
        """Where each check of this date's list is told; None where no issue was made of it."""
        page = f"{day}-daily/quality.html"
        return f"issues/{page}" if (self.folder / page).is_file() else None

    def issue(self, name: str) -> FrozenIssue | None:
        """An issue as it was made; None where there is none, or none that can be read."""
        return self._kept(name, _read) if ISSUE_NAME.fullmatch(name) else None

    def newest(self, count: int, edition: str | None = None) -> list[FrozenIssue]:
        """The newest issues that can be read, the newest first."""
        issues: list[FrozenIssue] = []
        for name in self.names():
            if len(issues) == count:
                break
            if (edition is None or name.endswith(edition)) and (issue := self._kept(name, _read)):
                issues.append(issue)
        return issues

    def headlines(self, year: str) -> list[Headline]:
        """The lines of a year, the newest first."""
        names = [name for name in self.names() if name.startswith(f"{year}-")]
        lines = (self._kept(name, _headline) for name in names)
        return [line for line in lines if line]

    def _kept(self, name: str, read: Callable[[Path, int], _T]) -> _T | None:
        path = self.folder / name / "issue.json"
        try:
            return read(path, path.stat().st_mtime_ns)
        except (OSError, ValueError) as error:  # pydantic's error is a ValueError
            _log.warning("%s cannot be shown in the archive: %s", path, error)
            return None


# The time is in the key so that a file that was put right is read again.
@lru_cache(maxsize=64)
def _read(path: Path, _mtime_ns: int) -> FrozenIssue:
    return TypeAdapter(FrozenIssue).validate_json(path.read_bytes())


@lru_cache(maxsize=10_000)
def _headline(path: Path, mtime_ns: int) -> Headline:
    issue = _read(path, mtime_ns)
    return Headline(issue.name, issue.issue_date, issue.edition, issue.contents, issue.summary)
