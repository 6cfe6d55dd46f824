"""Alembic migrations of the mailing database, applied by `open_mailing_database`."""
