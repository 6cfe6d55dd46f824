"""Alembic migrations of the mailing database, applied by `open_list`."""
