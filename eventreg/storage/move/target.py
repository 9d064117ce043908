"""The database that data is moved to: a new SQLite file, or an empty PostgreSQL database.

Whatever goes wrong, it is left as it was found: the file gets its name at the very end, and on
PostgreSQL even the tables are made in the one transaction of the move.
"""

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from alembic import command
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy import (
    URL,
    Connection,
    Engine,
    MetaData,
    NullPool,
    create_engine,
    event,
    inspect,
    text,
)
from sqlalchemy.exc import DBAPIError

from eventreg.core.errors import first_line
from eventreg.storage import checks
from eventreg.storage.move import copying
from eventreg.storage.move.refused import MoveRefused
from eventreg.storage.session import ALONE
from eventreg.storage.sqlite.file_ledger import FileLedger

_VERSION_TABLE = "alembic_version"


def shown(url: URL) -> str:
    """The address of a database, as people may read it: without its password."""
    bare = url._replace(password=None).difference_update_query(["password"])
    return bare.render_as_string(hide_password=False)


@dataclass
class Target:
    """The opened target. Rows are written to ``connection``."""

    connection: Connection
    is_empty: bool
    finish: Callable[[], None]
    """Call it when all rows are in, before the source is marked: what can fail fails here."""


def opened(url: URL, tables: MetaData) -> AbstractContextManager[Target]:
    """The target, with empty tables of this program. The end of the block makes it final; an error
    in the block leaves nothing behind. ``MoveRefused`` if it cannot be used."""
    if url.get_backend_name() == "sqlite":
        return _file(path_of(url))
    return _postgresql(url, tables)


def path_of(url: URL) -> Path:
    """The file that an address of an SQLite database names."""
    return Path(current_app.instance_path, url.database or "")


def answering(url: URL) -> Connection:
    """A connection to a PostgreSQL database, without limits of time. ``MoveRefused`` if it does not
    answer."""
    limits = {"lock_timeout": "30s", "statement_timeout": "0", "synchronous_commit": "on"}
    settings = " ".join(f"-c {name}={value}" for name, value in limits.items())
    engine = create_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"connect_timeout": 5, "application_name": "eventreg", "options": settings},
    )
    try:
        return engine.connect()
    except DBAPIError as error:
        raise MoveRefused(f"{shown(url)} does not answer: {first_line(error)}") from error


@contextmanager
def _postgresql(url: URL, tables: MetaData) -> Iterator[Target]:
    with answering(url) as connection, connection.begin():
        for fault in checks.can_lose_a_commit(connection):
            raise MoveRefused(fault)
        connection.execute(text(f"SELECT pg_advisory_xact_lock({ALONE})"))
        if inspect(connection).get_table_names():
            _require_our_schema(connection, tables)
            names = ", ".join(table.name for table in tables.sorted_tables)
            connection.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))
        else:
            _make_tables(connection)
        yield Target(connection, copying.is_empty(connection, tables), lambda: None)


def _require_our_schema(connection: Connection, tables: MetaData) -> None:
    names = set(inspect(connection).get_table_names())
    found = MigrationContext.configure(connection).get_current_revision()
    scripts = ScriptDirectory(current_app.extensions["migrate"].directory)
    wanted = scripts.get_current_head()
    if _VERSION_TABLE not in names or found is None:
        raise MoveRefused("the target holds tables of another program; move to an empty database")
    if found != wanted or not names >= set(tables.tables):
        raise MoveRefused(
            f"the target has tables of {found}, and this program has {wanted}; "
            "move to an empty database"
        )


def _make_tables(connection: Connection) -> None:
    """Run all migrations as a part of this connection's transaction."""
    config = current_app.extensions["migrate"].migrate.get_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@contextmanager
def _file(path: Path) -> Iterator[Target]:
    if path.exists():
        yield from _existing(path)
    else:
        with _draft(path) as draft, ExitStack() as transaction:
            connection = transaction.enter_context(_engine(draft).begin())
            _make_tables(connection)

            def finish() -> None:
                _require_sound(connection)
                transaction.close()  # commits

            yield Target(connection, True, finish)
    _forget_former(path)


def _existing(path: Path) -> Iterator[Target]:
    """A file that is there already. It is only read: an earlier move may have finished it."""
    engine = create_engine(
        "sqlite://",
        poolclass=NullPool,
        hide_parameters=True,
        creator=lambda: sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True),
    )
    with engine.connect() as connection:
        yield Target(connection, False, lambda: None)


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    """A new file beside the target. It gets the target's name at the end of the block."""
    _require_free(path)
    for old in path.parent.glob(f".moving-*-{path.name}"):  # of a move that was interrupted
        old.unlink()
    draft = path.with_name(f".moving-{secrets.token_hex(4)}-{path.name}")
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        yield draft
        _sync(draft)
        os.link(draft, path)  # fails if another file came there meanwhile
        _sync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def _require_free(path: Path) -> None:
    """``MoveRefused`` if what another database left behind lies beside the new file."""
    if not path.parent.is_dir():
        raise MoveRefused(f"{path.parent}: no such folder")
    mounts = Path("/proc/self/mountinfo")
    if mounts.exists():
        checks.check_file(path, mounts.read_text())
    for end in ("-wal", "-shm", "-journal"):
        if (left := path.with_name(path.name + end)).exists():
            raise MoveRefused(f"{left} is left of another database; stop its server, or remove it")
    former = FileLedger(path)
    if former.remembered() and not former.mark.target():
        raise MoveRefused(
            f"{former.name} says that {path} was lost; move to another path, or remove that file"
        )


def _forget_former(path: Path) -> None:
    """Remove what says that another database was here, whose data was moved away."""
    former = FileLedger(path)
    if former.mark.target():
        path.with_name(former.name).unlink(missing_ok=True)
        former.mark.remove()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _engine(path: Path) -> Engine:
    """An engine for a file that no one else uses."""
    engine = create_engine(
        "sqlite://",
        poolclass=NullPool,
        hide_parameters=True,
        creator=lambda: sqlite3.connect(path, isolation_level=None),
    )

    @event.listens_for(engine, "connect")
    def connected(driver: Any, _record: object) -> None:
        # The migrations make tables anew, which foreign keys forbid. They are checked at the end.
        driver.execute("PRAGMA foreign_keys=OFF")
        driver.execute("PRAGMA journal_mode=MEMORY")  # a draft is thrown away if anything fails

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _require_sound(connection: Connection) -> None:
    found = [row[0] for row in connection.execute(text("PRAGMA integrity_check"))]
    orphans = connection.execute(text("PRAGMA foreign_key_check")).all()
    if found != ["ok"] or orphans:
        raise MoveRefused(f"the new file is not sound: {found[0]}, {len(orphans)} orphan rows")
