"""Registrations at the desk: taken on the telephone, corrected, cancelled, seated from the waiting list."""

from contextlib import suppress
from typing import Any

from flask import current_app, g, redirect, render_template, request, url_for

from eventreg.core import (
    attendees,
    audit,
    cancellations,
    corrections,
    emails,
    entries,
    events,
    outbox,
    phones,
    registrations,
    waitlist,
)
from eventreg.core.errors import (
    AlreadyCancelled,
    AlreadyRegistered,
    ChangedMeanwhile,
    EventFull,
    FieldRefused,
    FormKeyReused,
    NotWaiting,
    PhoneAtLimit,
    RegistrationClosed,
    WaitlistFull,
)
from eventreg.core.models import Event, Registration, RegistrationState, Source
from eventreg.core.staff import Permission
from eventreg.db import Session, reading, write
from eventreg.web import access, addresses, forms
from eventreg.web.access import requires
from eventreg.web.desk import Answer, blueprint
from eventreg.web.event_facts import about, area_code, seats_now
from eventreg.web.language import say

_SOURCES = {Source.PHONE.value: Source.PHONE, Source.WALK_IN.value: Source.WALK_IN}


def _form(event: Event) -> Any:
    return forms.of(event, area_code(event), public=False)


@blueprint.get("/registrations/new")
@requires(Permission.REGISTER)
def new(slug: str) -> str:
    """The empty form, for taking a registration on the telephone."""
    event = events.get(reading(), slug)
    return _new(event, _form(event))


def _new(event: Event, form: Any, *, said: str = "", existing: int | None = None, wish: bool = False) -> str:
    """The form; with ``wish``, also what may be chosen where there are too few seats."""
    counted = seats_now(event)
    source = request.form.get("source", request.args.get("source", Source.PHONE))
    return render_template(
        "desk/new.html",
        form=form,
        problems=form.problems,
        said=said,
        existing=existing,
        source=source if source in _SOURCES else Source.PHONE,
        locale=_locale(),
        email=request.form.get("email", ""),
        seats=counted,
        room=wish and waitlist.has_room(event, counted, form.people),
        room_beside=wish and form.people > 1 and counted.capacity > counted.taken
        and waitlist.has_room(event, counted, form.people - 1),
        **about(event),
    )  # fmt: skip


def _locale() -> str:
    """The language in which the caller will see the ticket; Chinese unless said otherwise."""
    return "en" if request.form.get("locale") == "en" else "zh"


@blueprint.post("/registrations/new")
@requires(Permission.REGISTER)
def take(slug: str) -> Answer:
    """Save at once, and go on to the words to read back."""
    event = events.get(reading(), slug)
    form = _form(event)
    if not form.validate():
        return _new(event, form), 422
    key, now, by = current_app.config["SECRET_KEY"], g.now, access.actor()
    source = _SOURCES.get(request.form.get("source", ""), Source.PHONE)
    try:
        entry = form.entry(_locale(), source, emails.parse(request.form.get("email", "")))
        made = write(
            lambda session: entries.register(session, events.get(session, slug), entry, secret_key=key, by=by, now=now)
        )
    except FieldRefused as refusal:
        if refusal.field == "email":
            return _new(event, form, said=say(refusal.reason)), 422
        form.blame(refusal)
        return _new(event, form), 422
    except FormKeyReused:
        form.form_key.data = forms.new_key()
        return _new(event, form, said=say("press_again")), 422
    except AlreadyRegistered as known:
        return _new(event, form, said=say("desk_already_registered"), existing=known.registration_id), 409
    except (EventFull, PhoneAtLimit, RegistrationClosed, WaitlistFull) as refusal:
        return _new(event, form, said=_why_not(refusal), wish=isinstance(refusal, EventFull)), 409
    return redirect(url_for("desk.registration", slug=slug, registration_id=made.id, read=1), 303)


def _why_not(refusal: EventFull | PhoneAtLimit | RegistrationClosed | WaitlistFull) -> str:
    match refusal:
        case EventFull():
            return say("desk_full_some", left=refusal.left) if refusal.left else say("desk_full")
        case PhoneAtLimit():
            return say("desk_phone_at_limit", limit=refusal.limit)
        case WaitlistFull():
            return say("desk_waitlist_full")
    return say("desk_closed")


@blueprint.get("/registrations/<int:registration_id>")
@requires(Permission.SEE_ATTENDEES)
def registration(slug: str, registration_id: int) -> str:
    """One registration: who, how to reach them, what happened to it."""
    event = events.get(reading(), slug)
    return _registration(event, registrations.of_event(reading(), event, registration_id))


