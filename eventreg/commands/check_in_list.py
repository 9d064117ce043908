"""The command `check-in-list` prints the list for the door."""

from collections.abc import Callable, Sequence
from pathlib import Path

import click
from flask import current_app, g
from flask.cli import with_appcontext

from eventreg import pdf
from eventreg.app_clock import current_time
from eventreg.commands.event import both_titles
from eventreg.commands.refusing import refuse, refusing
from eventreg.core.desk import attendee_list, check_in_list
from eventreg.core.desk.attendee_rows import Row
from eventreg.core.desk.check_in_list import as_csv, as_text
from eventreg.core.desk.print_history import Part
from eventreg.core.event import events
from eventreg.core.models.event import Event
from eventreg.storage import modes
from eventreg.storage.session import reading
from eventreg.web.desk.check_in_list import Sheets, check_in_list_page


def _as_html(event: Event, rows: Sequence[Row]) -> str:
    """The page that the desk prints, with its style in the same file."""
    with current_app.test_request_context(
        "/", base_url=current_app.extensions["settings"].public_url
    ):
        g.now, g.language, g.signed_in = current_time(), "zh", None
        return check_in_list_page(event, Sheets(Part.ALL, rows), one_file=True)


@click.command("check-in-list")
@with_appcontext
@click.argument("slug")
@click.option(
    "--format",
    "as_",
    type=click.Choice(["text", "html", "pdf", "csv"]),
    default="text",
    show_default=True,
)
@click.option(
    "--output", type=click.Path(dir_okay=False), help="Write to a file instead of the terminal."
)
@refusing
def print_check_in_list(slug: str, as_: str, output: str | None) -> None:
    """Print the check-in list of the event SLUG. It is not recorded as printed.

    Example: flask --app wsgi check-in-list my-lecture --format html --output list.html
    """
    event = events.get(reading(), slug)
    rows = attendee_list.confirmed(reading(), event)
    sides, g.language = check_in_list.sides(rows), "zh"
    making: dict[str, Callable[[], str | bytes]] = {
        "pdf": lambda: pdf.of(_as_html(event, rows)),
        "html": lambda: _as_html(event, rows),
        "csv": lambda: as_csv(sides),
        "text": lambda: as_text(sides, both_titles(event)),
    }
    made = making[as_]()
    if output is None:
        click.echo(made, nl=False)
        return
    try:
        modes.write(Path(output), made if isinstance(made, bytes) else made.encode())
    except OSError as error:
        refuse(f"{output}: cannot be written: {error.strerror}")
