"""One registration at the desk: looked at, corrected, cancelled, seated from the waiting list,
forgotten."""

from collections.abc import Sequence
from contextlib import suppress

from flask import Response, current_app, g, json, redirect, render_template, request, url_for

from eventreg.core import audit, erasure, outbox
from eventreg.core.audit import Action
from eventreg.core.desk import attendee_list, call_outcomes
from eventreg.core.desk.attendee_list import Row
from eventreg.core.errors import (
    AlreadyCancelled,
    AlreadyRegistered,
    ChangedMeanwhile,
    EventFull,
    FieldRefused,
    NotWaiting,
    PhoneAtLimit,
)
from eventreg.core.event import events
from eventreg.core.models.calls import CallOutcome
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Registration, RegistrationState, Source
from eventreg.core.registration import cancellations, corrections, identity, lookup, waitlist
from eventreg.core.registration.corrections import Correction
from eventreg.core.registration.waitlist import OverReason
from eventreg.core.staff.permissions import Permission
from eventreg.core.values import names, phones, requests
from eventreg.operations import forgetting
from eventreg.storage import old_backups
from eventreg.storage.session import Session, reading, write
from eventreg.web import access, addresses
from eventreg.web.access import requires
from eventreg.web.desk import register
from eventreg.web.desk.dashboard import blueprint, looked
from eventreg.web.event_facts import about, seats_now
from eventreg.web.forms import fields
from eventreg.web.language import say, say_refusal
from eventreg.web.wire.answers import Answer


@blueprint.get("/registrations/<id:registration_id>")
@requires(Permission.SEE_ATTENDEES)
def registration(slug: str, registration_id: int) -> str:
    """One registration: who, how to reach them, what happened to it."""
    event = events.get(reading(), slug)
    found = lookup.of_event(reading(), event, registration_id)
    if found.phone_number:
        event = looked(event, Action.NUMBER_SEEN, registration_id=found.id)
        found = lookup.of_event(reading(), event, registration_id)
    return _registration(event, found)


def _registration(
    event: Event,
    found: Registration,
    *,
    said: str = "",
    typed: dict[str, str] | None = None,
    at_limit: bool = False,
) -> str:
    people = attendee_list.of_registration(reading(), found.id)
    return render_template(
        "desk/registration/registration.html",
        found=found,
        people=people,
        mark=identity.mark(found),
        live=[person for person in people if person.cancelled_at is None],
        phone=phones.shown(found.phone_number),
        history=audit.history(reading(), found.id),
        ticket_path=addresses.ticket(found),
        read_back=request.args.get("read") == "1",
        typed=typed or {},
        position=waitlist.position(reading(), found)
        if found.state == RegistrationState.WAITLISTED
        else 0,
        owed=outbox.owed_calls(reading(), found.id),
        beside=lookup.waiting_beside(reading(), found),
        same_number=_others(
            attendee_list.under_number(reading(), event, found.phone_number), found
        ),
        same_name=_others(
            attendee_list.named(reading(), event, [names.fold(row.name) for row in people]), found
        ),
        wished=request.form.getlist("wish") if typed else list(requests.split(found.wishes)),
        wishes=list(requests.Wish),
        reasons=list(OverReason),
        at_limit=at_limit,
        full=seats_now(event).left == 0,
        walked_in=found.source == Source.WALK_IN and g.now >= event.check_in_opens_at,
        ended=g.now >= event.ends_at,
        said=said,
        **about(event),
    )


def _others(rows: Sequence[Row], found: Registration) -> list[Row]:
    """Those of other registrations, unless the people of this one were erased."""
    return (
        [row for row in rows if row.registration_id != found.id] if found.erased_at is None else []
    )


@blueprint.post("/registrations/<id:registration_id>/edit")
@requires(Permission.CORRECT)
def edit(slug: str, registration_id: int) -> Answer:
    """Correct names and number."""
    event = events.get(reading(), slug)
    found = lookup.of_event(reading(), event, registration_id)
    form = register.form_of(event)
    if not form.validate():
        return _corrected(event, found, "; ".join(form.problems.values())), 422
    version, by, now = fields.version_sent(), access.actor(), g.now
    try:
        corrected = Correction(form.party(), form["phone"].parsed, _notes())
        write(
            lambda session: corrections.edit(
                session,
                *_found(session, slug, registration_id),
                corrected,
                version=version,
                by=by,
                now=now,
            )
        )
    except FieldRefused as refusal:
        return _corrected(event, found, say_refusal(refusal)), 422
    except AlreadyRegistered:
        return _corrected(event, found, say("desk_already_registered")), 409
    except PhoneAtLimit as refusal:
        said = say("desk_phone_at_limit", limit=refusal.limit)
        return _corrected(event, found, said, at_limit=True), 409
    except (ChangedMeanwhile, AlreadyCancelled) as refusal:
        return _corrected(event, found, say(f"desk_{refusal.code}")), 409
    return redirect(url_for("desk.registration", slug=slug, registration_id=registration_id), 303)


