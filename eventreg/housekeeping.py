"""What nobody has to think of: once an hour, forgetting what is past its keeping time, and sessions that have ended. `purge` does
it at once, or says what it would do."""

from threading import Event as Bell

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from eventreg import storage
from eventreg.core import audit, bursts, erasure, form_keys, known_browsers, staff_sessions
from eventreg.core.erasure import Due
from eventreg.core.errors import Busy
from eventreg.db import AWAY, Session, reading, write
from eventreg.delivery import stop_bell
from eventreg.upkeep import refuse, the_time

PAUSE = 60 * 60
"""Seconds between two looks."""


def purge_due() -> list[Due]:
    """Forget what is due, in the rows and in what the database keeps of old rows."""
    now = the_time()

    def act(session: Session) -> list[Due]:
        form_keys.drop_old(session, now=now)
        known_browsers.drop_old(session, now=now)
        staff_sessions.drop_ended(session, now=now)
        bursts.drop_old(session, now=now)
        return list(erasure.purge(session, by=audit.SYSTEM, now=now))

    found = write(act)
    reading().rollback()
    if found:
        storage.scrub()
    return found


def keep_house(app: Flask, bell: Bell | None = None) -> None:
    """Look once an hour, until told to stop."""
    bell = bell or Bell()
    while not bell.is_set():
        with app.app_context():
            try:
                purge_due()
            except (Busy, *AWAY):
                app.logger.warning("the database could not be asked; what is to be forgotten waits an hour")
            except Exception:  # a housekeeper that ended would not be missed by anybody
                app.logger.exception("what is to be forgotten waits an hour")
        bell.wait(PAUSE)


@click.command("purge")
@click.option("--dry-run", is_flag=True, help="Only say what would be forgotten.")
@click.option("--forever", is_flag=True, help="Look once an hour until told to stop.")
@with_appcontext
def purge(dry_run: bool, forever: bool) -> None:
    """Forget names and numbers that are past their keeping time; counts stay.

    Example: flask --app wsgi purge --dry-run
    """
    try:
        if forever:
            keep_house(current_app._get_current_object(), stop_bell())  # type: ignore[attr-defined]
            return
        found = erasure.due(reading(), now=the_time()) if dry_run else purge_due()
    except (Busy, *AWAY):
        refuse("the database cannot be asked")
    for one in found:
        click.echo(f"{one.slug}: {one.stage}: {one.registrations} registrations")
    click.echo("nothing is due" if not found else "would be forgotten" if dry_run else "forgotten")
