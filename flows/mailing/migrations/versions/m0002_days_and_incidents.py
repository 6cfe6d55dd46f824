"""Create what each day came to, the incidents, and who was told of them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the three tables."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "days",
        sa.Column("list_date", sa.Date, primary_key=True),
        sa.Column("verdict", sa.String(12), nullable=False),
        sa.Column("sentence", sa.String, nullable=False),
        sa.Column("stopped_by", sa.String),
        sa.Column("is_mail_blocked", sa.Boolean, nullable=False),
        sa.Column("concluded_at", moment, nullable=False),
    )
    op.create_table(
        "incidents",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("subject", sa.String(40), nullable=False),
        sa.Column("cause", sa.String, nullable=False),
        sa.Column("consequence", sa.String, nullable=False),
        sa.Column("command", sa.String, nullable=False),
        sa.Column("opened_at", moment, nullable=False),
        sa.Column("closed_at", moment),
        sa.Column("ending", sa.String),
    )
    op.create_index(
        "incidents_open_once",
        "incidents",
        ["kind", "subject"],
        unique=True,
        sqlite_where=sa.text("closed_at is null"),
        postgresql_where=sa.text("closed_at is null"),
    )
    op.create_table(
        "notices",
        sa.Column("incident_id", sa.Integer, sa.ForeignKey("incidents.id"), primary_key=True),
        sa.Column("news", sa.String(8), primary_key=True),
        sa.Column("channel", sa.String(8), primary_key=True),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(500)),
        sa.Column("claimed_by", sa.BigInteger),
        sa.Column("data_at", moment),
        sa.Column("changed_at", moment, nullable=False),
    )
