"""The tables of the mailing list, and the words that may stand in their state columns."""

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    TypeDecorator,
)

EDITIONS = ("daily", "weekly", "monthly")


class Utc(TypeDecorator[datetime]):
    """An aware UTC datetime; SQLite, which has no time zones, keeps it naive."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give the same instant in UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give the instant with its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData()

# State: unconfirmed, active, paused (active again from paused_until on), unsubscribed, suppressed.
# Nobody's row is deleted: it is what keeps an import from bringing back who left.
subscribers = Table(
    "subscribers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("public_id", String(20), nullable=False, unique=True),
    Column("address", String(320)),  # as the envelope needs it; null once erased
    Column("address_key", String(320), unique=True),  # its one normal form; null once erased
    Column("state", String(12), nullable=False),
    Column("paused_until", Date),
    Column("editions", String(40), nullable=False),
    Column("rule", String, nullable=False),
    Column("rule_key", String(16), nullable=False),
    Column("source", String(12), nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("changed_at", Utc, nullable=False),
    # the order of sending: readers with equal rules stand together and share one rendering
    Index("subscribers_by_rule", "rule_key", "id"),
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("address_hash", String(64), primary_key=True),
    Column("reason", String(200), nullable=False),
    Column("created_at", Utc, nullable=False),
)

# State: sending, paused (by the error budget or the operator), done.
issues = Table(
    "issues",
    metadata,
    Column("edition", String(12), primary_key=True),
    Column("issue_date", Date, primary_key=True),
    Column("state", String(12), nullable=False),
    Column("sentence", String(500), nullable=False),
    Column("due_at", Utc, nullable=False),  # when it could first have gone out: its age counts from
    Column("created_at", Utc, nullable=False),
    Column("changed_at", Utc, nullable=False),
)

# State: claimed, sent, deferred, failed, unknown, skipped.
deliveries = Table(
    "deliveries",
    metadata,
    Column("edition", String(12), primary_key=True),
    Column("issue_date", Date, primary_key=True),
    Column("subscriber_id", Integer, ForeignKey("subscribers.id"), primary_key=True),
    Column("state", String(12), nullable=False),
    Column("reason", String(500)),
    Column("attempts_count", Integer, nullable=False),
    Column("claimed_by", BigInteger),  # the sender, while it lives
    Column("data_at", Utc),  # set just before DATA: from here on a cut leaves the message in doubt
    Column("next_attempt_at", Utc),
    Column("bounce", String(500)),  # what came back after it was sent
    Column("changed_at", Utc, nullable=False),
    ForeignKeyConstraint(["edition", "issue_date"], ["issues.edition", "issues.issue_date"]),
    Index("deliveries_by_subscriber", "subscriber_id", "issue_date"),
    sqlite_with_rowid=False,  # one tree less to change for every message
)

# What senders on other hosts need to take part in an issue; there while its leader has them do so.
shared_issues = Table(
    "shared_issues",
    metadata,
    Column("edition", String(12), primary_key=True),
    Column("issue_date", Date, primary_key=True),
    Column("leader", BigInteger, nullable=False),  # its lease as a sender
    Column("senders_count", Integer, nullable=False),  # with the leader
    Column("messages_per_second", Float),  # of all of them together
    Column("letters", String, nullable=False),  # what the letters are made of, as JSON
    Column("began_at", Utc, nullable=False),  # by the leader's clock, from which theirs run on
    ForeignKeyConstraint(["edition", "issue_date"], ["issues.edition", "issues.issue_date"]),
)

# What each list date came to, as `papers status` and `papers check` need it while a run holds the
# warehouse, or where there is none.
days = Table(
    "days",
    metadata,
    Column("list_date", Date, primary_key=True),
    Column("verdict", String(12), nullable=False),
    Column("sentence", String, nullable=False),
    Column("stopped_by", String),  # what a gate said, where it stopped the newest reading
    Column("is_mail_blocked", Boolean, nullable=False),
    Column("concluded_at", Utc, nullable=False),
)

# With one index more, for the migrations: see migrations/indexes.py.
incidents = Table(
    "incidents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("subject", String(40), nullable=False),
    Column("cause", String, nullable=False),
    Column("consequence", String, nullable=False),
    Column("command", String, nullable=False),
    Column("opened_at", Utc, nullable=False),
    Column("closed_at", Utc),
    Column("ending", String),  # one sentence: how it stands now that it is over
)

# State: due, claimed, sent, unknown, moot (the incident was over before anybody was told).
notices = Table(
    "notices",
    metadata,
    Column("incident_id", Integer, ForeignKey("incidents.id"), primary_key=True),
    Column("news", String(8), primary_key=True),  # opened, over
    Column("channel", String(8), primary_key=True),  # mail, webhook
    Column("state", String(12), nullable=False),
    Column("reason", String(500)),
    Column("claimed_by", BigInteger),  # who sends it, while it lives
    Column("data_at", Utc),  # set just before it leaves: from here on a cut leaves it in doubt
    Column("changed_at", Utc, nullable=False),
)
