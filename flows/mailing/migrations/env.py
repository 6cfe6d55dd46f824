"""Runs the migrations on the connection of `open_mailing_database`, in its transaction."""

from alembic import context

from flows.mailing.migrations.indexes import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
