"""The commands about mails: `outbox deliver` and `outbox list`."""

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from eventreg import background
from eventreg.commands.refusing import refuse, refusing
from eventreg.core import deliveries
from eventreg.mail.sender import Unreachable, deliver_due
from eventreg.storage.session import reading

outbox_commands = AppGroup("outbox", help="Mails that are owed.")


@outbox_commands.command("deliver")
@click.option("--forever", is_flag=True, help="Go on sending until told to stop.")
@with_appcontext
@refusing
def deliver(forever: bool) -> None:
    """Send the mails that are due.

    Example: flask --app wsgi outbox deliver --forever
    """
    if not current_app.extensions["settings"].smtp_url:
        refuse(f"EVENTREG_SMTP_URL is not set; {deliveries.owed(reading())} mails wait")
    if forever:
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        background.run(app, [background.SEND_MAILS], background.stop_event())
        return
    try:
        done = deliver_due()
    except Unreachable as away:
        refuse(f"EVENTREG_SMTP_URL: {away}; {deliveries.owed(reading())} mails wait")
    click.echo(f"{done.sent} sent, {done.later} to be tried again, {done.given_up} given up")


@outbox_commands.command("list")
@with_appcontext
@refusing
def list_outbox() -> None:
    """Say how many mails wait, and which registrations could not be reached by mail.

    Example: flask --app wsgi outbox list
    """
    click.echo(f"{deliveries.owed(reading())} waiting")
    for one in deliveries.given_up(reading()):
        click.echo(f"{one.slug}\tregistration {one.registration_id}\t{one.kind}\t{one.reason}")
