"""The commands, under `flask --app wsgi`. Exit 0 done, 1 refused with one clear line and nothing changed, 2 wrong usage."""

from collections.abc import Callable, Sequence
from pathlib import Path

import click
from flask import Flask, current_app, g
from flask.cli import AppGroup, with_appcontext

from eventreg import pdf
from eventreg.background import purge
from eventreg.commands.refusing import refusing
from eventreg.commands.staff import staff_commands
from eventreg.commands.upkeep import backup_commands, doctor, refuse, the_time
from eventreg.core import audit
from eventreg.core.desk import attendee_list, check_in_list
from eventreg.core.desk.attendee_list import Row
from eventreg.core.desk.check_in_list import as_csv, as_text, plain
from eventreg.core.desk.print_history import Part
from eventreg.core.event import event_file, events
from eventreg.core.event.definition import Definition
from eventreg.core.models.event import Event
from eventreg.core.organising import applying
from eventreg.core.registration import seats
from eventreg.mail.sender import outbox_commands
from eventreg.readers import event_reader
from eventreg.storage import modes
from eventreg.storage.session import reading, write
from eventreg.web.desk import paper
from eventreg.web.public import outage_page

event_commands = AppGroup("event", help="Event files in, events out.")


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
@refusing
def apply(file: str) -> None:
    """Make the event what FILE says; shows what changes. Takes effect at once on a running server.

    Example: flask --app wsgi event apply events/my-lecture.toml
    """
    found = _read(file)
    _warn(found, file)
    now = the_time()
    applied = write(lambda session: applying.apply(session, found, by=audit.SYSTEM, now=now))
    outage_page.write()
    for key, before, after in applied.changes:
        click.echo(f"{plain(key)}: {plain(before) or '(nothing)'} -> {plain(after) or '(nothing)'}")
    done = "created" if applied.created else "changed" if applied.changes else "unchanged"
    over = f", over by {applied.seats.over}" if applied.seats.over else ""
    waiting = f", {applied.seats.waiting} waiting" if applied.seats.waiting else ""
    click.echo(f"{found.slug}: {done}. {applied.seats.taken} of {applied.seats.capacity} seats taken{over}{waiting}")


@event_commands.command("list")
@refusing
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
@refusing
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


def _as_html(event: Event, rows: Sequence[Row]) -> str:
    """The page the desk prints, whole in one file."""
    with current_app.test_request_context("/", base_url=current_app.extensions["settings"].public_url):
        g.now, g.language, g.signed_in = the_time(), "zh", None
        return paper.check_in_list_page(event, paper.Sheets(Part.ALL, rows), one_file=True)


@click.command("check-in-list")
@with_appcontext
@click.argument("slug")
@click.option("--format", "as_", type=click.Choice(["text", "html", "pdf", "csv"]), default="text", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False), help="Write to a file instead of the terminal.")
@refusing
def print_check_in_list(slug: str, as_: str, output: str | None) -> None:
    """Print the check-in list of the event SLUG.

    Example: flask --app wsgi check-in-list my-lecture --format html --output list.html
    """
    event = events.get(reading(), slug)
    rows = attendee_list.confirmed(reading(), event)
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
