"""Register a guest: show the form, show the check page, then take the seats. It works without
cookies and scripts, because the form and its address carry everything."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from flask import Blueprint, current_app, g, redirect, request
from werkzeug.wrappers import Response

from eventreg import log
from eventreg.core import audit
from eventreg.core.driver import Driver
from eventreg.core.errors import (
    AlreadyRegistered,
    Busy,
    EventFull,
    FieldRefused,
    FormKeyReused,
    PhoneAtLimit,
    Refusal,
    RegistrationClosed,
    WaitlistFull,
)
from eventreg.core.event import events
from eventreg.core.event.events import Phase
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Source
from eventreg.core.registration import party_rules, register, sent_forms, waitlist
from eventreg.core.registration.entries import Entry, Made
from eventreg.core.registration.sent_forms import Unfinished
from eventreg.storage.quick_transaction import write_at_once
from eventreg.storage.session import Session, db, reading_already, write
from eventreg.web import addresses
from eventreg.web.access import anyone
from eventreg.web.event_facts import area_code, check_language, glance, seats_now
from eventreg.web.forms.guest_form import GuestForm
from eventreg.web.limits import allowances, limits
from eventreg.web.public import unfinished
from eventreg.web.public.registering import pages as views
from eventreg.web.public.unfinished import View
from eventreg.web.wire.answers import Answer

blueprint = Blueprint("register", __name__)


def _event_and_form(
    lang: str, slug: str, kept: dict[str, str] | None = None
) -> tuple[Event, GuestForm]:
    """The event, and its form filled with what was sent or kept. The form also has the seat counter
    that was read with the event."""
    check_language(lang)
    seen = glance(slug)
    return seen.event, GuestForm(seen.event, area_code(seen.event), seen.counted, kept)


@blueprint.get("/<lang>/events/<slug>/register")
@anyone
def form(lang: str, slug: str) -> Answer:
    """The empty form, what was typed under this address before, or the page that says why
    registration is not possible."""
    key = request.args.get("form", "")
    unfinished_form = unfinished.find(key) if key else None
    if unfinished_form:
        return _again(lang, slug, key, unfinished_form)
    event, empty = _event_and_form(lang, slug)
    if events.phase(event, g.now) is not Phase.OPEN:
        return views.closed(event, empty, 200)
    if not seats_now(event, empty.counted).left:
        return views.full(event, empty, 200)
    page = (
        views.form(event, empty, notice="form_gone")[0] if key else views.empty_form(event, empty)
    )
    # It holds nothing about a person, so the browser may keep it and what is typed into it.
    return page, 200, {"Cache-Control": "private, no-cache"}


def _again(lang: str, slug: str, key: str, found: Unfinished) -> Answer:
    """The page that answered a form, shown again; or the ticket, if it has registered since."""
    if found.registration:
        return redirect(addresses.to(addresses.ticket(found.registration)), 303)
    kept = found.typed or {}
    event, form = _event_and_form(lang, slug, kept["typed"])
    form.unfinished, view = key, unfinished.view_of(kept)
    if view.is_told_once:
        form.validate()
        return views.show(event, form, view)
    answer = _judge(event, form)
    return answer if isinstance(answer, Response) else views.show(event, form, answer)


@blueprint.post("/<lang>/events/<slug>/register")
@anyone
def send(lang: str, slug: str) -> Answer:
    """Register, or lead to the page that says what comes next: the form with its errors, the check
    page, or why registering is not possible. It has an address of its own, so that Back and reload
    show it; if it cannot be kept, the page is the answer itself."""
    event, form = _event_and_form(lang, slug)
    answer = _judge(event, form)
    if isinstance(answer, Response):
        return answer
    saved = answer.status != 503
    key = unfinished.keep(form.key, form.typed(), answer) if saved else ""
    if not key:
        return views.show(event, form, answer)
    return unfinished.lead_to(f"/{lang}/events/{slug}/register", key, _fragment(form, answer))


def _fragment(form: GuestForm, view: View) -> str:
    """Where on its page the guest goes on: at the errors, at the field of the button that was
    pressed, or below the head of the page."""
    if view.notice or view.wait_until or (view.page == "form" and view.complain and form.problems):
        return unfinished.ERRORS
    return "" if view.page == "form" else addresses.MAIN


def _judge(event: Event, form: GuestForm) -> Response | View:
    """Register a form that was confirmed, and say which page answers any other."""
    valid = form.validate()
    try:
        if not (valid and form.token_is_good):
            _check_open(event, form, 1)  # without a seat, correcting the form would be in vain
        if form.shows == "form":  # registers nothing, so the token may be any age
            return View("form", complain=False)
        if not form.token_is_good:
            return View("form", 400, "press_again")
        if not valid:
            return View("form", 422)
        return _consider(event, form, form.entry(g.language, Source.ONLINE))
    except Refusal as refusal:
        return _refused(form, refusal)


def _refused(form: GuestForm, refusal: Refusal) -> View:
    """The page for a refusal: the next step for the guest, with everything that was typed."""
    match refusal:
        case FieldRefused():
            form.blame(refusal)
            return View("form", 422)
        case FormKeyReused():
            # The guest went back from a ticket, typed another name, and sent the form again.
            form.start_anew()
            return View("form", 422, "form_used")
        case EventFull() | WaitlistFull():
            return View("full", 409)
        case Busy():
            return View("form", 503, "busy")
        case RegistrationClosed():
            return View("closed", 409)
        case AlreadyRegistered():
            return View("already-registered", 409)
        case PhoneAtLimit():
            return View("phone-at-limit", 409)
    raise refusal


def _made_by(event: Event, entry: Entry) -> Made | None:
    """The registration that this form has already made, or ``None``."""
    return register.made_by(db.engine, reading_already(), event, entry)


def _consider(event: Event, form: GuestForm, entry: Entry) -> Response | View:
    """The check page for a valid form; or register it. Raises the core's refusals."""
    party_rules.check_size(event, entry.names)
    try:
        _check_open(event, form, len(entry.names))
    except (EventFull, WaitlistFull, RegistrationClosed):
        made = _made_by(event, entry)
        if made is None:
            raise
        return _to_ticket(form, made)  # this form itself took the last seat
    if not form.is_confirming:
        made = _made_by(event, entry)
        return _to_ticket(form, made) if made else View("check")
    try:
        made = allowances.spend(
            event.slug, entry.phone.number, len(entry.names), _booking(event, entry)
        )
        return _to_ticket(form, made)
    except limits.TooOften as wait:
        if earlier := _made_by(event, entry):
            return _to_ticket(form, earlier)  # the guest asks again for an answer that was lost
        many_here = isinstance(wait, allowances.TooManyHere)
        return View("check", 429, wait_until=unfinished.until(wait), many_here=many_here)


