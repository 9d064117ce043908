"""The database: one session a request, one way to write, and SQLite made to keep its word.

Nothing else commits. ``with transaction() as session:`` is a write transaction from its first statement on: writers queue
in order at a gate, so that none starves, and what was read inside cannot change before the commit (PERFORMANCE.md 7).
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from flask import Flask, current_app
from flask_migrate import upgrade
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session

from eventreg.core.models import Base

db = SQLAlchemy(metadata=Base.metadata)

_PRAGMAS = (
    "busy_timeout=5000",
    "journal_mode=WAL",
    "synchronous=FULL",  # an answer that promised a seat survives a power cut
    "foreign_keys=ON",
    "secure_delete=ON",  # what is erased is overwritten
    "trusted_schema=OFF",
    "cache_size=-16000",
)


class Gate:
    """A fair queue of writers: a lock among threads, then a file lock among processes.

    SQLite's own waiting sleeps and looks again, so that on a busy file one writer may starve for seconds.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._threads = Lock()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Wait for one's turn; a database that is no file has no gate."""
        if self._path is None:
            yield
            return
        with self._threads:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield
            finally:
                os.close(descriptor)  # which lets go of the lock


def init_app(app: Flask) -> None:
    """Bind the database to the app."""
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    file = Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None
    app.extensions["gate"] = Gate(file.with_name(file.name + ".lock") if file else None)
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            _prepare_sqlite(db.engine)


def _prepare_sqlite(engine: Engine) -> None:
    # The driver is told to begin nothing by itself; only then is a transaction what the code says it is, on every
    # Python (PERFORMANCE.md 7.2).
    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        write = connection.get_execution_options().get("write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def make_tables() -> None:
    """Bring the tables up to date, one process at a time."""
    with current_app.extensions["gate"]():
        upgrade()


def reading() -> Session:
    """The request's session, for looking. What it shows is one consistent moment."""
    return db.session()


@contextmanager
def transaction() -> Iterator[Session]:
    """A write transaction: committed when the block ends, rolled back when it raises.

    Whatever the request has read so far is read again inside, since it may have changed meanwhile.
    """
    session = reading()
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("something was changed outside a transaction")
    if session.info.get("writing"):
        raise RuntimeError("a transaction inside a transaction would wait for itself at the gate")
    session.rollback()
    with current_app.extensions["gate"]():
        session.connection(execution_options={"write": True})
        session.info["writing"] = True
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            session.info.pop("writing")
