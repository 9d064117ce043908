"""How a command refuses: the reason on the error output, and exit code 1."""

import sqlite3
import sys
from collections.abc import Callable
from functools import wraps
from typing import NoReturn, ParamSpec, TypeVar

import click
from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from eventreg.core.backups.faults import BackupRefused
from eventreg.core.errors import Busy, FieldRefused, Refusal, first_line
from eventreg.i18n import sentence
from eventreg.operations.forgetting import Purged
from eventreg.storage import checks
from eventreg.storage.session import db

P = ParamSpec("P")
R = TypeVar("R")
OF_DATABASE = (DBAPIError, PoolTimeoutError, sqlite3.Error)
"""The errors of a database that is away, lost, locked, full, damaged or without our tables. The
queue of writers and backups raise those of SQLite itself."""
TROUBLE = (Refusal, BackupRefused, checks.Unsafe, UnicodeEncodeError, OSError, *OF_DATABASE)
"""The errors that end a program in one line, as ``reason`` says it. Any other is a bug of ours."""


def reason(trouble: Exception) -> str:
    """The line for one of ``TROUBLE``."""
    if isinstance(trouble, OF_DATABASE):
        return f"the database cannot be asked: {first_line(trouble)}"
    if isinstance(trouble, Busy):
        cause = trouble.__cause__
        if isinstance(cause, OF_DATABASE):
            return reason(cause)
        return "another program keeps the database busy; try again"
    if isinstance(trouble, UnicodeEncodeError):
        return "An argument is no text in UTF-8"
    if isinstance(trouble, OSError) and trouble.strerror:
        return f"{trouble.filename}: {trouble.strerror}" if trouble.filename else trouble.strerror
    return _sentence(trouble) if isinstance(trouble, Refusal) else str(trouble)


def _sentence(refusal: Refusal) -> str:
    if isinstance(refusal, FieldRefused):
        return sentence("en", refusal.reason, **refusal.values)
    more = f" ({refusal})" if str(refusal) else ""
    return sentence("en", f"refused_{refusal.code}") + more


def refuse(line: str) -> NoReturn:
    """Print the reason on the error output, and exit with 1."""
    click.echo(line, err=True)
    sys.exit(1)


def say_unfinished(done: Purged) -> None:
    """Exit with 1 and say what a purge could not do. If it did everything, do nothing."""
    lines = [
        *(f"event {slug}: could not be purged; the log says why" for slug in done.failed),
        *done.owed,
    ]
    if lines:
        refuse("\n".join(lines))


def in_words(command: Callable[P, R]) -> Callable[P, R]:
    """Decorator for commands: it ends in one line if the core refuses, or if the database or a file
    cannot be used."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except BrokenPipeError:
            raise  # nobody reads the output any more; click ends quietly
        except TROUBLE as trouble:
            refuse(reason(trouble))

    return wrapped


def _make_missing_tables() -> None:
    """Make the tables if this command runs before the first start of the server."""
    if not inspect(db.engine).has_table("events"):
        checks.make_tables()


def refusing(command: Callable[P, R]) -> Callable[P, R]:
    """Decorator for commands that use the tables: as ``in_words``, and it makes the tables if there
    are none."""

    @in_words
    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        _make_missing_tables()
        return command(*args, **kwargs)

    return wrapped
