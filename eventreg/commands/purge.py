"""The command `purge` erases personal data whose retention period has ended."""

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from eventreg import background
from eventreg.app_clock import current_time
from eventreg.commands.refusing import refusing, say_unfinished
from eventreg.operations import forgetting


@click.command("purge")
@click.option("--dry-run", is_flag=True, help="Only say what would be forgotten.")
@click.option("--forever", is_flag=True, help="Look once an hour until told to stop.")
@with_appcontext
@refusing
def purge(dry_run: bool, forever: bool) -> None:
    """Erase names and numbers whose retention period has ended; counts stay. Also delete old
    automatic backups and what else has expired.

    Example: flask --app wsgi purge --dry-run
    """
    if dry_run and forever:
        raise click.UsageError("give --dry-run or --forever, not both")
    if forever:
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        background.run(app, background.HOUSEKEEPING, background.stop_event())
        return
    done = forgetting.due(now=current_time()) if dry_run else background.purge()
    for one in done.found:
        click.echo(f"{one.slug}: {one.stage}: {one.registrations} registrations")
    click.echo(
        "nothing is due" if not done.found else "would be forgotten" if dry_run else "forgotten"
    )
    say_unfinished(done)
