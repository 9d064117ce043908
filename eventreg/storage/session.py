"""The database: one session per request, and the only way to write.

This module is the only one that commits. ``with transaction() as session:`` is a write transaction
from its first statement on. ``write(act)`` runs an act in a transaction, and again if the database
says that another try may succeed. On SQLite, writers pass a fair queue, the gate. On PostgreSQL
they lock rows, under short time limits.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final, TypeVar

from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from eventreg import log
from eventreg.clock import stopwatch
from eventreg.core.audit import forget_logged, log_committed
from eventreg.core.errors import Busy, SeatsRaced
from eventreg.core.models import (
    attendance,
    audit,
    calls,
    door,
    operations,
    outbox,
    registration,
    schema,
    staff,
)
from eventreg.core.models import event as event_models
from eventreg.core.models.base import Base
from eventreg.server.tally import Tally
from eventreg.storage.request_session import RequestSession
from eventreg.storage.sqlite import moved_mark
from eventreg.storage.sqlite.file_connection import FileLost
from eventreg.storage.sqlite.sqlite_file import SqliteFile
from eventreg.storage.write_queue import Gate

__all__ = ["Session"]  # the type of an act's argument
T = TypeVar("T")
TABLES = (
    *(event_models, registration, attendance, calls, outbox),
    *(staff, audit, door, operations, schema),
)
"""All modules with tables. Importing them fills the metadata."""
db = SQLAlchemy(metadata=Base.metadata, session_options={"class_": RequestSession})

PRAGMAS = {
    "busy_timeout": "5000",
    "journal_mode": "WAL",
    "synchronous": "FULL",  # a confirmed seat survives a power cut
    "foreign_keys": "ON",
    "secure_delete": "ON",  # deleted data is overwritten
    "trusted_schema": "OFF",
    "cache_size": "-16000",
}
SESSION = {
    "lock_timeout": "3s",
    "statement_timeout": "10s",
    "idle_in_transaction_session_timeout": "15s",
    "synchronous_commit": "on",  # as FULL, above
}
"""The settings of every PostgreSQL session. ``doctor`` reads them back."""
AWAY = (OperationalError, InterfaceError, PoolTimeoutError)
"""The errors of a database that is away, full, locked or too busy."""
_TRIES = 12
_AGAIN = {"40001", "40P01"}
"""Serialisation failure and deadlock: the server has rolled back, and another try may succeed."""
_POSTGRESQL_POOL = 4
TO_READ: Final = "REPEATABLE READ"
TO_WRITE: Final = "READ COMMITTED"
"""The isolation levels on PostgreSQL: a page reads one snapshot, a writer what was committed."""
ALONE = 7301
"""The number of the lock in PostgreSQL that an upgrade, a start and ``move`` hold."""


def init_app(app: Flask) -> None:
    """Bind the database to the app. Makes an empty SQLite file if there has never been one."""
    file = _sqlite_file(app)
    app.extensions["sqlite_file"] = file
    threads = app.extensions["settings"].threads
    app.extensions["gate"] = gate = file.gate if file else Gate(None)
    gate.most_waiting = max(1, threads // 2)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = _engine_options(file, threads)
    db.init_app(app)
    with app.app_context():
        if file:
            file.make()
            _prepare_sqlite(db.engine)
            file.watch(db.engine)
            moved_mark.refuse_if_moved(db.engine, file.ledger.mark)


def _sqlite_file(app: Flask) -> SqliteFile | None:
    """The database file; ``None`` on PostgreSQL."""
    url: str = app.config["SQLALCHEMY_DATABASE_URI"]
    if not url.startswith("sqlite:///"):
        return None
    path = Path(app.instance_path, url.removeprefix("sqlite:///"))
    return SqliteFile(path, PRAGMAS)


def _engine_options(file: SqliteFile | None, threads: int) -> dict[str, Any]:
    options: dict[str, Any] = {
        "max_overflow": 0,
        "hide_parameters": True,  # an error in the log must not quote a name or a number
        "pool_timeout": 5,
    }
    if file:
        return {
            **options,
            "pool_size": max(8, threads),
            "creator": moved_mark.opening(file.ledger.mark, file.open),
        }
    return {
        **options,
        "pool_size": _POSTGRESQL_POOL,
        "pool_pre_ping": True,  # no dead connection is used after a restart of the database
        "isolation_level": TO_READ,
        "connect_args": {
            "connect_timeout": 3,
            "application_name": "eventreg",
            "options": " ".join(f"-c {name}={value}" for name, value in SESSION.items()),
        },
    }


def close(app: Flask) -> None:
    """Close all connections. The last one to an SQLite file writes its log into the file."""
    with app.app_context():
        db.engine.dispose()
    if file := app.extensions["sqlite_file"]:
        file.close()


def _prepare_sqlite(engine: Engine) -> None:
    # The driver begins no transaction by itself (isolation_level=None), because its own rules for
    # that differ between versions of Python. So each transaction is begun here.
    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        write = connection.get_execution_options().get("write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


@contextmanager
def alone() -> Iterator[None]:
    """Keep every other process, on any machine, from upgrading or starting on this database.

    On SQLite, no one writes meanwhile; on PostgreSQL, others may. Raises ``Busy`` or ``FileLost``
    if the gate does not open, or one of ``AWAY`` if PostgreSQL does not give the lock within a
    minute. Not for use in a request.
    """
    with current_app.extensions["gate"]():
        if db.engine.dialect.name != "postgresql":
            yield
            return
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("SET lock_timeout = '60s'; SET statement_timeout = '60s'"))
            connection.execute(text(f"SELECT pg_advisory_lock({ALONE})"))
            try:
                yield
            finally:
                connection.execute(text(f"SELECT pg_advisory_unlock({ALONE})"))
                connection.invalidate()  # so that no one else gets its time limits


def reading() -> Session:
    """The request's session, for reading. It shows one consistent snapshot."""
    return db.session()


