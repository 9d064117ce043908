"""The commands, under `flask --app wsgi`. Exit 0 done, 1 refused with one clear line and nothing changed, 2 wrong usage."""

import sys
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import click
from flask import Flask, current_app, g
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import inspect

from eventreg import event_reader, modes, pdf
from eventreg.core import attendees, audit, check_in_list, event_file, events, passwords, seats, staff
from eventreg.core.attendees import Row
from eventreg.core.check_in_list import as_csv, as_text, plain
from eventreg.core.definition import Definition
from eventreg.core.errors import FieldRefused, Refusal
from eventreg.core.models import Event
from eventreg.core.printed import Part
from eventreg.core.staff_models import Role
from eventreg.db import AWAY, db, reading, transaction, write
from eventreg.delivery import outbox_commands
from eventreg.housekeeping import purge
from eventreg.i18n import sentence
from eventreg.storage import make_tables
from eventreg.upkeep import backup_commands, doctor, refuse, the_time
from eventreg.web import sheets, trouble

P = ParamSpec("P")
R = TypeVar("R")
event_commands = AppGroup("event", help="Event files in, events out.")
staff_commands = AppGroup("staff", help="Accounts of organisers, desk and door.")


def init_app(app: Flask) -> None:
    """Register the commands."""
    for command in (
        event_commands,
        staff_commands,
        outbox_commands,
        backup_commands,
        doctor,
        purge,
        print_check_in_list,
    ):
        app.cli.add_command(command)


def _with_tables() -> None:
    """A command may be the first thing anybody does here, before any start: then it makes the tables."""
    if not inspect(db.engine).has_table("events"):
        make_tables()


