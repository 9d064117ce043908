"""Run the migrations on the program's database. ``flask --app wsgi db upgrade`` and ``make run``
do so. ``move`` hands in a connection to another database; then they are part of its transaction."""

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import Connection

from eventreg.core.models.base import Base
from eventreg.storage.fitting_programs import note_migration


def switch_foreign_keys_off(connection: Connection) -> None:
    """SQLite changes a table by making another and dropping the first, which foreign keys of other
    tables forbid. The setting holds for this connection and only outside a transaction, so the
    connection is closed afterwards instead of going back to the pool."""
    connection.detach()
    driver: Any = connection.connection.dbapi_connection
    driver.execute("PRAGMA foreign_keys=OFF")


def require_sound_foreign_keys(*, ctx: Any, **_: object) -> None:
    """Before each migration is committed on SQLite, refuse it if a row refers to none."""
    if ctx.dialect.name == "sqlite":
        orphans = ctx.connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if orphans:
            raise RuntimeError(f"the migration would leave {len(orphans)} rows without parents")


def migrate(connection: Connection) -> None:
    """Run each migration that is due in a transaction of its own."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        transaction_per_migration=True,
        on_version_apply=(require_sound_foreign_keys, note_migration),
    )
    with context.begin_transaction():
        context.run_migrations()


def migrate_own_database() -> None:
    """Bring the tables of the program's database up to date."""
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect().execution_options(write=True) as connection:
        if connection.dialect.name == "sqlite":
            switch_foreign_keys_off(connection)
        migrate(connection)


if "connection" in context.config.attributes:
    migrate(context.config.attributes["connection"])
else:
    migrate_own_database()
