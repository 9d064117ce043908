"""Register a guest: show the form, show the check page, then take the seats. It works without
cookies and scripts, because the form carries everything."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

from flask import Blueprint, current_app, g, redirect, render_template, request
from werkzeug.wrappers import Response

from eventreg.core import audit
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
from eventreg.core.registration import party_rules, register, waitlist
from eventreg.core.registration.entries import Entry, Made
from eventreg.core.values import phones
from eventreg.storage.session import Session, reading, write
from eventreg.web import addresses, language
from eventreg.web.access import anyone
from eventreg.web.event_facts import area_code, check_language, facts, glance, seats_now
from eventreg.web.forms import registration_form
from eventreg.web.limits import allowances, limits
from eventreg.web.wire.answers import Answer

blueprint = Blueprint("register", __name__)


def _event_and_form(lang: str, slug: str) -> tuple[Event, Any]:
    """The event, and its form filled with what was sent. The form also keeps the seat counter that
    was read with the event."""
    check_language(lang)
    seen = glance(slug)
    form = registration_form.of(seen.event, area_code(seen.event), public=True)
    form.counted = seen.counted
    return seen.event, form


@blueprint.get("/<lang>/events/<slug>/register")
@anyone
def form(lang: str, slug: str) -> Answer:
    """The empty form, or the page that says why registration is not possible."""
    event, empty = _event_and_form(lang, slug)
    if events.phase(event, g.now) is not Phase.OPEN:
        return _closed(event, empty, 200)
    return _form(event, empty) if seats_now(event).left else _full(event, empty, 200)


@blueprint.post("/<lang>/events/<slug>/register")
@anyone
def send(lang: str, slug: str) -> Answer:
    """Handle a sent form: show it again with its errors, show the check page, or register."""
    event, sent = _event_and_form(lang, slug)
    valid = sent.validate()
    try:
        if not (valid and sent.token_is_good):
            _check_open(event, sent, 1)  # without a seat, correcting the form would be in vain
        if request.form.get("show") == "form":  # registers nothing, so the token may be any age
            return _form(event, sent, complain=False)
        if not sent.token_is_good:
            sent.website.data = ""
            return _form(event, sent, notice="press_again", status=400)
        if not valid:
            return _form(event, sent, status=422)
        return _consider(event, sent, sent.entry(g.language, Source.ONLINE))
    except Refusal as refusal:
        return _refused(event, sent, refusal)


def _refused(event: Event, sent: Any, refusal: Refusal) -> Answer:
    """The page for a refusal: the next step for the guest, with everything that was typed."""
    match refusal:
        case FieldRefused():
            sent.blame(refusal)
            return _form(event, sent, status=422)
        case FormKeyReused():
            # The guest went back from a ticket, typed another name, and sent the form again.
            sent.start_anew()
            return _form(event, sent, notice="form_used", status=422)
        case EventFull() | WaitlistFull():
            return _full(event, sent, 409)
        case Busy():
            page, status = _form(event, sent, notice="busy", status=503)
            return page, status, {"Retry-After": "5"}
        case RegistrationClosed():
            return _closed(event, sent, 409)
        case AlreadyRegistered():
            return render_template(
                "public/registering/already_registered.html", **_sent(sent), **facts(event)
            ), 409
        case PhoneAtLimit():
            heading = language.say("phone_at_limit")
            return render_template(
                "public/error.html", heading=heading, **_sent(sent), **facts(event)
            ), 409
    raise refusal


def _consider(event: Event, sent: Any, entry: Entry) -> Answer:
    """Show the check page for a valid form, or register it. Raises the core's refusals."""
    party_rules.check_size(event, entry.names)
    try:
        _check_open(event, sent, len(entry.names))
    except (EventFull, WaitlistFull, RegistrationClosed):
        made = register.made_by(reading(), event, entry)
        if made is None:
            raise
        return _to_ticket(made)  # this form itself took the last seat
    if request.form.get("confirmed") != "yes" or request.form.get("show") == "check":
        made = register.made_by(reading(), event, entry)
        return _to_ticket(made) if made else (_check(event, sent, entry), 200)
    try:
        made = allowances.spend(
            event.slug, entry.phone.number, len(entry.names), _booking(event, entry)
        )
        return _to_ticket(made)
    except limits.TooOften as wait:
        if earlier := register.made_by(reading(), event, entry):
            return _to_ticket(earlier)  # the guest asks again for an answer that was lost
        page = _check(event, sent, entry, wait=wait)
        return page, 429, {"Retry-After": str(wait.seconds)}