@contextmanager
def apart(engine: Engine) -> Iterator[Session]:
    """A separate session for reading, for an answer that is sent after its request is over."""
    with Session(engine) as session:
        yield session


def reading_already() -> Session | None:
    """The request's session if it is in a transaction; else ``None``."""
    session = db.session() if db.session.registry.has() else None
    return session if session and session.in_transaction() else None


@contextmanager
def transaction() -> Iterator[Session]:
    """A write transaction. It is committed when the block ends, and rolled back if it raises.

    Rows that the request has read before are read again inside, since they may have changed.
    Raises ``Busy`` if the gate does not open in time, one of ``AWAY``, what the block raises, or
    ``IntegrityError`` from the last flush. Raises ``RuntimeError`` inside another transaction, or
    if an object was changed outside one. It does not try again; ``write`` does.
    """
    session = reading()
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("something was changed outside a transaction")
    if session.info.get("writing"):
        raise RuntimeError("a transaction inside a transaction would wait for itself at the gate")
    session.rollback()
    with lost_as_operational_error(), turn():
        commit = _ready_to_write(session)
        session.info["writing"] = True
        try:
            yield session
            session.flush()
            with commit:
                session.commit()
        except BaseException:
            session.rollback()
            forget_logged(session)
            raise
        finally:
            session.info.pop("writing")
        log_committed(session)


@contextmanager
def turn() -> Iterator[None]:
    """Wait for the turn to write, and count how long that took."""
    tally: Tally = current_app.extensions["tally"]
    began = stopwatch()
    with ExitStack() as passed:
        try:
            passed.enter_context(current_app.extensions["gate"]())
        finally:
            tally.writer_waited(stopwatch() - began)
        yield


def _ready_to_write(session: Session) -> AbstractContextManager[None]:
    """Check that the database may be written, and begin. Returns the context for the commit."""
    file = sound_file()
    connection = session.connection(execution_options=_WRITING[session.get_bind().dialect.name])
    driver: Any = connection.connection.dbapi_connection
    return file.committing(driver) if file else nullcontext()


def sound_file() -> SqliteFile | None:
    """The database file, if it may be written; ``None`` on PostgreSQL. ``FileLost`` if it may not.
    Only at the gate."""
    file: SqliteFile | None = current_app.extensions["sqlite_file"]
    if file:
        file.require_sound(db.engine, db.metadata)
    return file


@contextmanager
def lost_as_operational_error() -> Iterator[None]:
    """Raise a lost file as an ``OperationalError``, like the error of a statement."""
    try:
        yield
    except FileLost as lost:
        raise OperationalError("the file", None, lost) from lost


_WRITING: dict[str, dict[str, Any]] = {
    "sqlite": {"write": True},
    "postgresql": {"isolation_level": TO_WRITE},
}


def write(act: Callable[[Session], T]) -> T:
    """Run ``act`` in a transaction, and again if another writer was in the way.

    An act may run several times, so it must only read and write in its session. Its refusals pass
    through. Raises ``Busy`` if the tries are used up, or if the database is away, full or locked;
    ``OperationalError`` if its file is lost; and ``IntegrityError`` if the last try ends with one.
    """
    for left in reversed(range(_TRIES)):
        try:
            with transaction() as session:
                return act(session)
        except SeatsRaced as raced:
            if not left:
                raise Busy from raced
        except IntegrityError:
            # Another writer has just added the same person, code or form: the next try finds it.
            if not left:
                raise
        except AWAY as error:
            if not left or not is_another_try_useful(error):
                raise Busy from error
    raise AssertionError("the last try returns or raises")


def is_another_try_useful(error: Exception) -> bool:
    """Whether the same act may succeed at once. If not, the log says why. Raises the error itself
    if the file is lost: then the page with the telephone number is shown."""
    if isinstance(error.__cause__, FileLost):
        raise error
    if getattr(error.__cause__, "sqlstate", None) in _AGAIN:
        return True
    log.event("database-away", f"not written: {type(error.__cause__ or error).__name__}")
    return False
