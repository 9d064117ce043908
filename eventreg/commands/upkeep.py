"""Commands that look after the database: `doctor`, and `backup create`, `verify` and `restore`."""

import os
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import NoReturn, ParamSpec, TypeVar

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from eventreg.core import invariants
from eventreg.core.errors import Busy
from eventreg.core.event import events
from eventreg.core.invariants import Finding
from eventreg.core.registration import form_keys
from eventreg.core.staff import sessions
from eventreg.operations import forgetting
from eventreg.operations.forgetting import Purged
from eventreg.settings import Settings
from eventreg.storage import backups, checks, modes
from eventreg.storage.backups import BackupRefused
from eventreg.storage.file_connection import FileLost
from eventreg.storage.session import AWAY, db, reading, write
from eventreg.web.public import outage_page

P = ParamSpec("P")
R = TypeVar("R")
_MOST_TOLD = 10
backup_commands = AppGroup("backup", help="Backups of the database, online and checked.")


def _in_words(command: Callable[P, R]) -> Callable[P, R]:
    """A refusal, or a database that is away, ends the command with one line."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except (BackupRefused, checks.Unsafe) as refused:
            refuse(str(refused))
        except Busy:
            refuse("another program keeps the database busy; try again")
        except (*AWAY, FileLost) as error:
            refuse(f"the database cannot be asked: {str(error.__cause__ or error).splitlines()[0]}")
        except OSError as error:
            refuse(f"{error.filename}: {error.strerror}")

    return wrapped


def the_time() -> datetime:
    """The moment, by the clock of this app."""
    moment: datetime = current_app.extensions["clock"]()
    return moment


def refuse(line: str) -> NoReturn:
    """Say why not, in one line (or one a mistake), and end with 1."""
    click.echo(line, err=True)
    sys.exit(1)


def say_unfinished(done: Purged) -> None:
    """What could not be forgotten yet, and 1; nothing where all was."""
    lines = [*(f"event {slug}: could not be purged; the log says why" for slug in done.failed), *done.owed]
    if lines:
        refuse("\n".join(lines))


@click.command("doctor")
@with_appcontext
@_in_words
def doctor() -> None:
    """Check every invariant, the database's settings and the file modes; exit 1 if one does not hold. Safe on a live system.

    Example: flask --app wsgi doctor
    """
    failed = 0
    for area, finding in _findings():
        failed += not finding.holds
        click.echo(f"{'ok' if finding.holds else 'NO':<3}{area}: {finding.name} ({finding.detail})")
    click.echo("all holds" if not failed else f"{failed} do not hold")
    sys.exit(1 if failed else 0)


def _findings() -> Iterator[tuple[str, Finding]]:
    settings: Settings = current_app.extensions["settings"]
    now = current_app.extensions["clock"]()
    yield "database", Finding("mode", True, checks.mode())
    lost = checks.lost_file()
    yield "database", Finding("file is the one that was last written to", not lost, lost or "in its place")
    kept = checks.left_over()
    told = f"{kept} is kept; look who is missing in the list, then remove it" if kept else "none"
    yield "database", Finding("no log of a file that was replaced", kept is None, told)
    faults = list(checks.faults())
    yield "database", Finding("settings that keep promises", not faults, "; ".join(faults) or "as they must be")
    found, head = checks.schema()
    yield "database", Finding("tables are those of this program", found == head, f"{found}")
    yield "database", _soundness()
    yield "database", _modes(settings)
    stale = form_keys.older_than_kept(reading(), now=now)
    yield (
        "database",
        Finding("form keys", True, f"{stale} older than {form_keys.KEPT.days} days, dropped at the next start"),
    )
    yield (
        "server",
        Finding("cookies", True, "Secure" if settings.https else "not Secure: the public address is plain http"),
    )
    if found != head:
        return
    right = checks.knows_the_key()
    yield "server", Finding("secret key", right, "the one of the tickets" if right else "not the one of the tickets")
    for finding in forgetting.findings(now=now):
        yield "forgetting", finding
    for slug in [event.slug for event in events.all_events(reading())]:
        yield from _of_event(slug, now)


def _of_event(slug: str, now: datetime) -> Iterator[tuple[str, Finding]]:
    """What holds of one event. One that cannot be read is a finding, and does not hide the others."""
    try:
        for finding in invariants.of_event(reading(), events.get(reading(), slug), now=now).findings:
            yield slug, finding
    except (Busy, *AWAY):
        raise
    except Exception as error:
        reading().rollback()
        yield slug, Finding("the event can be read", False, type(error).__name__)


def _soundness() -> Finding:
    if db.engine.dialect.name != "sqlite":
        return Finding("rows and their owners", True, "kept by PostgreSQL's foreign keys")
    found = checks.sqlite_damage()
    return Finding("file is sound, no row without its owner", not found, found or "integrity_check, foreign_key_check")


def _modes(settings: Settings) -> Finding:
    """Only the owner may read what is in the instance folder, whatever it is called."""
    open_ = [os.path.relpath(path, settings.instance.parent) for path in modes.open_to_others(settings)]
    told = ", ".join(open_[:_MOST_TOLD]) + (f", and {len(open_) - _MOST_TOLD} more" if len(open_) > _MOST_TOLD else "")
    return Finding("only the owner may read the instance folder", not open_, told or "modes are closed")


@backup_commands.command("create")
@click.argument("file", type=click.Path(path_type=Path))
@_in_words
def create(file: Path) -> None:
    """Back the database up, while it runs, into a new FILE, and check it.

    Example: flask --app wsgi backup create backups/before-the-day.zip
    """
    manifest = backups.create(file)
    rows = manifest.rows
    click.echo(f"{file}: {rows['registrations']} registrations, {rows['attendees']} attendees, checked")
    click.echo(
        "The secret key is not in it. Keep secret-key of the instance folder too: without it no ticket link opens."
    )


@backup_commands.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
@_in_words
def verify(file: Path) -> None:
    """Look through the backup FILE: checksum, soundness, schema, rows. Changes nothing.

    Example: flask --app wsgi backup verify backups/before-the-day.zip
    """
    manifest = backups.verify(file)
    click.echo(f"{file}: whole. {manifest.engine}, made {manifest.made_at}, tables {manifest.schema}")
    for table, rows in sorted(manifest.rows.items()):
        click.echo(f"{rows:>9} {table}")


@backup_commands.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@_in_words
def restore(file: Path) -> None:
    """Make the database what the backup FILE holds; what is there now is backed up first. Then ask doctor.

    Example: flask --app wsgi backup restore backups/before-the-day.zip
    """
    forgetting.before_restore()
    manifest = backups.restore(file)
    checks.make_tables(keep=False)
    write(sessions.end_all)
    done = forgetting.look(now=the_time())
    outage_page.write()
    click.echo("Everybody signs in again, telephones are paired again, and one-time links are made again.")
    click.echo(f"{file}: restored. {manifest.rows['registrations']} registrations as of {manifest.made_at}")
    say_unfinished(done)
