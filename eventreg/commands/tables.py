"""The commands about the tables, such as `db upgrade`. Flask-Migrate brings them; they end in one
line too."""

from functools import cache

from flask_migrate.cli import db

from eventreg.commands.refusing import in_words


@cache  # once for all apps of a process: Flask-Migrate has one group of commands
def end_in_one_line() -> None:
    """Let every command of `db` end in one line if the database cannot be used."""
    for command in db.commands.values():
        if command.callback is not None:
            command.callback = in_words(command.callback)