def _check_open(event: Event, form: GuestForm, people: int) -> None:
    """Raise a refusal if registration is closed or the seats do not suffice.

    This reads without a lock, so requests for a full event do not queue. The registration itself
    checks again.
    """
    phase, counted = events.phase(event, g.now), seats_now(event, form.counted)
    if phase is not Phase.OPEN:
        raise RegistrationClosed(phase)
    if counted.left >= people:
        return
    if form.wants_split and counted.left:
        waitlist.check_room(event, counted, people - 1)
    elif form.wants_waitlist:
        waitlist.check_room(event, counted, people)
    else:
        raise EventFull(counted.left)


def _booking(event: Event, entry: Entry) -> Callable[[str | None], Made]:
    """Make the function that registers the party. It takes the mark of the guest's address."""
    confirmed_at, more = request.form.get("unfinished", ""), _more()

    def book(mark: str | None) -> Made:
        _watch_the_rush()
        marked = replace(entry, burst=mark)

        def at_once(driver: Driver) -> Made:
            # Before the seats, for whose counter others wait.
            sent_forms.finish(driver, marked.form_key, confirmed_at)
            return register.seat_at_once(driver, event, marked, **more)

        def act(session: Session) -> Made:
            current = events.get(session, event.slug)
            sent_forms.finish(session.connection(), marked.form_key, confirmed_at)
            return register.register(session, current, marked, **more)

        with suppress(register.NotAtOnce):
            if made := write_at_once(at_once):
                return made
        return write(act)

    return book


def _more() -> dict[str, Any]:
    """What registering needs besides the event and the entry."""
    return {"secret_key": current_app.config["SECRET_KEY"], "by": audit.REGISTRANT, "now": g.now}


def _watch_the_rush() -> None:
    try:
        limits.limits().hit("rush", limits.RUSH, "site")
    except limits.TooOften:
        log.event("rush", "more than 20 registrations in a second")


def _to_ticket(form: GuestForm, made: Made) -> Response:
    """Redirect to the ticket. The form is sent to ``…#errors``, so then it needs a fragment."""
    fragment = "" if form.was_confirmed else addresses.MAIN
    g.registration_id = made.id  # for the log
    return redirect(addresses.to(addresses.ticket(made)) + fragment, 303)
