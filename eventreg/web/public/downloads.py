"""What people take away: the calendar entry and the poster."""

from flask import Blueprint, Response, render_template

from eventreg.core.event import calendar as calendars
from eventreg.web import addresses, qr_code
from eventreg.web.access import anyone
from eventreg.web.event_facts import check_language, facts, look

blueprint = Blueprint("leaflets", __name__)


@blueprint.get("/<lang>/events/<slug>/event.ics")
@anyone
def calendar(lang: str, slug: str) -> Response:
    """The calendar entry (RFC 5545)."""
    check_language(lang)
    event = look(slug).event
    entry = calendars.entry(event, lang, page=addresses.event_page(event.slug, lang))
    answer = Response(entry, content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{event.slug}.ics"'
    return answer


@blueprint.get("/<lang>/events/<slug>/poster")
@anyone
def poster(lang: str, slug: str) -> str:
    """One side of A4 for a notice board, with the QR code of the event page."""
    check_language(lang)
    event = look(slug).event
    address = addresses.event_page(event.slug, lang)
    return render_template(
        "public/poster.html", qr=qr_code.svg(address), address=address, **facts(event)
    )
