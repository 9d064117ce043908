"""The database that data is moved from: this program's own. No one writes to it during the move,
and no one uses it afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import current_app
from sqlalchemy import Connection, text

from eventreg.storage.move import moved_tables
from eventreg.storage.session import db
from eventreg.storage.sqlite.sqlite_file import SqliteFile


def _file() -> SqliteFile | None:
    file: SqliteFile | None = current_app.extensions["sqlite_file"]
    return file


def path() -> Path | None:
    """The SQLite file; ``None`` on PostgreSQL."""
    file = _file()
    return file.path if file else None


def read_if_marked() -> None:
    """Let this program read the file although its data was moved: to finish an interrupted move."""
    if file := _file():
        file.ledger.mark.is_ignored = True


@contextmanager
def held() -> Iterator[Connection]:
    """A connection that reads one moment. Until the end of the block no one else can write: who
    tries waits for some seconds and is then asked to try again.

    Raises ``Busy``, ``FileLost`` or one of ``AWAY`` if another program does not stop writing.
    """
    if file := _file():
        with current_app.extensions["gate"]():
            file.require_sound(db.engine, db.metadata)
            with db.engine.connect() as connection:
                yield connection
        return
    with db.engine.connect() as connection, connection.begin():
        for limit, value in (
            ("lock_timeout", "30s"),
            ("statement_timeout", "0"),
            ("idle_in_transaction_session_timeout", "0"),
        ):
            connection.execute(text(f"SET LOCAL {limit} = '{value}'"))
        names = ", ".join(table.name for table in db.metadata.sorted_tables)
        connection.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))
        yield connection


def moved_to(connection: Connection) -> str:
    """Where an earlier move brought the data; empty if there was none."""
    file = _file()
    return file.ledger.mark.target() if file else moved_tables.target(connection)


def mark(connection: Connection, where: str) -> None:
    """From the end of the ``held`` block on, let no program use this database. ``where`` is the
    new one, without its password."""
    if file := _file():
        file.ledger.mark.set(where)
    else:
        moved_tables.mark(connection, db.metadata, where)
