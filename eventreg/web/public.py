"""What guests see: the event, the form, the check page, the ticket."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import segno
from flask import Blueprint, current_app, g, redirect, render_template, request, session, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventreg.core import attendees, audit, checkin, events, phone_line, phones, registrations, seats, tickets
from eventreg.core.definition import Definition, PhoneLine
from eventreg.core.errors import (
    AlreadyRegistered,
    EventFull,
    EventUnknown,
    FieldRefused,
    FormKeyReused,
    PhoneAtLimit,
    RegistrationClosed,
    RegistrationUnknown,
)
from eventreg.core.events import Phase
from eventreg.core.models import Event, Registration, RegistrationState, Source
from eventreg.core.staff import Permission
from eventreg.db import reading, transaction
from eventreg.web import access, door, forms, guard, language, limits
from eventreg.web.access import anyone

blueprint = Blueprint("public", __name__)
Answer = str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]


@dataclass(frozen=True)
class Calls:
    """The telephone line at this moment: whether it is a time for calls, and if not, when the next one begins."""

    line: PhoneLine
    answered: bool
    opens: datetime | None


@dataclass(frozen=True)
class EventView:
    """All that the event page depends on besides the event itself: equal views are the same page."""

    event_id: int
    version: int
    language: str
    year: int
    phase: Phase
    is_today: bool
    left: int
    taken_over: int
    calls_answered: bool
    calls_open: datetime | None


def _language_of(lang: str) -> None:
    if lang not in {"zh", "en"}:
        raise EventUnknown(lang)


def calls(definition: Definition, event: Event) -> Calls | None:
    """What to say about the telephone."""
    line = definition.phone_line
    if line is None:
        return None
    local = g.now.astimezone(events.zone(event))
    return Calls(line, phone_line.is_answered(line, local), phone_line.next_opening(line, local))


def _about(event: Event) -> dict[str, Any]:
    """What every page about an event needs."""
    definition = events.definition(event)
    return {
        "event": event, "definition": definition, "zone": events.zone(event), "calls": calls(definition, event),
        "phase": events.phase(event, g.now),
    }  # fmt: skip


@blueprint.get("/")
@anyone
def root() -> Response:
    """To the language of the browser."""
    answer = redirect(url_for("public.start", lang=language.guess()), 302)
    answer.vary.add("Accept-Language")
    return answer


@blueprint.get("/<lang>/")
@anyone
def start(lang: str) -> str:
    """The one event to come, or the list of them."""
    _language_of(lang)
    coming = events.still_to_come(reading(), g.now)
    if len(coming) == 1:
        return _event_page(reading(), coming[0], "start")
    return render_template("public/start.html", events=coming, define=events.definition, zone=events.zone)


@blueprint.get("/<lang>/events/<slug>")
@anyone
def event(lang: str, slug: str) -> str:
    """The event page."""
    _language_of(lang)
    return _event_page(reading(), events.get(reading(), slug), "event")


def _event_page(reading: Session, found: Event, page: str) -> str:
    counted = seats.count(reading, found.id)
    local = g.now.astimezone(events.zone(found))
    line = calls(events.definition(found), found)
    view = EventView(
        event_id=found.id, version=found.version, language=g.language, year=local.year,
        phase=events.phase(found, g.now), is_today=local.date() == found.starts_at.astimezone(local.tzinfo).date(),
        left=counted.left, taken_over=counted.over,
        calls_answered=bool(line and line.answered), calls_open=line.opens if line else None,
    )  # fmt: skip
    return _rendered(current_app.extensions["settings"].instance, page, view)


@lru_cache(maxsize=128)
def _rendered(_instance: object, page: str, view: EventView) -> str:
    """The text of the page, kept as long as nothing that it shows has changed: every number is as fresh as its row."""
    found = reading().get_one(Event, view.event_id)
    return render_template("public/event.html", page=page, view=view, **_about(found))


@blueprint.route("/<lang>/events/<slug>/register", methods=["GET", "POST"])
@anyone
def register(lang: str, slug: str) -> Answer:
    """The form, the check page, and the seat."""
    _language_of(lang)
    found = events.get(reading(), slug)
    line = events.definition(found).phone_line
    form = forms.of(found, line.area_code if line else None, public=True)
    if request.method == "GET":
        return _offer(found, form)
    return _received(found, form)


def _offer(found: Event, form: Any) -> Answer:
    """The empty form, or the page that says why there is none."""
    if events.phase(found, g.now) is not Phase.OPEN:
        return _closed(found, form, 200)
    left = seats.count(reading(), found.id).left
    return _form(found, form) if left else _full(found, form, left, 200)


def _received(found: Event, form: Any) -> Answer:
    """A form that was sent: shown again where it cannot be accepted, checked, and in the end booked."""
    valid = form.validate()
    if not form.token_is_good:
        form.website.data = ""
        return _form(found, form, notice="press_again", status=400)
    if request.form.get("show") == "form":
        return _form(found, form, fresh=True)
    if not valid:
        return _form(found, form, status=422)
    entry = form.entry(g.language, Source.ONLINE)
    try:
        made = registrations.made_by_form(reading(), found, entry)
        if made is not None:
            return _to_ticket(made)
        registrations.check_party(found, entry.names)
        if events.phase(found, g.now) is not Phase.OPEN:
            return _closed(found, form, 409)
        left = seats.count(reading(), found.id).left
        if left < len(entry.names):
            return _full(found, form, left, 409)
        if request.form.get("confirmed") != "yes" or request.form.get("show") == "check":
            return _check(found, form, entry)
        return _book(found, form, entry)
    except FieldRefused as refusal:
        form.blame(refusal)
        return _form(found, form, status=422)
    except FormKeyReused:
        form.form_key.data = forms.new_key()
        return _form(found, form, notice="press_again", status=422)


def _book(found: Event, form: Any, entry: registrations.Entry) -> Answer:
    """Take the seats, or say why not."""
    counters = limits.limits()
    try:
        counters.hit("register", limits.REGISTER, limits.address())
        counters.hit("phone", limits.PHONE, f"{found.slug} {entry.phone.number}")
    except limits.TooOften as wait:
        page, _ = _check(found, form, entry, notice="wait_minutes", minutes=-(-wait.seconds // 60))
        return page, 429, {"Retry-After": str(wait.seconds)}
    try:
        counters.hit("rush", limits.RUSH, "site")
    except limits.TooOften:
        current_app.logger.warning("more than 20 registrations in a second")
    key = current_app.config["SECRET_KEY"]
    try:
        with transaction() as writing:
            event = events.get(writing, found.slug)
            made = registrations.register(writing, event, entry, secret_key=key, by=audit.REGISTRANT, now=g.now)
    except EventFull as full:
        return _full(found, form, full.left, 409)
    except RegistrationClosed:
        return _closed(found, form, 409)
    except AlreadyRegistered:
        return render_template("public/already_registered.html", **_about(found)), 409
    except PhoneAtLimit:
        return render_template("public/error.html", heading=language.say("phone_at_limit"), **_about(found)), 409
    return _to_ticket(made)


def _to_ticket(made: Registration) -> Response:
    token = tickets.token(current_app.config["SECRET_KEY"], made.ticket_seed)
    return redirect(url_for("public.ticket", token=token), 303)


def _form(found: Event, form: Any, *, notice: str = "", status: int = 200, fresh: bool = False) -> Answer:
    """The form with everything that was typed; ``fresh`` without complaints."""
    problems = {} if fresh else {field.name: field.errors[0] for field in form if field.errors}
    problems.pop("csrf_token", None)
    if notice:
        problems = {}
    page = render_template("public/register.html", form=form, problems=problems, notice=notice, **_about(found))
    return page, status


def _check(
    found: Event, form: Any, entry: registrations.Entry, *, notice: str = "", minutes: int = 0
) -> tuple[str, int]:
    """Everything once more, before the seat is taken."""
    shown = phones.shown(entry.phone.number)
    page = render_template(
        "public/check.html", form=form, entry=entry, shown=shown, notice=notice, minutes=minutes, **_about(found)
    )
    return page, 200


def _full(found: Event, form: Any, left: int, status: int) -> Answer:
    """No seats, or fewer than the party needs: with the next step, and nothing typed lost."""
    return render_template("public/full.html", form=form, left=left, **_about(found)), status


def _closed(found: Event, form: Any, status: int) -> Answer:
    """Registering is not possible now: which it is, and when."""
    return render_template("public/closed.html", form=form, **_about(found)), status


@blueprint.get("/T/<token>")
@anyone
def ticket(token: str) -> Answer:
    """The ticket of one registration; for a volunteer at the door, the check-in page of that party."""
    counters = limits.limits()
    counters.check("unknown", limits.UNKNOWN_TICKET, limits.address())
    try:
        registration, found = registrations.by_token(reading(), token)
    except RegistrationUnknown:
        counters.hit("unknown", limits.UNKNOWN_TICKET, limits.address())
        raise
    if session.get("id") and access.current() and access.may(Permission.CHECK_IN):
        return door.page(found, registration_id=registration.id)
    if request.args.get("lang") not in {"zh", "en"}:
        g.language = registration.locale
    return _ticket_page(registration, found)


def _ticket_page(registration: Registration, found: Event) -> str:
    if registration.state == RegistrationState.CANCELLED:
        return render_template("public/cancelled.html", **_about(found))
    token = tickets.token(current_app.config["SECRET_KEY"], registration.ticket_seed)
    address = f"{guard.settings().public_url}/T/{token}"
    people = attendees.of_registration(reading(), registration.id)
    return render_template(
        "public/ticket.html",
        registration=registration,
        people=[person for person in people if person.cancelled_at is None],
        qr=_qr(address),
        address=address,
        masked=phones.masked(registration.phone_number),
        arrivals=[checkin.standing(reading(), person.attendee_id) for person in people],
        **_about(found),
    )


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
    _language_of(lang)
    coming = events.still_to_come(reading(), g.now)
    days = max((events.definition(event).privacy.keep_days for event in coming), default=30)
    return render_template("public/privacy.html", keep_days=days)
