"""The database file under a running program. Somebody may delete it, put another in its place, or
write over it: then nothing is written, and nobody is promised a seat in a file that nobody will
read again."""

import logging
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote
from weakref import WeakSet

from sqlalchemy import Engine, MetaData, event, select, text
from sqlalchemy.exc import DatabaseError, InvalidatePoolError

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
from eventreg.storage.write_queue import Gate, gated


class SqliteFile:
    """One database file: opened, watched, and remembered from one program to the next."""

    def __init__(self, path: Path, pragmas: Mapping[str, str], logger: logging.Logger) -> None:
        self.path = path
        self._pragmas = pragmas
        self.ledger = FileLedger(path)
        self.gate = Gate(path.with_name(path.name + ".lock"), ledger=self.ledger)
        self._logger = logger
        self._said = ""
        self._is_to_be_restored = False
        self._was_open = False
        self._open: WeakSet[FileConnection] = WeakSet()
        self._opening = Lock()
        self._hand = Lock()
        """Held while a connection is taken in hand, or closed because nobody has it."""

    @property
    def _gone(self) -> str:
        return (
            f"the database file is gone: {self.path}; put it back, bring a backup back with "
            "backup restore, or remove "
            f"{self.ledger.name} beside it to begin with an empty one"
        )

    def make(self, *, anew: bool = False) -> None:
        """Make an empty file where there has never been one; ``anew``, also where one was lost, and
        whatever file is there may be opened, since it is about to be restored."""
        self._is_to_be_restored = anew
        if self.path.exists() or (self.ledger.remembered() and not anew):
            return
        with suppress(OSError):  # opening it then says what is wrong
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))

    def open(self) -> FileConnection:
        """A connection to the file that is there, with the same log as all others. It never makes a
        file: ``FileLost`` if it is gone, or is no database."""
        name = str(self.path)
        opened = inode(name)
        if opened is None:
            if self._was_open:  # a program that has just begun says it by itself
                self._say(self._gone)
            raise FileLost(self._gone)
        if self.ledger.log_is_left_over():
            with self.gate():
                self._check_for_acts(self.ledger.head())
                self._put_log_aside()
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
                made.take_note(name, opened, log)
                if self.ledger.was_replaced():
                    self._check_for_acts(made.acts())
                self._open.add(made)
                self._was_open = True
        except sqlite3.DatabaseError as error:
            if made is not None:
                made.close()
            raise (
                error
                if isinstance(error, sqlite3.OperationalError)
                else FileLost(f"{name}: {error}")
            ) from error
        return made

    def _check_for_acts(self, acts: int) -> None:
        """``FileLost`` if a file with so many acts lacks some that somebody was told of."""
        if acts < self.ledger.acts_written() and not self._is_to_be_restored:
            if self._was_open:  # a program that has just begun says it by itself
                self._say(self._older(acts))
            raise FileLost(self._older(acts))

    def _older(self, acts: int) -> str:
        lacking = max(self.ledger.acts_written() - acts, 1)
        return (
            f"the database file was replaced by an older one, which lacks the last {lacking} acts: "
            f"{self.path}; move the right one to its place, bring a backup back with backup "
            "restore, or remove "
            f"{self.ledger.name} beside it to go on with this one"
        )

    def _log_to_open(self, opened: Inode) -> Log:
        """The log by its name, if it is the one that all who are connected have open: two logs of
        one file would spoil it."""
        living, log = self._living(), log_of(str(self.path))
        for one in living:
            if (
                one.opened == opened
                and one.log != log
                and not (one.is_old and one.log[1] == log[1])
            ):
                raise FileLost(f"the log of the database was removed: {self.path}-wal")
        if not living and self.ledger.log_was_removed():
            raise FileLost(self._log_removed)
        return log

    def watch(self, engine: Engine) -> None:
        """No connection is handed out whose files are no longer in their place."""

        @event.listens_for(engine, "checkout")
        def handed_out(connection: FileConnection, _record: Any, _fairy: Any) -> None:
            with self._hand:
                connection.in_hand = True
            if (state := connection.state()) is not State.IN_PLACE:
                self._lost(connection, state)
                raise InvalidatePoolError

        @event.listens_for(engine, "checkin")
        def handed_back(connection: FileConnection | None, _record: Any) -> None:
            if connection is not None:
                with self._hand:
                    connection.in_hand = False
                if connection.is_old:
                    connection.close()

    def may_write(self, engine: Engine, tables: MetaData) -> None:
        """Only at the gate. If the file is another than was written last, or was written past the
        gate: look whether it is sound and ours, and raise ``FileLost`` if not."""
        if not self.ledger.is_strange:
            return
        # what old connections remember of the old content must not be mixed with it
        engine.dispose()
        wrong = self._wrong(engine, tables) if self.path.exists() else self._gone
        if wrong:
            self._say(wrong)
            raise FileLost(wrong)
        self._logger.warning(
            "the database file is another than before; it is sound, and used from now on: %s",
            self.path,
        )
        self.ledger.accept(_acts(engine))
        self._said = ""

    def _wrong(self, engine: Engine, tables: MetaData) -> str:
        """Why the file that is there is not to be used; empty if it is sound, ours, and lacks
        nothing."""
        if wrong := _unsound(engine, tables):
            return wrong
        acts = _acts(engine)
        if acts < self.ledger.acts_written():
            return self._older(acts)
        return self._older(self.ledger.head()) if self.ledger.head_went_back() else ""

    def restored(self, connection: FileConnection) -> None:
        """Only at the gate. What that connection has just written is the database from now on,
        whatever was there before."""
        self.ledger.accept(connection.acts())

    def check(self, connection: FileConnection) -> None:
        """Only at the gate, before and after a commit: ``FileLost`` if it would go, or went, where
        nobody reads it."""
        if (state := connection.state()) is not State.IN_PLACE:
            raise FileLost(f"the database file is not in its place: {self.path} ({state.name})")

    def committing(self, connection: FileConnection) -> AbstractContextManager[None]:
        """Only at the gate, from the begin of a transaction on. Commit inside the block: the act
        gets its number before, if it changes anything, and counts as written after. ``FileLost`` if
        it would go, or went, where nobody reads it."""
        return self._committing(connection, connection.total_changes)

    @contextmanager
    def _committing(self, connection: FileConnection, changes: int) -> Iterator[None]:
        self.check(connection)
        acts = connection.acts()
        if acts < self.ledger.written:  # the log was cut or written over
            self._say(self._older(acts))
            raise FileLost(self._older(acts))
        if connection.total_changes != changes:
            acts += 1
            connection.execute(f"PRAGMA user_version={acts}")
        yield
        self.check(connection)
        self.ledger.written = acts

    def close(self) -> None:
        """Give back what was opened to look at the file, if no connection needs it any more."""
        if not self._living():
            self.ledger.close()

    def fault(self, engine: Engine) -> str:
        """For ``doctor``: what is wrong with the file's place, or lacking in it; empty if nothing
        is."""
        if fault := self._fault_of_place():
            return fault
        written = (
            self.ledger.acts_written()
        )  # before the acts are counted: meanwhile there may be more
        acts = _acts(engine)
        return self._older(acts) if acts < written else ""

    def _fault_of_place(self) -> str:
        if not self.path.exists():
            return self._gone
        if not self._living() and self.ledger.log_was_removed():
            return self._log_removed
        head = self.ledger.head()
        is_older = self.ledger.log_is_left_over() and head < self.ledger.acts_written()
        return self._older(head) if is_older else self.ledger.fault()

    @property
    def left_over(self) -> Path:
        """Where the log of a file that was replaced is kept."""
        return self.path.with_name(f"{self.path.name}-wal.left-over")

    @property
    def _log_removed(self) -> str:
        return (
            f"{self.path}-wal was removed while another program writes; "
            "that one saves it with its next act"
        )

    def _put_log_aside(self) -> None:
        if self.ledger.log_is_left_over():
            aside = self.left_over
            self.path.with_name(f"{self.path.name}-wal").replace(aside)
            self.path.with_name(f"{self.path.name}-shm").unlink(missing_ok=True)
            self._logger.error(
                "the log of the database file that was there before is kept as %s", aside
            )

    def _lost(self, connection: FileConnection, state: State) -> None:
        """Say so; and if it is the log alone that was removed, save what stands in it."""
        if state is State.GONE:
            self._say(f"the database file was deleted or replaced under us: {self.path}")
        if state is not State.LOG_GONE:
            return
        with self.gate():
            if connection.is_old:  # somebody else has just saved it
                return
            saved = connection.save_log()
            what = (
                "what stood in it is in the database file"
                if saved
                else "another program has begun a new one"
            )
            self._say(f"the log of the database was removed under us: {self.path}-wal; {what}")
            self._give_up(connection.log)

    def _give_up(self, log: Log) -> None:
        """No connection with that log is used again: those that nobody has in hand are closed, the
        others when they come back."""
        for one in self._living():
            with self._hand:
                if one.log == log:
                    one.is_old = True
                    if not one.in_hand:
                        one.close()

    def _living(self) -> list[FileConnection]:
        return [one for one in list(self._open) if not one.is_closed]

    def _say(self, line: str) -> None:
        """Once for each thing that happens, and not once a request."""
        if line != self._said:
            self._said = line
            self._logger.error(line)


def damage(engine: Engine) -> str:
    """What SQLite finds wrong with the file; empty where it is sound."""
    with engine.connect() as connection:
        found = [row[0] for row in connection.execute(text("PRAGMA integrity_check"))]
        orphans = len(connection.execute(text("PRAGMA foreign_key_check")).all())
    return (
        "" if found == ["ok"] and not orphans else f"{'; '.join(found[:3])}; {orphans} orphan rows"
    )


def _acts(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("PRAGMA user_version")).scalar_one())


def _unsound(engine: Engine, tables: MetaData) -> str:
    """Why this file is not ours; empty where it has our tables and is sound."""
    try:
        with engine.connect() as connection:
            for table in tables.tables.values():
                connection.execute(select(table).limit(0))
        found = damage(engine)
    except DatabaseError as error:
        why = str(error.__cause__ or error).splitlines()[0]
        return f"the database file was replaced, and is not to be used: {why}"
    return f"the database file was written over, and is damaged: {found}" if found else ""
