"""Only one process, on any machine of this database, makes a backup at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flask import current_app
from sqlalchemy import text

from eventreg.storage.session import AWAY, db

_NUMBER = 7302


@contextmanager
def alone() -> Iterator[bool]:
    """Take the lock, without waiting, until the block ends. The block gets whether that was done;
    if not, another process has it."""
    if db.engine.dialect.name == "postgresql":
        with _locked_in_database() as is_ours:
            yield is_ours
        return
    with (Path(current_app.instance_path) / "backup.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


@contextmanager
def _locked_in_database() -> Iterator[bool]:
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        is_ours: bool = connection.execute(
            text("SELECT pg_try_advisory_lock(:number)"), {"number": _NUMBER}
        ).scalar_one()
        try:
            yield is_ours
        finally:
            if is_ours:
                with suppress(*AWAY):  # without the connection, the lock is gone as well
                    connection.execute(
                        text("SELECT pg_advisory_unlock(:number)"), {"number": _NUMBER}
                    )
