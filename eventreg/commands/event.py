"""The commands about events: `event check`, `apply`, `list` and `show`."""

from datetime import datetime
from pathlib import Path

import click
from flask.cli import AppGroup

from eventreg.app_clock import current_time
from eventreg.commands.refusing import in_words, refuse, refusing
from eventreg.core import audit
from eventreg.core.desk.check_in_list import plain
from eventreg.core.event import event_file, events
from eventreg.core.event.definition import Definition
from eventreg.core.models.event import Event
from eventreg.core.organising import applying, consistency
from eventreg.core.organising.applying import Applied
from eventreg.core.registration import seats
from eventreg.i18n import sentence
from eventreg.readers import event_reader
from eventreg.storage.session import Session, reading, write
from eventreg.web.public import outage_page

event_commands = AppGroup("event", help="Event files in, events out.")


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
@in_words
def check(file: str) -> None:
    """Check whether FILE is a valid event file; changes nothing.

    Example: flask --app wsgi event check events/my-lecture.toml
    """
    found = _read(file)
    _warn(found, file)
    click.echo(f"{file}: right. {found.slug}: {found.capacity} seats")


@event_commands.command("apply")
@click.argument("file")
@click.option("--meant", is_flag=True, help="Tell people although facts contradict each other.")
@refusing
def apply(file: str, meant: bool) -> None:
    """Make or change the event that FILE describes; shows what changes. Takes effect at once on a
    running server. Waiting parties get seats that come free, and a new notice is owed to everyone.

    Facts that contradict each other are warned about. If people would be told a notice, they are
    refused, unless --meant is given.

    Example: flask --app wsgi event apply events/my-lecture.toml
    """
    found, now = _read(file), current_time()
    _warn(found, file)
    applied = write(lambda session: _apply(session, found, meant=meant, now=now))
    outage_page.write()
    for key, before, after in applied.changes:
        click.echo(f"{plain(key)}: {plain(before) or '(nothing)'} -> {plain(after) or '(nothing)'}")
    done = "created" if applied.created else "changed" if applied.changes else "unchanged"
    over = f", over by {applied.seats.over}" if applied.seats.over else ""
    waiting = f", {applied.seats.waiting} waiting" if applied.seats.waiting else ""
    click.echo(
        f"{found.slug}: {done}. "
        f"{applied.seats.taken} of {applied.seats.capacity} seats taken{over}{waiting}"
    )


def _apply(session: Session, found: Definition, *, meant: bool, now: datetime) -> Applied:
    """Apply the file, with a warning for each contradiction. Raises ``Contradicted`` if people
    would be told."""
    known = [event for event in events.all_events(session) if event.slug == found.slug]
    before = events.definition(known[0]) if known else None
    for one in consistency.contradictions(found, before):
        said = sentence("en", one.reason, **dict(one.values))
        click.echo(f"warning: {one.path}: {plain(said)}", err=True)
    if before is not None and found.notice and found.notice != before.notice:
        consistency.require_consistent(found, before, meant=meant)
    return applying.apply(session, found, by=audit.SYSTEM, now=now)


@event_commands.command("list")
@refusing
def list_events() -> None:
    """List the events.

    Example: flask --app wsgi event list
    """
    for event in events.all_events(reading()):
        counted = seats.count(reading(), event.id, now=current_time())
        begins = event.starts_at.astimezone(events.zone(event))
        title = both_titles(event)
        click.echo(
            f"{event.slug}\t{begins:%Y-%m-%d %H:%M}\t{counted.taken}/{counted.capacity}\t{title}"
        )


def both_titles(event: Event) -> str:
    """The Chinese and the English title, safe for a terminal."""
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
    counted = seats.count(reading(), event.id, now=current_time())
    zone = events.zone(event)
    lines = {
        "slug": event.slug,
        "title": both_titles(event),
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
            f"{event.check_in_opens_at.astimezone(zone):%H:%M} to "
            f"{event.check_in_closes_at.astimezone(zone):%H:%M}"
        ),
        "place": plain(events.definition(event).place.name.zh),
        "state": events.phase(event, current_time()).value,
        "version": event.version,
    }
    for key, value in lines.items():
        click.echo(f"{key + ':':<21}{value}")
