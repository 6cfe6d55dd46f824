"""The index of the list's tables that holds for some rows only, for whoever compares them.

It stands apart from `tables.py` because to name it SQLAlchemy imports what it knows of PostgreSQL,
which takes as long as a whole command; the database enforces it, and no query names it.
"""

from sqlalchemy import Index, text

from flows.mailing.tables import incidents, metadata

__all__ = ["metadata"]

_OPEN = text("closed_at is null")

Index(
    "incidents_open_once",
    incidents.c.kind,
    incidents.c.subject,
    unique=True,
    sqlite_where=_OPEN,
    postgresql_where=_OPEN,
)
