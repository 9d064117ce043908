"""What guests see: the start page, the event, the ticket."""

import gzip
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

import segno
from flask import Blueprint, Response, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as BaseResponse

from eventreg.core import attendees, events, phones, registrations, waitlist
from eventreg.core.events import Phase
from eventreg.core.glances import Glance
from eventreg.core.models import Event, Registration, RegistrationState
from eventreg.core.staff import Permission
from eventreg.db import reading
from eventreg.web import access, addresses, door, guard, language, limits
from eventreg.web.access import anyone
from eventreg.web.event_facts import calls, check_language, facts, look, seats_now
from eventreg.web.language import say

blueprint = Blueprint("public", __name__)
Answer = str | BaseResponse | tuple[str, int] | tuple[str, int, dict[str, str]]


@dataclass(frozen=True)
class EventView:
    """All that the event page depends on besides the event itself: equal views are the same page."""

    language: str
    today: date
    phase: Phase
    left: int
    room_to_wait: bool
    calls_answered: bool
    calls_open: datetime | None


@blueprint.get("/")
@anyone
def root() -> BaseResponse:
    """To the language of the browser."""
    answer = redirect(url_for("public.start", lang=language.guess()), 302)
    answer.vary.add("Accept-Language")
    return answer


@blueprint.get("/<lang>/")
@anyone
def start(lang: str) -> str | Response:
    """The one event to come, or the list of them."""
    check_language(lang)
    coming = events.still_to_come(reading(), g.now)
    if len(coming) == 1:
        return _event_page(look(coming[0].slug), "start")
    return render_template("public/start.html", events=coming, define=events.definition, zone=events.zone)


@blueprint.get("/<lang>/events/<slug>")
@anyone
def event(lang: str, slug: str) -> Response:
    """The event page."""
    check_language(lang)
    return _event_page(look(slug), "event")


def _event_page(seen: Glance, page: str) -> Response:
    """The page as it was last made, as long as nothing that it shows has changed: each number is as fresh as its row."""
    counted = seats_now(seen.event, seen.counted)
    room = waitlist.has_room(seen.event, counted, 1)
    packed = "gzip" in request.environ.get("HTTP_ACCEPT_ENCODING", "")
    second = int(g.now.timestamp())
    text, zipped = _page_of_second(seen.event, page, g.language, counted.left, room, second)
    answer = Response(zipped if packed else text, mimetype="text/html")
    answer.headers.add("Vary", "Accept-Encoding")
    if packed:
        answer.headers.add("Content-Encoding", "gzip")
    return answer


@lru_cache(maxsize=64)
def _page_of_second(found: Event, page: str, speaks: str, left: int, room: bool, _second: int) -> tuple[bytes, bytes]:
    """Phases begin and calls end on a second, so within one there is one page."""
    line = calls(found)
    view = EventView(
        language=speaks, today=g.now.astimezone(events.zone(found)).date(), phase=events.phase(found, g.now), left=left,
        room_to_wait=room, calls_answered=bool(line and line.answered), calls_open=line.opens if line else None,
    )  # fmt: skip
    return _rendered(found, page, view)


@lru_cache(maxsize=64)
def _rendered(found: Event, page: str, view: EventView) -> tuple[bytes, bytes]:
    """The text of the page, and the same compressed."""
    is_today = found.starts_at.astimezone(events.zone(found)).date() == view.today
    text = render_template("public/event.html", page=page, view=view, is_today=is_today, **facts(found)).encode()
    return text, gzip.compress(text, 9, mtime=0)


@blueprint.get("/T/<token>")
@anyone
def ticket(token: str) -> Answer:
    """The ticket of one registration; for a volunteer at the door, the check-in page of that party."""
    with limits.secret_tried():
        registration, found = registrations.by_token(reading(), token)
    if session.get("id") and access.current() and access.may(Permission.CHECK_IN):
        return door.page(found, registration_id=registration.id)
    if request.args.get("lang") not in {"zh", "en"}:
        g.language = registration.locale
    return _ticket_page(registration, found)


def _ticket_page(registration: Registration, found: Event) -> str:
    if registration.state == RegistrationState.CANCELLED:
        return render_template("public/cancelled.html", **facts(found))
    people = attendees.of_registration(reading(), registration.id)
    path = addresses.ticket(registration)
    shown = {
        "people": [person for person in people if person.cancelled_at is None],
        "masked": phones.masked(registration.phone_number),
        "cancel_path": f"{path}/cancel" if g.now < found.starts_at else "",
    }
    if registration.state == RegistrationState.WAITLISTED:
        place = waitlist.position(reading(), registration)
        return render_template("public/waitlisted.html", position=place, **shown, **facts(found))
    address = guard.settings().public_url + path
    return render_template(
        "public/ticket.html", qr=_qr(address), waiting=_waiting_beside(registration), **shown, **facts(found)
    )


def _waiting_beside(registration: Registration) -> list[tuple[str, str, int]]:
    """Who of the party waits in a registration of their own: names, where their page is, and their place."""
    return [
        (
            say("list_comma").join(row.name for row in attendees.of_registration(reading(), other.id)),
            addresses.ticket(other),
            waitlist.position(reading(), other),
        )
        for other in registrations.waiting_beside(reading(), registration)
    ]


def _qr(address: str) -> str:
    """The ticket's address as inline SVG; all capitals, which makes a smaller code and is the same address."""
    code = segno.make(address.upper(), error="m", boost_error=False, micro=False)
    svg: str = code.svg_inline(border=4, omitsize=True, svgclass="qr", lineclass=None, dark="#000", light="#fff")
    return svg


@blueprint.get("/favicon.ico")
@anyone
def favicon() -> Answer:
    """There is none; browsers may stop asking."""
    return "", 204, {"Cache-Control": "public, max-age=86400"}


@blueprint.get("/<lang>/privacy")
@anyone
def privacy(lang: str) -> str:
    """What happens to names and numbers."""
    check_language(lang)
    coming = events.still_to_come(reading(), g.now)
    days = max((events.definition(event).privacy.keep_days for event in coming), default=30)
    return render_template("public/privacy.html", keep_days=days)
