"""One registration: show it, correct it, seat it from the waiting list, note a call."""

from collections.abc import Callable, Sequence
from typing import Any

from flask import current_app, g, redirect, render_template, request, url_for

from eventreg.core import audit, outbox
from eventreg.core.audit import Action
from eventreg.core.desk import attendee_list, call_outcomes
from eventreg.core.desk.attendee_rows import Row
from eventreg.core.errors import (
    AlreadyCancelled,
    AlreadyRegistered,
    ChangedMeanwhile,
    EventFull,
    FieldRefused,
    NothingToUndo,
    NotWaiting,
    PhoneAtLimit,
    RegistrationClosed,
    SeatGivenAway,
    TooLateToUndo,
    WaitlistFull,
)
from eventreg.core.event import events
from eventreg.core.models.calls import CallOutcome
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Registration, RegistrationState, Source
from eventreg.core.registration import corrections, identity, lookup, waitlist
from eventreg.core.registration.corrections import Correction
from eventreg.core.registration.waitlist import OverReason
from eventreg.core.staff.permissions import Permission
from eventreg.core.undo import undo
from eventreg.core.values import names, phones, requests
from eventreg.storage.session import Session, reading, write
from eventreg.web import access, addresses, notes
from eventreg.web.access import requires
from eventreg.web.desk import cancellations, register
from eventreg.web.desk.audit import record_look
from eventreg.web.desk.dashboard import blueprint
from eventreg.web.event_facts import about, seats_now
from eventreg.web.forms import fields
from eventreg.web.language import say, say_refusal
from eventreg.web.wire.answers import Answer

_CANNOT_UNDO = (
    TooLateToUndo,
    SeatGivenAway,
    WaitlistFull,
    AlreadyRegistered,
    PhoneAtLimit,
    RegistrationClosed,
)


@blueprint.get("/registrations/<id:registration_id>")
@requires(Permission.SEE_ATTENDEES)
def registration(slug: str, registration_id: int) -> str:
    """Who is registered, how to reach them, and what happened to the registration. Showing the
    complete number is audited."""
    event = events.get(reading(), slug)
    found = lookup.of_event(reading(), event, registration_id)
    if found.phone_number:
        event = record_look(event, Action.NUMBER_SEEN, registration_id=found.id)
        found = lookup.of_event(reading(), event, registration_id)
    return _page(event, found)


def _page(
    event: Event,
    found: Registration,
    *,
    said: str = "",
    typed: dict[str, str] | None = None,
    at_limit: bool = False,
) -> str:
    """The page. ``said`` is why something was refused, ``typed`` the form as it was sent then."""
    people = attendee_list.of_registration(reading(), found.id)
    return render_template(
        "desk/registration/registration.html",
        found=found,
        people=people,
        mark=identity.mark(found),
        live=[person for person in people if person.is_live],
        phone=phones.shown(found.phone_number),
        history=audit.history(reading(), found.id),
        ticket_path=addresses.ticket(found),
        read_back=request.args.get("read") == "1",
        typed=typed or {},
        owed=outbox.owed_calls(reading(), found.id),
        wished=request.form.getlist("wish") if typed else list(requests.split(found.wishes)),
        wishes=list(requests.Wish),
        reasons=list(OverReason),
        at_limit=at_limit,
        full=seats_now(event).left == 0,
        walked_in=found.source == Source.WALK_IN and g.now >= event.check_in_opens_at,
        ended=g.now >= event.ends_at,
        said=said,
        saved=notes.take(f"saved-{found.id}"),
        gone=cancellations.gone_from(event, found),
        **_neighbours(event, found, people),
        **about(event),
    )


def _neighbours(event: Event, found: Registration, people: Sequence[Row]) -> dict[str, Any]:
    """The place on the waiting list, and other registrations that may be of the same people."""
    session = reading()
    is_waiting = found.state == RegistrationState.WAITLISTED
    staying = [person for person in people if person.is_live] or people
    folded = [names.fold(person.name) for person in staying]
    same_number = attendee_list.under_number(session, event, found.phone_number)
    same_name = [
        row
        for row in attendee_list.named(session, event, folded)
        if not row.phone_number or row.phone_number != found.phone_number
    ]
    return {
        "position": waitlist.position(session, found) if is_waiting else 0,
        "beside": [
            other for other in lookup.waiting_beside(session, found) if not other.put_first_at
        ],
        "again": lookup.put_first_from(session, found),
        "same_number": _without(found, same_number),
        "same_name": _without(found, same_name),
    }


def _without(found: Registration, rows: Sequence[Row]) -> list[Row]:
    """The rows of other registrations; none if this one was erased and has no name to compare."""
    if found.erased_at is not None:
        return []
    return [row for row in rows if row.registration_id != found.id]


