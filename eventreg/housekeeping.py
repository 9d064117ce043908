"""What nobody has to think of: once an hour, forgetting what is past its keeping time. `purge` does it at once, or says what it
would do."""

import os
from threading import Event as Bell

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from eventreg import forgetting
from eventreg.core import form_keys
from eventreg.core.erasure import Due
from eventreg.core.errors import Busy
from eventreg.db import AWAY, write
from eventreg.delivery import stop_bell
from eventreg.forgetting import Purged
from eventreg.upkeep import refuse, say_unfinished, the_time

PAUSE = 60 * 60
"""Seconds between two looks."""


def look() -> Purged:
    """Forget what is due, and drop old form keys."""
    now = the_time()
    write(lambda session: form_keys.drop_old(session, now=now))
    return forgetting.look(now=now)


def purge_due() -> list[Due]:
    """The same; says only what was forgotten."""
    return look().found


def keep_house(app: Flask, bell: Bell | None = None, parent: int | None = None) -> None:
    """Look once an hour, until told to stop."""
    bell = bell or Bell()
    while not bell.is_set() and (parent is None or os.getppid() == parent):
        with app.app_context():
            try:
                look()
            except (Busy, *AWAY):
                app.logger.warning("the database could not be asked; what is to be forgotten waits an hour")
            except Exception:  # a housekeeper that ended would not be missed by anybody
                app.logger.exception("what is to be forgotten waits an hour")
        for tens in range(PAUSE // 10):
            if bell.wait(10) or (parent is not None and os.getppid() != parent):
                return
            if tens % 6 == 5:
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
@click.option("--with-parent", is_flag=True, hidden=True, help="Stop when the program that started this one is gone.")
@with_appcontext
def purge(dry_run: bool, forever: bool, with_parent: bool) -> None:
    """Forget names and numbers that are past their keeping time; counts stay.

    Example: flask --app wsgi purge --dry-run
    """
    try:
        if forever:
            keep_house(current_app._get_current_object(), stop_bell(), os.getppid() if with_parent else None)  # type: ignore[attr-defined]
            return
        done = forgetting.due(now=the_time()) if dry_run else look()
    except (Busy, *AWAY):
        refuse("the database cannot be asked")
    for one in done.found:
        click.echo(f"{one.slug}: {one.stage}: {one.registrations} registrations")
    click.echo("nothing is due" if not done.found else "would be forgotten" if dry_run else "forgotten")
    say_unfinished(done)
