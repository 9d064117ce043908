"""The command `audit export`: what happened in a time span."""

from datetime import datetime
from pathlib import Path

import click
from flask.cli import AppGroup, with_appcontext

from eventreg.app_clock import current_time
from eventreg.commands.refusing import refuse, refusing
from eventreg.core import audit
from eventreg.core.desk.audit_export import Span
from eventreg.core.event import events
from eventreg.storage import modes
from eventreg.storage.session import reading, write

audit_commands = AppGroup("audit", help="The audit trail.")


_MOMENT = click.DateTime(["%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M:%S%z"])
"""With an offset, such as 2030-01-31T08:00+08:00."""


@audit_commands.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--since", type=_MOMENT, required=True, help="The first moment, with offset.")
@click.option("--until", type=_MOMENT, help="The moment after the last; without it, now.")
@click.option("--event", "slug", help="Only this event, and accounts; without it, everything.")
@with_appcontext
@refusing
def export(file: Path, since: datetime, until: datetime | None, slug: str | None) -> None:
    """Write the audit trail of a time span into a new FILE, as CSV, such as after a breach. The
    export is recorded in the trail.

    Example: flask --app wsgi audit export trail.csv --since 2030-01-31T08:00+08:00
    """
    now = current_time()
    if file.exists():
        refuse(f"{file}: exists already")
    event_id = events.get(reading(), slug).id if slug else None
    span = Span(since, until or now, event_id)
    entries = span.count(reading())
    write(
        lambda session: audit.record(
            session,
            audit.Action.TRAIL_EXPORTED,
            audit.SYSTEM,
            now=now,
            event_id=event_id,
            rows=entries,
        )
    )
    modes.write(file, "".join(span.as_csv(reading())).encode())
    click.echo(f"{file}: {entries} entries")
