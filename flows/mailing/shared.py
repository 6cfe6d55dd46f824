"""An issue that several senders work on: one row while its leader has others take part.

leader ──share──▶ shared_issues ──find_shared──▶ senders on any host, which claim pages as it does

The leader writes the row. Other senders go on only while it stands and the issue is being sent, so
a pause or a new leader stops them within seconds.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime

from sqlalchemy import delete, exists, select

from flows.mailing.database import Mailing, insert
from flows.mailing.ledger import PAGE
from flows.mailing.ledger_issues import PAUSED, SENDING, Issue, is_of
from flows.mailing.sender import SendLimits
from flows.mailing.tables import issues, shared_issues


@dataclass(frozen=True)
class Sharing:
    """Others who could take part, and what they need to write the leader's letters."""

    others_max: int
    letters: Callable[[], str]
    start: Callable[[int], int]  # starts so many senders; how many it could start


@dataclass(frozen=True)
class SharedIssue:
    """An issue as its leader has others take part in it."""

    edition: str
    issue_date: date
    leader: int
    senders_count: int
    messages_per_second: float | None
    letters: str
    began_at: datetime

    def part_of(self, limits: SendLimits) -> SendLimits:
        """What of the relay's limit is one sender's."""
        rate = self.messages_per_second
        return replace(limits, messages_per_second=rate and rate / self.senders_count)


def share(
    mailing: Mailing,
    issue: Issue,
    leader: int,
    sharing: Sharing,
    waiting_count: int,
    limits: SendLimits,
    now: datetime,
) -> SharedIssue | None:
    """Have others take part in what is more than a page; None where nobody does."""
    others_count = min(sharing.others_max, (waiting_count - 1) // PAGE)
    if others_count < 1:
        return None
    shared = SharedIssue(
        issue.edition,
        issue.issue_date,
        leader,
        others_count + 1,
        limits.messages_per_second,
        sharing.letters(),
        now,
    )
    _write(mailing, shared)
    started_count = sharing.start(others_count)
    if started_count < others_count:
        shared = replace(shared, senders_count=started_count + 1)
        _write(mailing, shared)
    if not started_count:
        end_sharing(mailing, issue)
        return None
    return shared


def find_shared(mailing: Mailing, edition: str, issue_date: date) -> SharedIssue | None:
    """The issue as others may take part in it; None where nobody has them do so."""
    found = select(shared_issues).where(is_of(shared_issues, edition, issue_date))
    with mailing.read() as connection:
        row = connection.execute(found).first()
    return None if row is None else SharedIssue(**row._asdict())


def is_led_by(mailing: Mailing, shared: SharedIssue) -> bool:
    """Whether this leader still has others take part, and nobody has paused the issue."""
    led = exists().where(
        is_of(shared_issues, shared.edition, shared.issue_date),
        shared_issues.c.leader == shared.leader,
    )
    found = select(issues.c.state).where(
        is_of(issues, shared.edition, shared.issue_date), issues.c.state == SENDING, led
    )
    with mailing.read() as connection:
        return connection.execute(found).first() is not None


def is_paused(mailing: Mailing, issue: Issue) -> bool:
    """Whether somebody has paused the issue."""
    paused = select(issues.c.state).where(
        is_of(issues, issue.edition, issue.issue_date), issues.c.state == PAUSED
    )
    with mailing.read() as connection:
        return connection.execute(paused).first() is not None


def end_sharing(mailing: Mailing, issue: Issue) -> bool:
    """Let nobody take part any more; whether anybody could."""
    gone = delete(shared_issues).where(is_of(shared_issues, issue.edition, issue.issue_date))
    with mailing.write() as connection:
        return bool(connection.execute(gone).rowcount)


def _write(mailing: Mailing, shared: SharedIssue) -> None:
    values = asdict(shared)
    with mailing.write() as connection:
        connection.execute(
            insert(connection)(shared_issues)
            .values(values)
            .on_conflict_do_update(index_elements=["edition", "issue_date"], set_=values)
        )
