"""What is kept of the ledger before a mailing, for a machine that may be wiped in the midst of it.

Such a copy cannot say who got the message. So every message that may leave is `unknown` in it, and
only the operator sends those again.
"""

from datetime import datetime

from sqlalchemy import String, literal, select, update

from flows.mailing.database import Mailing
from flows.mailing.ledger_issues import Issue, is_due, is_of
from flows.mailing.recipients import has_chosen, may_be_mailed_on
from flows.mailing.tables import Utc, deliveries, subscribers
from flows.mailing.transports import UNKNOWN

_REASON = "its run ended before it told"


def doubt_all(mailing: Mailing, issue: Issue, *, is_new_begun: bool, now: datetime) -> int:
    """Take what may leave next for `unknown`; how many messages that is.

    Those are the deferred that are due and, if new ones may begin, those of all who chose the
    edition and have no entry yet.
    """
    of_issue = is_of(deliveries, issue.edition, issue.issue_date)
    with mailing.write() as connection:
        due = connection.execute(
            update(deliveries)
            .where(of_issue, is_due(now))
            .values(state=UNKNOWN, reason=_REASON, changed_at=now)
        )
        if not is_new_begun:
            return due.rowcount
        columns = {
            "edition": literal(issue.edition),
            "issue_date": literal(issue.issue_date, deliveries.c.issue_date.type),
            "subscriber_id": subscribers.c.id,
            "state": literal(UNKNOWN),
            "reason": literal(_REASON, String),
            "attempts_count": literal(0),
            "changed_at": literal(now, Utc),
        }
        has_entry = select(deliveries.c.subscriber_id).where(of_issue)
        waits = select(*columns.values()).where(
            subscribers.c.id.not_in(has_entry),
            has_chosen(issue.edition),
            may_be_mailed_on(now.date()),
        )
        new = connection.execute(deliveries.insert().from_select(list(columns), waits))
    return due.rowcount + new.rowcount
