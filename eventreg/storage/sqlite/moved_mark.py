"""The mark beside an SQLite file whose data was moved to another database by the command `move`.

While the mark is there, no program uses the file: a running server answers that it is away, and a
start is refused. So no one registers in a database that nobody looks at any more.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Engine, event

from eventreg import log
from eventreg.storage.sqlite.file_connection import FileConnection, FileLost


class MovedMark:
    """The mark of one database file. It names the new database, without its password."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._path = database.with_name(f"moved-{database.name}.txt")
        self.is_ignored = False
        """Whether this program may read the file all the same: only `move` does."""

    @property
    def name(self) -> str:
        """The name of the mark's file."""
        return self._path.name

    def target(self) -> str:
        """Where the data was moved; empty if it was not."""
        with suppress(OSError):
            return self._path.read_text(encoding="utf-8").partition("\n")[0].strip() or "?"
        return ""

    def require_unmoved(self) -> None:
        """``FileLost`` if the data was moved. Asked at every use of the database."""
        if not self.is_ignored and self._path.exists():
            raise FileLost(
                f"the data of {self._database} was moved to {self.target()}: "
                "set EVENTREG_DATABASE_URL to that, or run the same move again if it was "
                f"interrupted; to go on with the old data, remove {self.name} beside it"
            )

    def set(self, target: str) -> None:
        """Mark the file as moved. It is on the disk on return."""
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{target}\nThe data was moved there. Nothing uses the old file any more.\n")
            file.flush()
            os.fsync(descriptor)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def remove(self) -> None:
        """Take the mark away: another database comes into the place of the old one."""
        self._path.unlink(missing_ok=True)


def opening(
    mark: MovedMark, open_file: Callable[[], FileConnection]
) -> Callable[[], FileConnection]:
    """``open_file``, but it raises ``FileLost`` if the data was moved."""

    def opened() -> FileConnection:
        mark.require_unmoved()
        return open_file()

    return opened


def refuse_if_moved(engine: Engine, mark: MovedMark) -> None:
    """Lend no connection to a file whose data was moved, also if it was opened before. The log says
    so once; a program that opens the file only then says it itself."""
    told: list[FileLost] = []

    @event.listens_for(engine, "checkout")
    def lent(_connection: object, _record: object, _fairy: object) -> None:
        try:
            mark.require_unmoved()
        except FileLost as moved:
            if not told:
                told.append(moved)
                log.event("moved", str(moved))
            raise
