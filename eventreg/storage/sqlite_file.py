"""Open the SQLite database file, and notice if it is no longer the same file.

The file may be deleted, replaced or written over from outside. Then nothing more is written to it,
so that no one gets a seat in a file that no program will read again.
"""

import logging
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine, MetaData, event
from sqlalchemy.exc import InvalidatePoolError

from eventreg.storage.file_connection import (
    FileConnection,
    FileLost,
    Inode,
    Log,
    State,
    inode,
    log_of,
)
from eventreg.storage.file_ledger import FileLedger
from eventreg.storage.open_connections import OpenConnections
from eventreg.storage.soundness import last_act, why_unusable
from eventreg.storage.write_queue import Gate, gated


class SqliteFile:
    """One database file. It opens connections, and notices if the file is no longer the same."""

    def __init__(self, path: Path, pragmas: Mapping[str, str], logger: logging.Logger) -> None:
        self.path = path
        self._pragmas = pragmas
        self.ledger = FileLedger(path)
        self.gate = Gate(path.with_name(path.name + ".lock"), ledger=self.ledger)
        self._logger = logger
        self._last_logged = ""
        self._is_to_be_restored = False
        self._was_open = False
        self._connections = OpenConnections()
        self._opening = Lock()

    def make(self, *, anew: bool = False) -> None:
        """Make an empty file if there has never been one.

        ``anew`` is for a restore: an empty file is made also if the file was lost, and a file that
        lacks acts may be opened.
        """
        self._is_to_be_restored = anew
        if self.path.exists() or (self.ledger.remembered() and not anew):
            return
        with suppress(OSError):  # opening it then says what is wrong
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))

    def open(self) -> FileConnection:
        """A new connection, with the same log as all others.

        It never makes a file: ``FileLost`` if the file is gone, is no database or lacks acts. The
        log of a file that was replaced is first put aside, as ``left_over``.
        """
        name = str(self.path)
        opened = inode(name)
        if opened is None:
            self._log_if_running(self._gone)
            raise FileLost(self._gone)
        if self.ledger.log_is_left_over():
            with self.gate():
                self._require_all_acts(self.ledger.head())
                self._put_log_aside()
        return self._connect(name, opened)

    def _connect(self, name: str, opened: Inode) -> FileConnection:
        made = None
        try:
            with self._opening:
                log = self._log_to_open(opened)
                made = sqlite3.connect(
                    f"file:{quote(name)}?mode=rw",
                    uri=True,
                    factory=gated(self.gate, FileConnection),
                    check_same_thread=False,
                    isolation_level=None,
                )
                for pragma, value in self._pragmas.items():
                    made.execute(f"PRAGMA {pragma}={value}")
                made.note_files(name, opened, log, self.ledger.descriptor(opened))
                if self.ledger.was_replaced():
                    self._require_all_acts(made.acts())
                self._connections.add(made)
                self._was_open = True
        except sqlite3.DatabaseError as error:
            if made is not None:
                made.close()
            if isinstance(error, sqlite3.OperationalError):
                raise
            raise FileLost(f"{name}: {error}") from error
        return made

    def _require_all_acts(self, acts: int) -> None:
        """``FileLost`` if a file with so many acts lacks one that was confirmed to someone."""
        if acts < self.ledger.acts_written() and not self._is_to_be_restored:
            self._log_if_running(older := self._older(acts))
            raise FileLost(older)

    def _log_to_open(self, opened: Inode) -> Log:
        """The log that a new connection will open. ``FileLost`` if it is not the log that all open
        connections have."""
        name = str(self.path)
        connections, log = self._connections.all(), log_of(name)
        for one in connections:
            is_its_successor = one.is_old and one.log[1] == log[1]
            if one.opened == opened and one.log != log and not is_its_successor:
                raise FileLost(f"the log of the database was removed: {name}-wal")
        if not connections and self.ledger.log_was_removed():
            raise FileLost(self._log_removed)
        return log

    def watch(self, engine: Engine) -> None:
        """Let the pool lend only connections whose files are still in their place."""

        @event.listens_for(engine, "checkout")
        def lent(connection: FileConnection, _record: Any, _fairy: Any) -> None:
            self._connections.lend(connection)
            if (state := connection.state()) is not State.IN_PLACE:
                self._lost(connection, state)
                raise InvalidatePoolError

        @event.listens_for(engine, "checkin")
        def given_back(connection: FileConnection | None, _record: Any) -> None:
            if connection is not None:
                self._connections.take_back(connection)

    def require_sound(self, engine: Engine, tables: MetaData) -> None:
        """Only at the gate, before a write. If the file was changed from outside, check it:
        ``FileLost`` unless it is sound, has our tables, and lacks no act. Then it is used from now
        on, and the log has a warning."""
        if not self.ledger.was_changed_outside:
            return
        # the old connections have cached pages of the old content
        engine.dispose()
        wrong = self._why_unusable(engine, tables) if self.path.exists() else self._gone
        if wrong:
            raise self._logged(wrong)
        self._logger.warning(
            "the database file is another than before; it is sound, and used from now on: %s",
            self.path,
        )
        self.ledger.accept(last_act(engine))
        self._last_logged = ""

    def _why_unusable(self, engine: Engine, tables: MetaData) -> str:
        """Why the file may not be used; empty if it is sound, has our tables, and lacks no act."""
        if wrong := why_unusable(engine, tables):
            return wrong
        acts = last_act(engine)
        if acts < self.ledger.acts_written():
            return self._older(acts)
        return self._older(self.ledger.head()) if self.ledger.head_went_back() else ""

    def restored(self, connection: FileConnection) -> None:
        """Only at the gate. What this connection has just written is the database from now on."""
        self.ledger.accept(connection.acts())

    def check(self, connection: FileConnection) -> None:
        """Only at the gate, before and after a commit: ``FileLost`` if the commit goes, or went, to
        a file that no other program will read."""
        if (state := connection.state()) is not State.IN_PLACE:
            raise FileLost(f"the database file is not in its place: {self.path} ({state.name})")

    def committing(self, connection: FileConnection) -> AbstractContextManager[None]:
        """Only at the gate, from the start of a transaction on. Commit inside the block.

        If the act changes anything, it gets its number before the commit. After the commit it
        counts as written. ``FileLost`` as for ``check``.
        """
        return self._committing(connection, connection.total_changes)

    @contextmanager
    def _committing(self, connection: FileConnection, changes: int) -> Iterator[None]:
        self.check(connection)
        acts = connection.acts()
        if acts < self.ledger.written:  # the log was cut or written over
            raise self._logged(self._older(acts))
        if connection.total_changes != changes:
            acts += 1
            connection.execute(f"PRAGMA user_version={acts}")
        yield
        self.check(connection)
        self.ledger.written = acts

    def close(self) -> None:
        """Close what was opened to read the file's header, if no connection is open."""
        if not self._connections.all():
            self.ledger.close()

    def fault(self, engine: Engine) -> str:
        """For ``doctor``: what is wrong with the file's place or lacking in the file; or empty."""
        if fault := self._fault_of_place():
            return fault
        # Read first: other programs may write acts while the database is asked.
        written = self.ledger.acts_written()
        acts = last_act(engine)
        return self._older(acts) if acts < written else ""

    def _fault_of_place(self) -> str:
        if not self.path.exists():
            return self._gone
        if not self._connections.all() and self.ledger.log_was_removed():
            return self._log_removed
        head = self.ledger.head()
        is_older = self.ledger.log_is_left_over() and head < self.ledger.acts_written()
        return self._older(head) if is_older else self.ledger.fault()

    @property
    def left_over(self) -> Path:
        """The path at which the log of a replaced file is kept."""
        return self.path.with_name(f"{self.path.name}-wal.left-over")

    def _put_log_aside(self) -> None:
        if self.ledger.log_is_left_over():
            aside = self.left_over
            self.path.with_name(f"{self.path.name}-wal").replace(aside)
            self.path.with_name(f"{self.path.name}-shm").unlink(missing_ok=True)
            self._logger.error(
                "the log of the database file that was there before is kept as %s", aside
            )

    def _lost(self, connection: FileConnection, state: State) -> None:
        """Log what was lost. If only the log was removed, save its content into the file."""
        if state is State.GONE:
            self._log_once(f"the database file was deleted or replaced under us: {self.path}")
        if state is not State.LOG_GONE:
            return
        with self.gate():
            if connection.is_old:  # another thread has just saved it
                return
            saved = connection.save_log()
            what = (
                "what stood in it is in the database file"
                if saved
                else "another program has begun a new one"
            )
            self._log_once(f"the log of the database was removed under us: {self.path}-wal; {what}")
            self._connections.give_up(connection.log)

    @property
    def _gone(self) -> str:
        return (
            f"the database file is gone: {self.path}; put it back, "
            "bring a backup back with backup restore, "
            f"or remove {self.ledger.name} beside it to begin with an empty one"
        )

    @property
    def _log_removed(self) -> str:
        return (
            f"{self.path}-wal was removed while another program writes; "
            "that one saves it with its next act"
        )

    def _older(self, acts: int) -> str:
        lacking = max(self.ledger.acts_written() - acts, 1)
        return (
            f"the database file was replaced by an older one, which lacks the last {lacking} acts: "
            f"{self.path}; move the right one to its place, "
            "bring a backup back with backup restore, "
            f"or remove {self.ledger.name} beside it to go on with this one"
        )

    def _log_if_running(self, line: str) -> None:
        """A program that has not opened the file yet reports the error itself."""
        if self._was_open:
            self._log_once(line)

    def _logged(self, line: str) -> FileLost:
        """What to raise, logged once."""
        self._log_once(line)
        return FileLost(line)

    def _log_once(self, line: str) -> None:
        """Log an error once, and not at each request."""
        if line != self._last_logged:
            self._last_logged = line
            self._logger.error(line)
