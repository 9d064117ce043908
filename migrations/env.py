"""Alembic's way into our database. `flask --app wsgi db upgrade` runs it; `make run` does so by
itself."""

from alembic import context
from flask import current_app
from sqlalchemy import Connection

from eventreg.core.models.base import Base

engine = current_app.extensions["migrate"].db.engine


def migrate(connection: Connection) -> None:
    """Run what is to be run, in one transaction where the database can."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


with engine.connect().execution_options(write=True) as connection:
    migrate(connection)
