"""How each database gives its whole content as one file, and takes it back."""

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from flask import current_app
from sqlalchemy import Connection, inspect, text

from eventreg.core.backups.faults import BackupRefused
from eventreg.storage import postgresql_tools
from eventreg.storage.session import db
from eventreg.storage.sqlite.file_connection import State
from eventreg.storage.sqlite.sqlite_file import SqliteFile


def _file() -> SqliteFile:
    file: SqliteFile = current_app.extensions["sqlite_file"]
    return file


def make(body: Path) -> tuple[str, dict[str, int]]:
    """Write the content of one moment into a new file. Returns its schema and its rows in each
    table. Raises ``BackupRefused``, or ``OSError`` if the folder is full or cannot be written."""
    is_sqlite = db.engine.dialect.name == "sqlite"
    return _dump_sqlite(body) if is_sqlite else _dump_postgresql(body)


def make_room() -> None:
    """Before ``load``: make an SQLite file, if it was lost."""
    if db.engine.dialect.name == "sqlite":
        _file().make(anew=True)


def load(body: Path) -> None:
    """Replace the content of the database with that of the file, in one transaction."""
    if db.engine.dialect.name == "sqlite":
        _restore_sqlite(body)
    else:
        _restore_postgresql(body, body.with_name("restore.sql"))


def count_rows() -> dict[str, int]:
    """The rows in each table of the database."""
    with db.engine.connect() as connection:
        return _rows(connection)


def rows_in(body: Path) -> dict[str, int]:
    """The rows in each table of a dump of PostgreSQL, by reading all of it, without a server."""
    return postgresql_tools.count_rows(body)


def is_of_postgresql(body: Path) -> bool:
    """Whether ``pg_restore`` can read the file, and lists our tables."""
    listed = postgresql_tools.run("pg_restore", "--list", str(body), url=db.engine.url)
    return "alembic_version" in listed


def _dump_sqlite(body: Path) -> tuple[str, dict[str, int]]:
    """Copy one moment with SQLite's own function. It reads, so no writer waits for it."""
    try:
        with closing(_file().open()) as live, closing(sqlite3.connect(body)) as copy:
            copy.execute("PRAGMA journal_mode=OFF")  # if it breaks off, the copy is thrown away
            copy.execute("PRAGMA synchronous=OFF")  # the whole file is synced when it is packed
            live.backup(copy)
            if live.state() is not State.IN_PLACE:
                raise BackupRefused("the database file was replaced meanwhile")
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(body)) from error
        raise
    return read_sqlite(body)


def read_sqlite(body: Path) -> tuple[str, dict[str, int]]:
    """The schema and row counts of a copy. Raises ``BackupRefused`` if it is damaged."""
    with closing(sqlite3.connect(f"file:{body}?mode=ro&immutable=1", uri=True)) as copy:
        try:
            sound = [row[0] for row in copy.execute("PRAGMA integrity_check")]
            orphans = copy.execute("PRAGMA foreign_key_check").fetchall()
            if sound != ["ok"] or orphans:
                raise BackupRefused(
                    f"the copy is damaged: {'; '.join(sound)}, {len(orphans)} orphan rows"
                )
            tables = [
                row[0]
                for row in copy.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
                )
            ]
            rows = {
                table: copy.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]  # noqa: S608 - our tables
                for table in tables
                if not table.startswith("sqlite_")
            }
            return copy.execute("SELECT version_num FROM alembic_version").fetchone()[0], rows
        except sqlite3.DatabaseError as error:
            raise BackupRefused(f"the copy is damaged: {error}") from error


def _dump_postgresql(body: Path) -> tuple[str, dict[str, int]]:
    """Dump in pg_dump's own format. The rows are counted in the same snapshot."""
    with db.engine.connect() as connection:
        connection.execute(
            text(
                "SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0"
            )
        )
        snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        postgresql_tools.run(
            "pg_dump",
            "--format=custom",
            "--no-owner",
            "--no-privileges",
            f"--snapshot={snapshot}",
            f"--file={body}",
            url=db.engine.url,
        )
        schema = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        return schema, _rows(connection)


def _rows(connection: Connection) -> dict[str, int]:
    tables = sorted(inspect(connection).get_table_names())
    counts = [text(f'SELECT count(*) FROM "{name}"') for name in tables]  # noqa: S608 - our tables
    return {
        name: connection.execute(count).scalar_one()
        for name, count in zip(tables, counts, strict=True)
    }


def _restore_sqlite(body: Path) -> None:
    """Copy into the live file as one transaction, so that a running server goes on with the
    restored state."""
    with current_app.extensions["gate"](), closing(_file().open()) as live:
        live.execute("PRAGMA synchronous=FULL")
        with closing(sqlite3.connect(body)) as copy:
            copy.backup(live)
        _file().restored(live)


def _restore_postgresql(body: Path, script: Path) -> None:
    """In one transaction, drop every table and load the dump. Tables that an older backup does not
    know are dropped too."""
    with db.engine.connect() as connection:
        inspector = inspect(connection)
        quote = connection.dialect.identifier_preparer.quote
        schema = quote(inspector.default_schema_name or "public")
        tables = [f"{schema}.{quote(name)}" for name in inspector.get_table_names()]
    db.engine.dispose()
    with script.open("w", encoding="utf-8") as file:
        file.writelines(f"DROP TABLE IF EXISTS {table} CASCADE;\n" for table in tables)
        file.write(
            postgresql_tools.run(
                "pg_restore", "--no-owner", "--file=-", str(body), url=db.engine.url
            )
        )
    postgresql_tools.run(
        "psql",
        "--no-psqlrc",
        "--quiet",
        "--single-transaction",
        "--set=ON_ERROR_STOP=1",
        f"--file={script}",
        url=db.engine.url,
    )
