"""How a command refuses: the reason on the error output, and exit code 1."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import NoReturn, ParamSpec, TypeVar

import click
from sqlalchemy import inspect

from eventreg.core.errors import Busy, FieldRefused, Refusal, first_line
from eventreg.i18n import sentence
from eventreg.operations.forgetting import Purged
from eventreg.storage import checks
from eventreg.storage.backups import BackupRefused
from eventreg.storage.file_connection import FileLost
from eventreg.storage.session import AWAY, db

P = ParamSpec("P")
R = TypeVar("R")


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
    """Decorator for commands about the database itself. It ends in one line if the database or a
    file cannot be used."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except (BackupRefused, checks.Unsafe) as refused:
            refuse(str(refused))
        except Busy:
            refuse("another program keeps the database busy; try again")
        except (*AWAY, FileLost) as error:
            refuse(f"the database cannot be asked: {first_line(error)}")
        except OSError as error:
            refuse(f"{error.filename}: {error.strerror}")

    return wrapped


def _make_missing_tables() -> None:
    """Make the tables if this command runs before the first start of the server."""
    if not inspect(db.engine).has_table("events"):
        checks.make_tables()


def refusing(command: Callable[P, R]) -> Callable[P, R]:
    """Decorator for commands that use the database: a refusal of the core ends in one line. Makes
    the tables if there are none."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            _make_missing_tables()
            return command(*args, **kwargs)
        except FieldRefused as refusal:
            refuse(sentence("en", refusal.reason, **refusal.values))
        except UnicodeEncodeError:
            refuse("An argument is no text in UTF-8")
        except Refusal as refusal:
            refuse(
                sentence("en", f"refused_{refusal.code}")
                + (f" ({refusal})" if str(refusal) else "")
            )
        except AWAY as error:
            refuse(f"the database cannot be asked: {first_line(error)}")

    return wrapped