def _refusing(command: Callable[P, R]) -> Callable[P, R]:
    """For commands that need the database: a refusal of the core ends them in words."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            _with_tables()
            return command(*args, **kwargs)
        except FieldRefused as refusal:
            refuse(sentence("en", refusal.reason, **refusal.values))
        except UnicodeEncodeError:
            refuse("An argument is no text in UTF-8")
        except Refusal as refusal:
            refuse(sentence("en", f"refused_{refusal.code}") + (f" ({refusal})" if str(refusal) else ""))
        except AWAY as error:
            refuse(f"the database cannot be asked: {str(error.__cause__ or error).splitlines()[0]}")

    return wrapped


def _read(file: str) -> Definition:
    try:
        with Path(file).open(encoding="utf-8") as opened:
            toml = opened.read(event_file.LONGEST + 1)
    except (OSError, UnicodeDecodeError) as error:
        refuse(f"{file}: cannot be read: {error}")
    try:
        return event_reader.parse(toml, file)
    except event_file.DefinitionInvalid as invalid:
        refuse("\n".join(map(plain, invalid.mistakes)))


def _warn(found: Definition, file: str) -> None:
    for warning in event_file.warnings(found, file):
        click.echo(f"warning: {plain(warning)}", err=True)


@event_commands.command("check")
@click.argument("file")
def check(file: str) -> None:
    """Say whether FILE is a right event file; changes nothing.

    Example: flask --app wsgi event check events/my-lecture.toml
    """
    found = _read(file)
    _warn(found, file)
    click.echo(f"{file}: right. {found.slug}: {found.capacity} seats")


@event_commands.command("apply")
@click.argument("file")
@_refusing
def apply(file: str) -> None:
    """Make the event what FILE says; shows what changes. Takes effect at once on a running server.

    Example: flask --app wsgi event apply events/my-lecture.toml
    """
    found = _read(file)
    _warn(found, file)
    now = the_time()
    applied = write(lambda session: events.apply(session, found, by=audit.SYSTEM, now=now))
    trouble.write()
    for key, before, after in applied.changes:
        click.echo(f"{plain(key)}: {plain(before) or '(nothing)'} -> {plain(after) or '(nothing)'}")
    done = "created" if applied.created else "changed" if applied.changes else "unchanged"
    over = f", over by {applied.seats.over}" if applied.seats.over else ""
    waiting = f", {applied.seats.waiting} waiting" if applied.seats.waiting else ""
    click.echo(f"{found.slug}: {done}. {applied.seats.taken} of {applied.seats.capacity} seats taken{over}{waiting}")


@event_commands.command("list")
@_refusing
def list_events() -> None:
    """List the events.

    Example: flask --app wsgi event list
    """
    for event in events.all_events(reading()):
        counted = seats.count(reading(), event.id, now=the_time())
        begins = event.starts_at.astimezone(events.zone(event))
        title = definition_title(event)
        click.echo(f"{event.slug}\t{begins:%Y-%m-%d %H:%M}\t{counted.taken}/{counted.capacity}\t{title}")


def definition_title(event: Event) -> str:
    """Both titles, for a terminal."""
    title = events.definition(event).title
    return plain(f"{title.zh} / {title.en}")


@event_commands.command("show")
@click.argument("slug")
@_refusing
def show(slug: str) -> None:
    """Show the event SLUG: times, limits and seats.

    Example: flask --app wsgi event show my-lecture
    """
    event = events.get(reading(), slug)
    counted = seats.count(reading(), event.id, now=the_time())
    zone = events.zone(event)
    lines = {
        "slug": event.slug,
        "title": definition_title(event),
        "capacity": counted.capacity,
        "seats taken": counted.taken,
        "seats left": counted.left,
        **({"seats held for calls": counted.held} if counted.held else {}),
        **({"people waiting": counted.waiting} if counted.waiting else {}),
        **({"over by": counted.over} if counted.over else {}),
        "starts": f"{event.starts_at.astimezone(zone):%Y-%m-%d %H:%M} {event.timezone}",
        "ends": f"{event.ends_at.astimezone(zone):%Y-%m-%d %H:%M}",
        "registration closes": f"{event.registration_closes_at.astimezone(zone):%Y-%m-%d %H:%M}",
        "check-in": (
            f"{event.check_in_opens_at.astimezone(zone):%H:%M} to {event.check_in_closes_at.astimezone(zone):%H:%M}"
        ),
        "place": plain(events.definition(event).place.name.zh),
        "state": events.phase(event, the_time()).value,
        "version": event.version,
    }
    for key, value in lines.items():
        click.echo(f"{key + ':':<21}{value}")


def _password(from_stdin: bool, username: str) -> str | None:
    if not from_stdin:
        return None
    return passwords.check(sys.stdin.readline().rstrip("\r\n"), username)


def _print_link(token: str) -> None:
    """Alone on its line, so that it can be picked out by a person and by a program."""
    click.echo(f"{current_app.extensions['settings'].public_url}/staff/welcome/{token}")


@staff_commands.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of making a link.")
@_refusing
def add(name: str, role: str, password_stdin: bool) -> None:
    """Add the account NAME; without a password, print the one-time link to choose one.

    Example: flask --app wsgi staff add desmond --role desk
    """
    password = _password(password_stdin, name)
    now = the_time()
    with transaction() as session:
        member = staff.add(session, name, Role(role), by=audit.SYSTEM, now=now)
        if password is not None:
            staff.set_password(session, member, password, by=audit.SYSTEM, now=now)
            token = None
        else:
            token = staff.make_link(session, member, by=audit.SYSTEM, now=now)
    if token:
        _print_link(token)
    else:
        click.echo(f"{plain(name)}: added as {role}")


@staff_commands.command("list")
@_refusing
def list_staff() -> None:
    """List the accounts: name, role, state.

    Example: flask --app wsgi staff list
    """
    for member in staff.all_members(reading()):
        state = "disabled" if member.disabled_at else "active" if member.password_hash else "waits for its link"
        click.echo(f"{plain(member.username)}\t{member.role}\t{state}")


@staff_commands.command("disable")
@click.argument("name")
@_refusing
def disable(name: str) -> None:
    """Lock the account NAME and end its sessions, everywhere and at once.

    Example: flask --app wsgi staff disable desmond
    """
    now = the_time()
    with transaction() as session:
        staff.disable(session, staff.find(session, name), by=audit.SYSTEM, now=now)
    click.echo(f"{plain(name)}: disabled")


@staff_commands.command("link")
@click.argument("name", required=False)
@_refusing
def link(name: str | None) -> None:
    """Print a new one-time link for NAME, to choose a new password; without NAME, for the first organiser.

    Example: flask --app wsgi staff link desmond
    """
    now = the_time()
    with transaction() as session:
        if name is None and staff.any_organiser(session):
            refuse("There is an organiser already; name the account that needs a link.")
        member = staff.find(session, name) if name else None
        if member and member.disabled_at:
            refuse(f"{plain(member.username)}: is disabled")
        token = staff.make_link(session, member, by=audit.SYSTEM, now=now)
    _print_link(token)


def _as_html(event: Event, rows: Sequence[Row]) -> str:
    """The page the desk prints, whole in one file."""
    with current_app.test_request_context("/", base_url=current_app.extensions["settings"].public_url):
        g.now, g.language, g.signed_in = the_time(), "zh", None
        return sheets.check_in_list_page(event, sheets.Sheets(Part.ALL, rows), one_file=True)


@click.command("check-in-list")
@with_appcontext
@click.argument("slug")
@click.option("--format", "as_", type=click.Choice(["text", "html", "pdf", "csv"]), default="text", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False), help="Write to a file instead of the terminal.")
@_refusing
def print_check_in_list(slug: str, as_: str, output: str | None) -> None:
    """Print the check-in list of the event SLUG.

    Example: flask --app wsgi check-in-list my-lecture --format html --output list.html
    """
    event = events.get(reading(), slug)
    rows = attendees.confirmed(reading(), event)
    sides, g.language = check_in_list.sides(rows), "zh"
    making: dict[str, Callable[[], str | bytes]] = {
        "pdf": lambda: pdf.of(_as_html(event, rows)),
        "html": lambda: _as_html(event, rows),
        "csv": lambda: as_csv(sides),
        "text": lambda: as_text(sides, definition_title(event)),
    }
    made = making[as_]()
    if output is None:
        click.echo(made, nl=False)
        return
    try:
        modes.write(Path(output), made if isinstance(made, bytes) else made.encode())
    except OSError as error:
        refuse(f"{output}: cannot be written: {error.strerror}")
