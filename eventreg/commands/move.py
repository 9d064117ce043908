"""The command `move`: all data goes to another database."""

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from eventreg.app_clock import current_time
from eventreg.commands.refusing import in_words
from eventreg.operations import moving
from eventreg.settings import kinds
from eventreg.storage.move.target import shown


def _database(_context: click.Context, _option: click.Parameter, typed: str) -> URL:
    """The address of the target. Wrong usage if it is none."""
    try:
        return make_url(kinds.database(typed))
    except (ValueError, ArgumentError) as wrong:
        raise click.BadParameter(str(wrong)) from wrong


@click.command("move")
@click.option("--to", "target", required=True, callback=_database, help="Address of the target.")
@with_appcontext
@in_words
def move(target: URL) -> None:
    """Move all data to an empty database, and compare every row. The old one is not used any more.

    While it runs, guests cannot register; afterwards a server on the old database says that it is
    away. If the move is interrupted, run it again. A password may stand in ~/.pgpass instead.

    Example: flask --app wsgi move --to postgresql+psycopg://eventreg@db.internal/eventreg
    """
    moved = moving.move(target, now=current_time())
    before = "was moved before" if moved.is_old else "moved"
    rows = moved.rows
    click.echo(
        f"{before} to {shown(target)}: {rows['registrations']} registrations, "
        f"{rows['attendees']} attendees, {sum(rows.values())} rows in all, each compared"
    )
    settings = current_app.extensions["settings"]
    click.echo("Next, on every machine:")
    click.echo("1. Stop the server: it says that it is away, because the old database is closed.")
    click.echo(f"2. Set EVENTREG_DATABASE_URL={shown(target)}")
    click.echo(f"3. Copy secret-key and forgotten.txt from {settings.instance} to its instance.")
    click.echo("4. Run doctor. Start the server. Make a backup.")