def _registration(event: Event, found: Registration, *, said: str = "", typed: dict[str, str] | None = None) -> str:
    people = attendees.of_registration(reading(), found.id)
    return render_template(
        "desk/registration.html",
        found=found,
        people=people,
        live=[person for person in people if person.cancelled_at is None],
        phone=phones.shown(found.phone_number),
        history=audit.history(reading(), found.id),
        ticket_path=addresses.ticket(found),
        read_back=request.args.get("read") == "1",
        typed=typed or {},
        position=waitlist.position(reading(), found) if found.state == RegistrationState.WAITLISTED else 0,
        owed=outbox.owed_calls(reading(), found.id),
        beside=registrations.waiting_beside(reading(), found),
        said=said,
        **about(event),
    )


@blueprint.post("/registrations/<int:registration_id>/edit")
@requires(Permission.CORRECT)
def edit(slug: str, registration_id: int) -> Answer:
    """Correct names and number."""
    event = events.get(reading(), slug)
    found = registrations.of_event(reading(), event, registration_id)
    form = _form(event)
    if not form.validate():
        return _corrected(event, found, form, "; ".join(form.problems.values())), 422
    corrected, version, by, now = (form.party(), form["phone"].parsed), forms.version_sent(), access.actor(), g.now
    try:
        write(
            lambda session: corrections.edit(
                session, *_found(session, slug, registration_id), corrected, version=version, by=by, now=now
            )
        )
    except FieldRefused as refusal:
        return _corrected(event, found, form, say(refusal.reason, **refusal.values)), 422
    except AlreadyRegistered:
        return _corrected(event, found, form, say("desk_already_registered")), 409
    except PhoneAtLimit as refusal:
        return _corrected(event, found, form, say("desk_phone_at_limit", limit=refusal.limit)), 409
    except (ChangedMeanwhile, AlreadyCancelled) as refusal:
        return _corrected(event, found, form, say(f"desk_{refusal.code}")), 409
    return redirect(url_for("desk.registration", slug=slug, registration_id=registration_id), 303)


def _corrected(event: Event, found: Registration, form: Any, said: str) -> str:
    """The page again, with what was typed and why it was not taken."""
    fresh = registrations.of_event(reading(), event, found.id)
    return _registration(event, fresh, said=said, typed={field.name: field.data or "" for field in form})


@blueprint.post("/registrations/<int:registration_id>/cancel")
@requires(Permission.CORRECT)
def cancel(slug: str, registration_id: int) -> Answer:
    """Give back the seats of those named, or of all, at once. Twice is once."""
    sent, by, now = forms.attendees_sent(), access.actor(), g.now
    with suppress(AlreadyCancelled):  # pressed twice, or by two people: the page that follows says so
        write(
            lambda session: cancellations.cancel(session, *_found(session, slug, registration_id), sent, by=by, now=now)
        )
    return redirect(url_for("desk.registration", slug=slug, registration_id=registration_id), 303)


@blueprint.post("/registrations/<int:registration_id>/promote")
@requires(Permission.CORRECT)
def promote(slug: str, registration_id: int) -> Answer:
    """Give a waiting party its seats, also those held for the telephone. Twice is once."""
    by, now = access.actor(), g.now
    try:
        write(lambda session: waitlist.seat(session, *_found(session, slug, registration_id), by=by, now=now))
    except (NotWaiting, EventFull) as refusal:
        event = events.get(reading(), slug)
        found = registrations.of_event(reading(), event, registration_id)
        if found.state != RegistrationState.CONFIRMED:
            return _registration(event, found, said=say(f"refused_{refusal.code}")), 409
    return redirect(url_for("desk.registration", slug=slug, registration_id=registration_id), 303)


@blueprint.post("/registrations/<int:registration_id>/told")
@requires(Permission.CORRECT)
def told(slug: str, registration_id: int) -> Answer:
    """Somebody was reached: nothing is owed to them by telephone any more."""
    by, now = access.actor(), g.now

    def settle(session: Session) -> None:
        _, found = _found(session, slug, registration_id)
        outbox.settle(session, found, by=by, now=now)

    write(settle)
    return redirect(url_for("desk.dashboard", slug=slug), 303)


def _found(session: Session, slug: str, registration_id: int) -> tuple[Event, Registration]:
    """The event and its registration, as they are in this session."""
    event = events.get(session, slug)
    return event, registrations.of_event(session, event, registration_id)
