"""The commands `alarm ...` try out who is told when something turns red."""

import sys

import click
from flask.cli import AppGroup

from eventreg.commands.refusing import in_words
from eventreg.watching import alarms

alarm = AppGroup("alarm", help="Whom the server tells when something turns red.")


@alarm.command("test")
@in_words
def test() -> None:
    """Send a test message to everybody who would be told. Exit 1 if one does not take it.

    Example: flask --app wsgi alarm test
    """
    answers = alarms.send_test()
    for channel, reason in answers.items():
        click.echo(f"{channel}: {reason or 'sent'}")
    if not answers:
        click.echo("nobody is told: set EVENTREG_ALARM_MAIL or EVENTREG_ALARM_WEBHOOK")
    sys.exit(0 if answers and not any(answers.values()) else 1)
