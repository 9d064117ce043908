"""What nobody has to think of: once an hour, forgetting what is past its keeping time, and sessions that have ended. `purge` does
it at once, or says what it would do."""

from threading import Event as Bell

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from eventreg.commands.upkeep import refuse, say_unfinished, the_time
from eventreg.core.desk import bursts
from eventreg.core.errors import Busy
from eventreg.core.registration import form_keys
from eventreg.core.staff import known_browsers, sessions
from eventreg.mail.sender import stop_bell
from eventreg.operations import forgetting
from eventreg.operations.forgetting import Purged
from eventreg.storage.session import AWAY, Session, write

PAUSE = 60 * 60
"""Seconds between two looks."""


def look() -> Purged:
    """Forget what is due, and drop what else has become old."""
    now = the_time()

    def drop_old(session: Session) -> None:
        for kind in (form_keys.drop_old, known_browsers.drop_old, sessions.drop_ended, bursts.drop_old):
            kind(session, now=now)

    write(drop_old)
    return forgetting.look(now=now)


def keep_house(app: Flask, bell: Bell | None = None) -> None:
    """Look once an hour, until told to stop."""
    bell = bell or Bell()
    while not bell.is_set():
        with app.app_context():
            try:
                look()
            except (Busy, *AWAY):
                app.logger.warning("the database could not be asked; what is to be forgotten waits an hour")
            except Exception:  # a housekeeper that ended would not be missed by anybody
                app.logger.exception("what is to be forgotten waits an hour")
        for _ in range(PAUSE // 60):
            if bell.wait(60):
                return
            _finish(app)


def _finish(app: Flask) -> None:
    """Each minute: scrub what could not be scrubbed at once."""
    with app.app_context():
        try:
            forgetting.finish()
        except (Busy, *AWAY):
            app.logger.warning("the database could not be asked; what is to be scrubbed waits a minute")


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
        done = forgetting.due(now=the_time()) if dry_run else look()
    except (Busy, *AWAY):
        refuse("the database cannot be asked")
    for one in done.found:
        click.echo(f"{one.slug}: {one.stage}: {one.registrations} registrations")
    click.echo("nothing is due" if not done.found else "would be forgotten" if dry_run else "forgotten")
    say_unfinished(done)