@blueprint.post("/registrations/<id:registration_id>/edit")
@requires(Permission.CORRECT)
def edit(slug: str, registration_id: int) -> Answer:
    """Correct names, number and notes. 409 if the registration was changed or cancelled meanwhile,
    a person is registered already, or the number is at its limit."""
    event = events.get(reading(), slug)
    found = lookup.of_event(reading(), event, registration_id)
    form = register.form_of(event)
    if not form.validate():
        return _refused_page(event, found, "; ".join(form.problems.values())), 422
    version, by, now = fields.version_sent(), access.actor(), g.now

    def act(session: Session) -> None:
        of_form = event_and_registration(session, slug, registration_id)
        corrections.edit(session, *of_form, corrected, version=version, by=by, now=now)

    try:
        corrected = Correction(form.party(), form["phone"].parsed, _notes())
        write(act)
    except FieldRefused as refusal:
        return _refused_page(event, found, say_refusal(refusal)), 422
    except AlreadyRegistered:
        return _refused_page(event, found, say("desk_already_registered")), 409
    except PhoneAtLimit as refusal:
        said = say("desk_phone_at_limit", limit=refusal.limit)
        return _refused_page(event, found, said, at_limit=True), 409
    except (ChangedMeanwhile, AlreadyCancelled) as refusal:
        return _refused_page(event, found, say(f"desk_{refusal.code}")), 409
    notes.keep(f"saved-{registration_id}", shown=True)
    return redirect(url_for("desk.registration", slug=slug, registration_id=registration_id), 303)


def _notes() -> corrections.Notes | None:
    """The notes that were sent; ``None``, which leaves them unchanged, if the form has none."""
    return fields.notes_sent() if request.form.get("notes") == "yes" else None


def _refused_page(event: Event, found: Registration, said: str, *, at_limit: bool = False) -> str:
    """The page again, with what was typed and why it was refused."""
    fresh = lookup.of_event(reading(), event, found.id)
    return _page(event, fresh, said=said, typed={**request.form}, at_limit=at_limit)


@blueprint.post("/registrations/<id:registration_id>/promote")
@requires(Permission.CORRECT)
def promote(slug: str, registration_id: int) -> Answer:
    """Seat a waiting party before its turn, also on seats held for the telephone and, if an
    organiser sends ``over``, beyond the capacity. A second time changes nothing. 409 if the event
    is full or the registration was cancelled."""
    by, now, over = access.actor(), g.now, register.over_sent()

    def act(session: Session) -> None:
        event, found = event_and_registration(session, slug, registration_id)
        waitlist.seat(session, event, found, by=by, now=now, beyond=over)

    try:
        write(act)
    except (NotWaiting, EventFull) as refusal:
        event = events.get(reading(), slug)
        found = lookup.of_event(reading(), event, registration_id)
        if found.state != RegistrationState.CONFIRMED:
            return _page(event, found, said=say(f"refused_{refusal.code}")), 409
    return redirect(url_for("desk.registration", slug=slug, registration_id=registration_id), 303)


@blueprint.post("/registrations/<id:registration_id>/undo-cancel")
@requires(Permission.CORRECT)
def undo_cancel(slug: str, registration_id: int) -> Answer:
    """Undo the latest cancellation, if the seats are free. A second time changes nothing."""
    by, now = access.actor(), g.now

    def act(session: Session) -> None:
        event, found = event_and_registration(session, slug, registration_id)
        undo.undo(session, event, found, by=by, now=now)

    return _after_undo(act, slug, registration_id)


@blueprint.post("/registrations/<id:registration_id>/put-first")
@requires(Permission.CORRECT)
def put_first(slug: str, registration_id: int) -> Answer:
    """Put the people of the latest cancellation first in line: the one exception to first come,
    first served. A second time changes nothing."""
    key, by, now = current_app.config["SECRET_KEY"], access.actor(), g.now

    def act(session: Session) -> None:
        event, found = event_and_registration(session, slug, registration_id)
        undo.put_first(session, event, found, secret_key=key, by=by, now=now)

    return _after_undo(act, slug, registration_id)


def _after_undo(act: Callable[[Session], None], slug: str, registration_id: int) -> Answer:
    try:
        write(act)
    except NothingToUndo:
        pass  # pressed twice: the page shows what is true now
    except _CANNOT_UNDO as refusal:
        event = events.get(reading(), slug)
        found = lookup.of_event(reading(), event, registration_id)
        return _page(event, found, said=say(f"undo_{refusal.code}")), 409
    return redirect(url_for("desk.registration", slug=slug, registration_id=registration_id), 303)


@blueprint.post("/registrations/<id:registration_id>/told")
@requires(Permission.CORRECT)
def told(slug: str, registration_id: int) -> Answer:
    """Note that the party was reached by telephone. No call is owed to it any more."""
    by, now = access.actor(), g.now

    def act(session: Session) -> None:
        event, found = event_and_registration(session, slug, registration_id)
        call_outcomes.record(session, event, found, CallOutcome.REACHED, tries=None, by=by, now=now)

    write(act)
    return redirect(url_for("desk.dashboard", slug=slug), 303)


def event_and_registration(
    session: Session, slug: str, registration_id: int
) -> tuple[Event, Registration]:
    """The event and the registration that the form is about, read in this session. Raises
    ``RegistrationUnknown`` if the number is another registration's since a backup was restored."""
    event = events.get(session, slug)
    return event, identity.registration(session, event, registration_id, fields.mark_sent())
