"""The commands about the tables, such as `db upgrade`. Flask-Migrate brings them; they end in one
line too."""

from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar

import click
from flask.cli import with_appcontext
from flask_migrate.cli import db

from eventreg.commands.refusing import in_words, refuse
from eventreg.storage import checks
from eventreg.storage.session import alone

P = ParamSpec("P")
R = TypeVar("R")


@cache  # once for all apps of a process: Flask-Migrate has one group of commands
def end_in_one_line() -> None:
    """Let every command of `db` end in one line if the database cannot be used, let `db upgrade`
    keep other processes away, and add `db fits`."""
    upgrade = db.commands["upgrade"]
    if upgrade.callback is not None:
        upgrade.callback = _alone(upgrade.callback)
    for command in db.commands.values():
        if command.callback is not None:
            command.callback = in_words(command.callback)
    db.add_command(fits)


def _alone(command: Callable[P, R]) -> Callable[P, R]:
    @with_appcontext
    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with alone():
            checks.check_schema()
            return command(*args, **kwargs)

    return wrapped


@click.command("fits")
@with_appcontext
@in_words
def fits() -> None:
    """Say whether this version runs on the tables, which may be those of a newer version; exit 1
    if not. Changes nothing.

    Example: flask --app wsgi db fits
    """
    found, _ = checks.schema()
    if not checks.has_usable_tables():
        refuse(f"this version does not run on the tables ({found})")
    click.echo(f"this version runs on the tables ({found})")