def _notes() -> corrections.Notes | None:
    """Nothing where the form asked for none: another program's form of names and number changes
    nothing else."""
    return fields.notes_sent() if request.form.get("notes") == "yes" else None


def _corrected(event: Event, found: Registration, said: str, *, at_limit: bool = False) -> str:
    """The page again, with what was typed and why it was not taken."""
    fresh = lookup.of_event(reading(), event, found.id)
    return _registration(event, fresh, said=said, typed={**request.form}, at_limit=at_limit)


@blueprint.post("/registrations/<id:registration_id>/cancel")
@requires(Permission.CORRECT)
def cancel(slug: str, registration_id: int) -> Answer:
    """Give back the seats of those named, or of all, at once. Twice is once."""
    sent, by, now = request.form.getlist("attendee"), access.actor(), g.now

    def act(session: Session) -> None:
        event, found = _found(session, slug, registration_id)
        cancellations.cancel(
            session, event, found, identity.attendees(session, event, sent), by=by, now=now
        )

    with suppress(
        AlreadyCancelled
    ):  # pressed twice, or by two people: the page that follows says so
        write(act)
    return redirect(url_for("desk.registration", slug=slug, registration_id=registration_id), 303)


@blueprint.post("/registrations/<id:registration_id>/promote")
@requires(Permission.CORRECT)
def promote(slug: str, registration_id: int) -> Answer:
    """Give a waiting party its seats, also those held for the telephone. Twice is once."""
    by, now, over = access.actor(), g.now, register.over_sent()
    try:
        write(
            lambda session: waitlist.seat(
                session, *_found(session, slug, registration_id), by=by, now=now, beyond=over
            )
        )
    except (NotWaiting, EventFull) as refusal:
        event = events.get(reading(), slug)
        found = lookup.of_event(reading(), event, registration_id)
        if found.state != RegistrationState.CONFIRMED:
            return _registration(event, found, said=say(f"refused_{refusal.code}")), 409
    return redirect(url_for("desk.registration", slug=slug, registration_id=registration_id), 303)


@blueprint.get("/registrations/<id:registration_id>/erase")
@requires(Permission.ERASE, password=True)
def ask_erase(slug: str, registration_id: int) -> str:
    """What erasing means, before it is done."""
    event = events.get(reading(), slug)
    found = lookup.of_event(reading(), event, registration_id)
    people = attendee_list.of_registration(reading(), found.id)
    return render_template(
        "desk/registration/erase.html",
        found=found,
        mark=identity.mark(found),
        people=people,
        ended=g.now >= event.ends_at,
        backup_days=old_backups.KEPT.days,
        **about(event),
    )


@blueprint.post("/registrations/<id:registration_id>/erase")
@requires(Permission.ERASE, password=True)
def erase(slug: str, registration_id: int) -> Answer:
    """Forget the people of this registration. Doing it again changes nothing."""
    forgetting.erase(slug, registration_id, fields.mark_sent(), by=access.actor(), now=g.now)
    return redirect(url_for("desk.registration", slug=slug, registration_id=registration_id), 303)


@blueprint.get("/registrations/<id:registration_id>/data.json")
@requires(Permission.ERASE, password=True)
def extract(slug: str, registration_id: int) -> Response:
    """All that is kept of these people, as a file for them."""
    by, now = access.actor(), g.now
    found = write(
        lambda session: erasure.extract(
            session, *_found(session, slug, registration_id), by=by, now=now
        )
    )
    answer = current_app.response_class(
        json.dumps(found, ensure_ascii=False, indent=1), mimetype="application/json"
    )
    answer.headers["Content-Disposition"] = (
        f'attachment; filename="registration-{registration_id}.json"'
    )
    return answer


@blueprint.post("/registrations/<id:registration_id>/told")
@requires(Permission.CORRECT)
def told(slug: str, registration_id: int) -> Answer:
    """Somebody was reached: nothing is owed to them by telephone any more."""
    by, now = access.actor(), g.now

    def told_them(session: Session) -> None:
        call_outcomes.record(
            session,
            *_found(session, slug, registration_id),
            CallOutcome.REACHED,
            tries=None,
            by=by,
            now=now,
        )

    write(told_them)
    return redirect(url_for("desk.dashboard", slug=slug), 303)


def _found(session: Session, slug: str, registration_id: int) -> tuple[Event, Registration]:
    """The event and its registration, as they are in this session: the one that the form was
    about."""
    event = events.get(session, slug)
    return event, identity.registration(session, event, registration_id, fields.mark_sent())
