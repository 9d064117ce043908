"""Which versions of the program run on the tables of this database.

A version is named by its newest migration. Each migration adds its own name when it is applied, and
the older ones stay: a migration only adds to the tables, so that the versions before still run on
them. A migration that takes something away says from which version on the program does without it::

    OLDEST_PROGRAM = "2026_12_13_fitting_programs"

So a version before this one can say whether it runs on tables that a newer one has made.
"""

from typing import Any

from sqlalchemy import Connection, delete, insert, inspect, select

from eventreg.core.models.schema import FittingProgram

_newest = FittingProgram.newest_migration


def has_program(connection: Connection, newest_migration: str) -> bool:
    """Whether the version with this newest migration runs on the present tables."""
    if not inspect(connection).has_table(FittingProgram.__tablename__):
        return False
    return (
        connection.execute(select(_newest).where(_newest == newest_migration)).first() is not None
    )


def note_migration(*, ctx: Any, step: Any, **_: object) -> None:
    """Called by Alembic after each migration, before it is committed."""
    connection: Connection = ctx.connection
    name = step.up_revision_id
    if not inspect(connection).has_table(FittingProgram.__tablename__):
        return
    connection.execute(delete(FittingProgram).where(_newest == name))
    if not step.is_upgrade:
        return
    connection.execute(insert(FittingProgram).values(newest_migration=name))
    oldest = getattr(step.up_revision.module, "OLDEST_PROGRAM", None)
    if oldest:
        scripts = step.revision_map.iterate_revisions(name, oldest, inclusive=True)
        fitting = {script.revision for script in scripts}
        connection.execute(delete(FittingProgram).where(_newest.not_in(fitting)))
