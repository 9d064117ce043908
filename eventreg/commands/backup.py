"""The commands about backups: `backup create`, `verify`, `restore`, `run` and `drill`."""

from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from eventreg.app_clock import current_time
from eventreg.commands.refusing import in_words, refuse, refusing, say_unfinished
from eventreg.core.backups import names
from eventreg.core.backups.faults import BackupRefused
from eventreg.core.operation_runs import Operation
from eventreg.operations import restoring
from eventreg.operations.backing_up import running
from eventreg.operations.backing_up.running import Done
from eventreg.settings.table import Settings
from eventreg.storage import backups, checks, since_backup
from eventreg.web.public import outage_page

backup_commands = AppGroup("backup", help="Backups of the database, online and checked.")
_identity = click.option(
    "--identity",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with the private key of age, for an encrypted backup.",
)
_ANOTHER = "another process makes a backup just now"


@backup_commands.command("create")
@click.argument("file", type=click.Path(path_type=Path))
@in_words
def create(file: Path) -> None:
    """Back the database up, while it runs, into a new FILE, and check it. If the name of FILE ends
    in .age, it is encrypted for EVENTREG_BACKUP_RECIPIENT.

    Example: flask --app wsgi backup create backups/before-the-day.zip
    """
    manifest = backups.create(file, _recipient_for(file))
    rows = manifest.rows
    click.echo(
        f"{file}: {rows['registrations']} registrations, {rows['attendees']} attendees, checked"
    )
    click.echo(
        "The secret key is not in it. Keep secret-key of the instance folder too: "
        "without it no ticket link opens."
    )


def _recipient_for(file: Path) -> str:
    if file.suffix != names.ENCRYPTED:
        return ""
    settings: Settings = current_app.extensions["settings"]
    if not settings.backup_recipient:
        raise BackupRefused(f"{file}: for a name that ends in .age, set EVENTREG_BACKUP_RECIPIENT")
    return settings.backup_recipient


@backup_commands.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
@_identity
@in_words
def verify(file: Path, identity: Path | None) -> None:
    """Check the backup FILE: its checksum and, for SQLite, soundness, schema and rows. Changes
    nothing.

    Example: flask --app wsgi backup verify backups/before-the-day.zip
    """
    manifest = backups.verify(file, identity)
    click.echo(
        f"{file}: whole. {manifest.engine}, made {manifest.made_at}, tables {manifest.schema}"
    )
    for table, rows in sorted(manifest.rows.items()):
        click.echo(f"{rows:>9} {table}")


@backup_commands.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@_identity
@in_words
def restore(file: Path, identity: Path | None) -> None:
    """Replace the database with the backup FILE; what is there now is backed up first. Everybody is
    signed out, and people who were erased are erased again. Then run doctor.

    Example: flask --app wsgi backup restore backups/before-the-day.zip
    """
    manifest, done = restoring.restore(file, now=current_time(), identity=identity)
    outage_page.write()
    click.echo(
        "Everybody signs in again, telephones are paired again, and one-time links are made again."
    )
    click.echo(
        f"{file}: restored. {manifest.rows['registrations']} registrations as of {manifest.made_at}"
    )
    say_unfinished(done)


@backup_commands.command("run")
@click.option("--new-place", is_flag=True, help="EVENTREG_BACKUP_COPY is another disk from now on.")
@refusing
def run(new_place: bool) -> None:
    """Make a backup if one is due: once an hour, and every five minutes on the day of an event.
    Then delete old ones, copy to EVENTREG_BACKUP_COPY, and try a restore once a month.

    For a timer that calls it every five minutes. Example: flask --app wsgi backup run
    """
    _require_our_tables()
    settings: Settings = current_app.extensions["settings"]
    if settings.backups is None:
        click.echo("EVENTREG_BACKUPS is off: nothing was done")
        return
    done = running.run(now=current_time(), is_new_place=new_place)
    if done.was_busy:
        click.echo(f"{_ANOTHER}: nothing was done")
        return
    if not done.made and Operation.BACKUP not in done.failed:
        click.echo("no backup is due")
    if done.made:
        click.echo(f"{done.made}: made and checked")
    if done.copied is not None:
        click.echo(f"{settings.backup_copy}: {done.copied} copied")
    _say_drilled(done)


@backup_commands.command("drill")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@_identity
@refusing
def drill(file: Path | None, identity: Path | None) -> None:
    """Restore FILE, or the newest backup that was made by schedule, into a place of its own, look
    whether it could be used, and remove that place. The running server is not touched.

    Example: flask --app wsgi backup drill
    """
    _require_our_tables()
    done = running.run_drill(now=current_time(), file=file, identity=identity)
    if done.was_busy:
        refuse(f"{_ANOTHER}; try again")
    _say_drilled(done)


def _require_our_tables() -> None:
    found, wanted = checks.schema()
    if found != wanted:
        raise checks.Unsafe(f"the tables are of {found}, and this program needs {wanted}")


def _say_drilled(done: Done) -> None:
    """Say what the drill did. If anything failed, say that and exit with 1."""
    if tried := done.drilled:
        click.echo(
            f"{tried.file}: {tried.how} in {tried.seconds:.1f} seconds; "
            f"{tried.registrations} registrations, {tried.attendees} attendees; "
            f"{tried.erased} in the list of the erased"
        )
    if done.failed:
        refuse("\n".join(f"{name}: {line}" for name, line in done.failed.items()))


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
