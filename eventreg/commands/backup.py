"""The commands about backups: `backup create`, `verify` and `restore`."""

from pathlib import Path

import click
from flask.cli import AppGroup

from eventreg.app_clock import current_time
from eventreg.commands.refusing import in_words, refuse, say_unfinished
from eventreg.core.staff import sessions
from eventreg.operations import forgetting
from eventreg.storage import backups, checks, since_backup
from eventreg.storage.session import write
from eventreg.web.public import outage_page

backup_commands = AppGroup("backup", help="Backups of the database, online and checked.")


@backup_commands.command("create")
@click.argument("file", type=click.Path(path_type=Path))
@in_words
def create(file: Path) -> None:
    """Back the database up, while it runs, into a new FILE, and check it.

    Example: flask --app wsgi backup create backups/before-the-day.zip
    """
    manifest = backups.create(file)
    rows = manifest.rows
    click.echo(
        f"{file}: {rows['registrations']} registrations, {rows['attendees']} attendees, checked"
    )
    click.echo(
        "The secret key is not in it. Keep secret-key of the instance folder too: "
        "without it no ticket link opens."
    )


@backup_commands.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
@in_words
def verify(file: Path) -> None:
    """Check the backup FILE: its checksum and, for SQLite, soundness, schema and rows. Changes
    nothing.

    Example: flask --app wsgi backup verify backups/before-the-day.zip
    """
    manifest = backups.verify(file)
    click.echo(
        f"{file}: whole. {manifest.engine}, made {manifest.made_at}, tables {manifest.schema}"
    )
    for table, rows in sorted(manifest.rows.items()):
        click.echo(f"{rows:>9} {table}")


@backup_commands.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@in_words
def restore(file: Path) -> None:
    """Replace the database with the backup FILE; what is there now is backed up first. Everybody is
    signed out, and people who were erased are erased again. Then run doctor.

    Example: flask --app wsgi backup restore backups/before-the-day.zip
    """
    forgetting.note_before_restore()
    manifest = backups.restore(file)
    checks.make_tables(keep=False)
    write(sessions.end_all)
    done = forgetting.catch_up(now=current_time())
    outage_page.write()
    click.echo(
        "Everybody signs in again, telephones are paired again, and one-time links are made again."
    )
    click.echo(
        f"{file}: restored. {manifest.rows['registrations']} registrations as of {manifest.made_at}"
    )
    say_unfinished(done)


@backup_commands.command("unchanged")
@click.argument("file", type=click.Path(path_type=Path))
@in_words
def unchanged(file: Path) -> None:
    """Say whether nothing was written since the backup FILE, so that a restore loses nothing; exit
    1 if something was. Changes nothing.

    Example: flask --app wsgi backup unchanged backups/before-the-day.zip
    """
    written = since_backup.count_written(backups.verify(file))
    if written:
        refuse(f"{file}: {written} changes were written since; a restore would lose them")
    click.echo(f"{file}: nothing was written since")
