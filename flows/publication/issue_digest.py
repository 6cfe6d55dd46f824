"""What an issue is made of: the digest of its date, with why the days before it had none.

published/papers.duckdb, issues/ ──▶ Digest
"""

from dataclasses import replace
from datetime import date, timedelta

from flows.issues.silence import silence
from flows.newsletter.digest import Digest, Edition
from flows.publication.lists import calendar
from flows.publication.published import opened, read_digest
from flows.settings import Settings

LONGEST_SILENCE = 14  # days that a mail explains


def issue_digest(settings: Settings, issue_date: date, edition: Edition = "daily") -> Digest | None:
    """The digest as its issue has it, or None where no paper of the date is published.

    Raises:
        NotPublishedError: there is no publication yet, or only one of an older version.
    """
    digest = read_digest(settings.published_path, issue_date, edition)
    if digest is None or edition != "daily":
        return digest
    return replace(digest, silence=_silence(issue_date, settings))


def _silence(issue_date: date, settings: Settings) -> str:
    """Why the days since the last daily issue had none; "" where that is long ago, or never was."""
    days: list[date] = []
    for back in range(1, LONGEST_SILENCE + 1):
        day = issue_date - timedelta(days=back)
        if settings.issue_folder(day, "daily").exists():
            with opened(settings.published_path) as connection:
                verdicts = calendar(connection, day, issue_date)
            return silence(days, verdicts)
        days.append(day)
    return ""
