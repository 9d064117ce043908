"""The check-in list on paper, as a page and as PDF.

Showing a list changes nothing. What was printed is recorded, so that the dashboard knows who is
missing on the sheet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, abort, current_app, g, redirect, render_template, request, url_for
from itsdangerous import BadSignature, URLSafeSerializer

from eventreg import i18n, pdf
from eventreg.core.desk import attendee_list, check_in_list, print_history
from eventreg.core.desk.attendee_rows import Row
from eventreg.core.desk.print_history import Gone, Part, Printout
from eventreg.core.event import events
from eventreg.core.models.event import Event
from eventreg.core.staff.permissions import Permission
from eventreg.storage.session import reading, write
from eventreg.web import access, assets
from eventreg.web.access import requires
from eventreg.web.desk.dashboard import blueprint
from eventreg.web.event_facts import about
from eventreg.web.forms import fields
from eventreg.web.wire.answers import Answer


@dataclass(frozen=True)
class Sheets:
    """What to print: the people, the number of the first one, and whom to strike out."""

    part: Part
    rows: Sequence[Row]
    first: int = 1
    gone: Sequence[Gone] = ()


@blueprint.get("/check-in-list")
@requires(Permission.PRINT_LIST)
def printed_list(slug: str) -> str:
    """The list as a page to print: everyone, only new people, only chosen people, or the waiting
    list. ``record_print`` records the printing."""
    event = events.get(reading(), slug)
    if request.args.get("list") == "waiting":
        return waiting_page(event, attendee_list.waiting(reading(), event))
    return check_in_list_page(event, _sheets(event))


@blueprint.post("/check-in-list")
@requires(Permission.PRINT_LIST)
def record_print(slug: str) -> Answer:
    """Record that the list was printed as the page showed it, without anyone who registered since.
    400 if ``shown`` was not signed by a page of this event."""
    event = events.get(reading(), slug)
    try:
        of_event, part, people, ids = _signer().loads(request.form.get("shown", ""))
    except BadSignature:
        abort(400)
    if of_event != event.id:
        abort(400)
    _record(event, Printout(Part(part), people, ids))
    return redirect(url_for("desk.dashboard", slug=slug), 303)


def _record(event: Event, made: Printout) -> None:
    by, now, slug = access.actor(), g.now, event.slug
    write(
        lambda session: print_history.record(
            session, events.get(session, slug), made, by=by, now=now
        )
    )


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(
        current_app.config["SECRET_KEY"], salt="what a page shows for printing"
    )


@blueprint.post("/check-in-list.pdf")
@requires(Permission.PRINT_LIST)
def print_pdf(slug: str) -> Response:
    """The list as a PDF, recorded as printed."""
    event = events.get(reading(), slug)
    sheets = _sheets(event)
    answer = _file(check_in_list_page(event, sheets, one_file=True), slug)
    _record(event, print_history.printout(sheets.part, sheets.rows))
    return answer


@blueprint.get("/check-in-list.pdf")
@requires(Permission.PRINT_LIST)
def printed_pdf(slug: str) -> Response:
    """The list as a PDF to look at; nothing is recorded."""
    event = events.get(reading(), slug)
    if request.args.get("list") == "waiting":
        page = waiting_page(event, attendee_list.waiting(reading(), event), one_file=True)
    else:
        page = check_in_list_page(event, _sheets(event), one_file=True)
    return _file(page, slug)


def _file(page: str, slug: str) -> Response:
    answer = current_app.response_class(pdf.of(page), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="check-in-list-{slug}.pdf"'
    return answer


def _sheets(event: Event) -> Sheets:
    """The sheets that the query asks for."""
    chosen = fields.registrations_sent()
    prints = print_history.latest(reading(), event)
    if chosen:
        return Sheets(Part.CHOSEN, attendee_list.of_registrations(reading(), event, chosen))
    if request.args.get("list") == "new" and prints.at:
        changed = print_history.differences(reading(), event, prints)
        return Sheets(Part.NEW, changed.new, prints.count + 1, changed.gone)
    return Sheets(Part.ALL, attendee_list.confirmed(reading(), event))


def _facts(event: Event) -> dict[str, Any]:
    """The event, the day of the check-in, and the time of printing."""
    opens, now = (
        moment.astimezone(events.zone(event)) for moment in (event.check_in_opens_at, g.now)
    )
    return {
        "day_zh": i18n.day("zh", opens.date(), today=now.date()),
        "printed_at": f"{now:%m-%d} {i18n.time(now)}",
        **about(event),
    }


def check_in_list_page(event: Event, sheets: Sheets, *, one_file: bool = False) -> str:
    """The check-in list, one section for each side. With ``one_file``, the style is inside."""
    whole = sheets.part is Part.ALL
    in_queues = whole and request.args.get("signs") == "yes"
    made = print_history.printout(sheets.part, sheets.rows)
    return render_template(
        "print/check_in_list.html",
        style=assets.text("print/print.css") if one_file else "",
        sheets=sheets,
        shown=_signer().dumps([event.id, made.part, made.people, made.attendees]),
        whole=whole,
        sides=check_in_list.sides(
            sheets.rows, first=sheets.first, blank=whole, in_queues=in_queues
        ),
        queues=check_in_list.queues(sheets.rows),
        signs=in_queues,
        blank_rows=check_in_list.BLANK_ROWS,
        **_facts(event),
    )


def waiting_page(event: Event, rows: Sequence[Row], *, one_file: bool = False) -> str:
    """The waiting list, in the order of seating."""
    return render_template(
        "print/waiting_list.html",
        style=assets.text("print/print.css") if one_file else "",
        chunks=check_in_list.on_sides(rows),
        **_facts(event),
    )
