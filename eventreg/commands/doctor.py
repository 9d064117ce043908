"""The command `doctor` checks the database, its files, and every invariant."""

import sys

import click
from flask.cli import with_appcontext

from eventreg.commands.refusing import in_words
from eventreg.operations.doctor import findings


@click.command("doctor")
@with_appcontext
@in_words
def doctor() -> None:
    """Check every invariant, the database's settings and the file modes; exit 1 if one does not
    hold. Safe on a live system.

    Example: flask --app wsgi doctor
    """
    failed = 0
    for area, finding in findings():
        failed += not finding.holds
        click.echo(f"{'ok' if finding.holds else 'NO':<3}{area}: {finding.name} ({finding.detail})")
    click.echo("all holds" if not failed else f"{failed} do not hold")
    sys.exit(1 if failed else 0)
