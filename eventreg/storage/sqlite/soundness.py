"""Whether an SQLite file is sound and has the tables of this program."""

from sqlalchemy import Engine, MetaData, select, text
from sqlalchemy.exc import DatabaseError

from eventreg.core.errors import first_line


def damage(engine: Engine) -> str:
    """What SQLite finds wrong with the file; empty if it is sound."""
    with engine.connect() as connection:
        found = [row[0] for row in connection.execute(text("PRAGMA integrity_check"))]
        orphans = len(connection.execute(text("PRAGMA foreign_key_check")).all())
    if found == ["ok"] and not orphans:
        return ""
    return f"{'; '.join(found[:3])}; {orphans} orphan rows"


def why_unusable(engine: Engine, tables: MetaData) -> str:
    """Why this file may not be used; empty if it is sound and has our tables."""
    try:
        with engine.connect() as connection:
            for table in tables.tables.values():
                connection.execute(select(table).limit(0))
        found = damage(engine)
    except DatabaseError as error:
        return f"the database file was replaced, and is not to be used: {first_line(error)}"
    return f"the database file was written over, and is damaged: {found}" if found else ""


def last_act(engine: Engine) -> int:
    """The number of the last act in the database (see ``file_ledger``)."""
    with engine.connect() as connection:
        return int(connection.execute(text("PRAGMA user_version")).scalar_one())
