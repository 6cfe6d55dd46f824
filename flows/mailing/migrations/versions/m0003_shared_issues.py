"""Create what senders on other hosts need to take part in an issue."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "shared_issues",
        sa.Column("edition", sa.String(12), primary_key=True),
        sa.Column("issue_date", sa.Date, primary_key=True),
        sa.Column("leader", sa.BigInteger, nullable=False),
        sa.Column("senders_count", sa.Integer, nullable=False),
        sa.Column("messages_per_second", sa.Float),
        sa.Column("letters", sa.String, nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["edition", "issue_date"], ["issues.edition", "issues.issue_date"]),
    )
