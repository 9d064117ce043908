"""A PostgreSQL database for a drill: made beside the real one, and dropped afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from eventreg.core.backups.faults import BackupRefused
from eventreg.storage.session import db

_NOT_ALLOWED = "42501"
"""insufficient_privilege (https://www.postgresql.org/docs/current/errcodes-appendix.html). The
driver has a class for it, but takes 9 MiB of memory, also if the database is SQLite."""
_OURS = "made by the drill of eventreg"
"""The comment of such a database. One without it is somebody else's, and is never dropped."""


@contextmanager
def made() -> Iterator[str | None]:
    """The address of a new, empty database, which is dropped when the block ends. ``None`` if our
    role may not make one. Raises as ``drop``."""
    drop()
    with _server() as server:
        try:
            server.execute(text(f"CREATE DATABASE {_quoted()} TEMPLATE template0"))
        except ProgrammingError as error:
            if getattr(error.orig, "sqlstate", "") != _NOT_ALLOWED:
                raise
            server.invalidate()
            yield None
            return
        server.execute(text(f"COMMENT ON DATABASE {_quoted()} IS '{_OURS}'"))
    try:
        yield db.engine.url.set(database=_name()).render_as_string(hide_password=False)
    finally:
        drop()


def drop() -> None:
    """Drop the database of a drill, if there is one. ``BackupRefused`` if one of that name is not
    ours."""
    with _server() as server:
        found = server.execute(
            text(
                "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = :n"
            ),
            {"n": _name()},
        ).first()
        if found is None:
            return
        if found[0] != _OURS:
            raise BackupRefused(f"there is a database {_name()} that is not ours", "drill-database")
        server.execute(text(f"DROP DATABASE {_quoted()} WITH (FORCE)"))


@contextmanager
def _server() -> Iterator[Connection]:
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = '5min'"))
        try:
            yield connection
        finally:
            connection.invalidate()  # so that no one else gets its time limit


def _name() -> str:
    return f"{(db.engine.url.database or '')[:40]}_backup_drill"


def _quoted() -> str:
    return db.engine.dialect.identifier_preparer.quote(_name())