def _check_open(event: Event, sent: Any, people: int) -> None:
    """Raise a refusal if registration is closed or the seats do not suffice.

    This reads without a lock, so requests for a full event do not queue. The registration itself
    checks again.
    """
    phase, counted = events.phase(event, g.now), seats_now(event, sent.counted)
    if phase is not Phase.OPEN:
        raise RegistrationClosed(phase)
    if counted.left >= people:
        return
    if sent.wants_split and counted.left:
        waitlist.check_room(event, counted, people - 1)
    elif sent.wants_waitlist:
        waitlist.check_room(event, counted, people)
    else:
        raise EventFull(counted.left)


def _booking(event: Event, entry: Entry) -> Callable[[str | None], Made]:
    """Make the function that registers the party. It takes the mark of the guest's address."""
    key, slug, now, tries = current_app.config["SECRET_KEY"], event.slug, g.now, count()

    def book(mark: str | None) -> Made:
        _watch_the_rush()
        marked = replace(entry, burst=mark)

        def act(session: Session) -> Made:
            # The first try uses the event as it was read; if it has changed since, the next try
            # reads it again.
            current = events.get(session, slug) if next(tries) else event
            return register.register(
                session, current, marked, secret_key=key, by=audit.REGISTRANT, now=now
            )

        return write(act)

    return book


def _watch_the_rush() -> None:
    try:
        limits.limits().hit("rush", limits.RUSH, "site")
    except limits.TooOften:
        current_app.logger.warning("more than 20 registrations in a second")


def _to_ticket(made: Made) -> Response:
    """Redirect to the ticket. The form is sent to ``…#errors``, so then it needs a fragment."""
    fragment = "" if request.form.get("confirmed") == "yes" else addresses.MAIN
    return redirect(addresses.to(addresses.ticket(made)) + fragment, 303)


def _form(
    event: Event, form: Any, *, notice: str = "", status: int = 200, complain: bool = True
) -> tuple[str, int]:
    """The form with everything that was typed, and either its errors, a notice, or neither."""
    problems = form.problems if complain and not notice else {}
    page = render_template(
        "public/registering/register.html",
        form=form,
        problems=problems,
        notice=notice,
        **facts(event),
    )
    return page, status


def _check(event: Event, form: Any, entry: Entry, *, wait: limits.TooOften | None = None) -> str:
    """The check page: everything that was typed, before the seats are taken."""
    left = seats_now(event).left
    return render_template(
        "public/registering/check.html",
        form=form,
        entry=entry,
        shown=phones.shown(entry.phone.number),
        wait=wait,
        many_here=isinstance(wait, allowances.TooManyHere),
        waits=left < len(entry.names),
        splits=form.wants_split and left > 0,
        **facts(event),
    )


def _full(event: Event, form: Any, status: int) -> tuple[str, int]:
    """The page for too few seats: the next steps, with everything that was typed."""
    counted, people = seats_now(event), form.people
    page = render_template(
        "public/registering/full.html",
        held=counted.held,
        left=counted.left,
        people=people,
        room=waitlist.has_room(event, counted, people),
        room_beside=counted.left > 0 and waitlist.has_room(event, counted, people - 1),
        **_sent(form),
        **facts(event),
    )
    return page, status


def _closed(event: Event, form: Any, status: int) -> tuple[str, int]:
    """The page that says why registration is closed, and when it opens."""
    return render_template("public/registering/closed.html", **_sent(form), **facts(event)), status


def _sent(form: Any) -> dict[str, Any]:
    """The form, for a page that refuses it. Changing text size or language there keeps what was
    typed."""
    return {"form": form, "confirmed": request.form.get("confirmed") == "yes"}
