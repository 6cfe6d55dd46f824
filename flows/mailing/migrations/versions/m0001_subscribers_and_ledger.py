"""Create the list, its suppressions, the issues and the ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the four tables."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "subscribers",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("public_id", sa.String(20), nullable=False, unique=True),
        sa.Column("address", sa.String(320)),
        sa.Column("address_key", sa.String(320), unique=True),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("paused_until", sa.Date),
        sa.Column("editions", sa.String(40), nullable=False),
        sa.Column("rule", sa.String, nullable=False),
        sa.Column("rule_key", sa.String(16), nullable=False),
        sa.Column("source", sa.String(12), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("changed_at", moment, nullable=False),
    )
    op.create_index("subscribers_by_rule", "subscribers", ["rule_key", "id"])
    op.create_table(
        "suppressions",
        sa.Column("address_hash", sa.String(64), primary_key=True),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("created_at", moment, nullable=False),
    )
    op.create_table(
        "issues",
        sa.Column("edition", sa.String(12), primary_key=True),
        sa.Column("issue_date", sa.Date, primary_key=True),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("sentence", sa.String(500), nullable=False),
        sa.Column("due_at", moment, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("changed_at", moment, nullable=False),
    )
    op.create_table(
        "deliveries",
        sa.Column("edition", sa.String(12), primary_key=True),
        sa.Column("issue_date", sa.Date, primary_key=True),
        sa.Column("subscriber_id", sa.Integer, sa.ForeignKey("subscribers.id"), primary_key=True),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(500)),
        sa.Column("attempts_count", sa.Integer, nullable=False),
        sa.Column("claimed_by", sa.BigInteger),
        sa.Column("data_at", moment),
        sa.Column("next_attempt_at", moment),
        sa.Column("bounce", sa.String(500)),
        sa.Column("changed_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["edition", "issue_date"], ["issues.edition", "issues.issue_date"]),
        sqlite_with_rowid=False,
    )
    op.create_index("deliveries_by_subscriber", "deliveries", ["subscriber_id", "issue_date"])
