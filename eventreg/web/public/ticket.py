"""The ticket: the page of one registration behind its secret address, and how its holder corrects
name and number."""

from flask import Blueprint, g, redirect, render_template, request, session

from eventreg import i18n
from eventreg.core import audit
from eventreg.core.audit import Action
from eventreg.core.desk import attendee_list
from eventreg.core.desk.attendee_list import Row
from eventreg.core.errors import (
    AlreadyCancelled,
    AlreadyRegistered,
    ChangedMeanwhile,
    CheckedInAlready,
    FieldRefused,
    PhoneAtLimit,
    Refusal,
    TooLateToChange,
)
from eventreg.core.event import events
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Registration, RegistrationState
from eventreg.core.registration import corrections, lookup, waitlist
from eventreg.core.registration.corrections import Correction
from eventreg.core.staff.permissions import Permission
from eventreg.core.values import names, phones
from eventreg.core.values.phones import Phone
from eventreg.storage.session import reading, write
from eventreg.web import access, addresses, forms, guard, qr_code
from eventreg.web.access import anyone
from eventreg.web.door import check_in
from eventreg.web.event_facts import area_code, facts
from eventreg.web.language import say, say_refusal
from eventreg.web.limits import limits
from eventreg.web.wire.answers import Answer

blueprint = Blueprint("tickets", __name__)


def of(token: str) -> tuple[Registration, Event]:
    """The registration of a ticket's address, and its event; from here on the page speaks the
    registration's language, unless its address asks for another."""
    with limits.secret_tried():
        registration, event = lookup.by_token(reading(), token)
    if request.args.get("lang") not in i18n.LANGUAGES:
        g.language = registration.locale
    return registration, event


def live(registration: Registration) -> list[Row]:
    """The people of a registration who have not given up their seats."""
    people = attendee_list.of_registration(reading(), registration.id)
    return [person for person in people if person.cancelled_at is None]


@blueprint.get("/T/<token>")
@anyone
def ticket(token: str) -> Answer:
    """The ticket of one registration; for a volunteer at the door, the check-in page of that
    party."""
    registration, event = of(token)
    if session.get("id") and _is_of_the_door(event):
        return check_in.page(event, registration_id=registration.id)
    if events.is_past_keeping(event, g.now) or (
        registration.erased_at and registration.state == "confirmed"
    ):
        return render_template("public/closed.html", form=None, **facts(event))
    if registration.state == RegistrationState.CANCELLED:
        return render_template("public/cancelled.html", **facts(event))
    path = addresses.ticket(registration)
    shown = {
        "people": live(registration),
        "masked": phones.masked(registration.phone_number),
        "path": path,
        "changeable": g.now < event.starts_at,
        **facts(event),
    }
    if registration.state == RegistrationState.WAITLISTED:
        return render_template(
            "public/waitlisted.html", position=waitlist.position(reading(), registration), **shown
        )
    address = guard.settings().public_url + path
    return render_template(
        "public/ticket.html",
        qr=qr_code.svg(address.upper()),
        address=address,
        waiting=_waiting_beside(registration),
        **shown,
    )


def _is_of_the_door(event: Event) -> bool:
    """Whether who looks may check in at this event."""
    signed_in = access.current()
    return (
        signed_in is not None
        and access.may(Permission.CHECK_IN)
        and access.is_for(signed_in, event.slug)
    )


def _waiting_beside(registration: Registration) -> list[tuple[str, str, int]]:
    """Who of the party waits in a registration of their own: names, where their page is, and their
    place."""
    return [
        (
            say("list_comma").join(
                row.name for row in attendee_list.of_registration(reading(), other.id)
            ),
            addresses.ticket(other),
            waitlist.position(reading(), other),
        )
        for other in lookup.waiting_beside(reading(), registration)
    ]


@blueprint.get("/T/<token>/change")
@anyone
def change(token: str) -> Answer:
    """The form to correct names and number."""
    registration, event = of(token)
    return past_asking(registration, event, TooLateToChange()) or _change_page(
        registration, event, {}
    )


@blueprint.post("/T/<token>/change")
@anyone
def save_change(token: str) -> Answer:
    """Save names and number. An empty number stays as it is: the ticket never shows it whole."""
    registration, event = of(token)
    if answer := past_asking(registration, event, TooLateToChange()):
        return answer
    if request.form.get("show") == "form":
        return _change_page(registration, event, {})
    corrected, problems = _corrected(registration, event)
    if problems:
        return _change_page(registration, event, problems), 422
    try:
        _count_change(registration)
    except limits.TooOften as wait:
        page = _change_page(registration, event, {}, notice="change_too_often")
        return page, 429, {"Retry-After": str(wait.seconds)}
    slug, registration_id, now = event.slug, registration.id, g.now
    version = forms.version_sent() or registration.version
    try:
        write(
            lambda session: corrections.edit(
                session,
                events.get(session, slug),
                lookup.get(session, registration_id),
                corrected,
                version=version,
                by=audit.REGISTRANT,
                now=now,
            )
        )
    except FieldRefused as refusal:
        return _change_page(registration, event, {refusal.field: say_refusal(refusal)}), 422
    except (AlreadyRegistered, PhoneAtLimit) as refusal:
        # Not a word about who is registered, and a line for the desk: somebody may be trying names.
        _note_refused(registration, refusal)
        return _change_page(registration, event, {}, notice="change_refused"), 409
    except ChangedMeanwhile:
        return _change_page(
            lookup.get(reading(), registration_id), event, {}, notice="changed_meanwhile"
        ), 409
    except AlreadyCancelled:
        pass  # the page that follows says so
    except (CheckedInAlready, TooLateToChange) as refusal:
        return refused(registration, event, refusal)
    return redirect(addresses.to(addresses.ticket(registration)) + addresses.MAIN, 303)


def _count_change(registration: Registration) -> None:
    """What one address, and one ticket, may try. It is the asker who is counted: never the number
    that is asked about."""
    counters = limits.limits()
    counters.hit("change", limits.CHANGE, limits.address())
    counters.hit("change-ticket", limits.CHANGE_TICKET, str(registration.id))


def _note_refused(registration: Registration, refusal: Refusal) -> None:
    event_id, registration_id, now = registration.event_id, registration.id, g.now
    write(
        lambda session: audit.record(
            session,
            Action.EDIT_REFUSED,
            audit.REGISTRANT,
            now=now,
            event_id=event_id,
            registration_id=registration_id,
            reason=refusal.code,
        )
    )


def past_asking(registration: Registration, event: Event, too_late: Refusal) -> Answer | None:
    """What is answered instead of asking anything: it is cancelled, or has begun. The act itself
    decides again."""
    if registration.state == RegistrationState.CANCELLED:
        return redirect(addresses.to(addresses.ticket(registration)), 303)
    return refused(registration, event, too_late) if g.now >= event.starts_at else None


def _corrected(registration: Registration, event: Event) -> tuple[Correction, dict[str, str]]:
    """Names and number as they were sent, and a complaint for each that cannot be accepted. A
    companion's name that was not sent stays."""
    problems, found = {}, []
    for field, name in _names(registration).items():
        try:
            found.append(
                names.parse(request.form.get(field, "" if field == "name" else name), field)
            )
        except FieldRefused as refusal:
            problems[field] = say_refusal(refusal)
    phone = Phone(registration.phone_number, registration.phone_typed)
    typed = request.form.get("phone", "").strip()
    if typed:
        try:
            phone = phones.parse(typed, area_code(event))
        except FieldRefused as refusal:
            problems["phone"] = say_refusal(refusal)
    return Correction(tuple(found), phone), problems


def _names(registration: Registration) -> dict[str, str]:
    """Field to name of everybody who still comes."""
    people = live(registration)
    return {
        "name" if not place else f"companion-{place}": person.name
        for place, person in enumerate(people)
    }


def _change_page(
    registration: Registration, event: Event, problems: dict[str, str], *, notice: str = ""
) -> str:
    typed = {field: request.form.get(field, name) for field, name in _names(registration).items()}
    return render_template(
        "public/change.html",
        problems=problems,
        notice=notice,
        typed={**typed, "phone": request.form.get("phone", "")},
        masked=phones.masked(registration.phone_number),
        path=addresses.ticket(registration),
        version=registration.version,
        **facts(event),
    )


def refused(registration: Registration, event: Event, refusal: Refusal) -> tuple[str, int]:
    """Why something cannot be done here, and the telephone."""
    heading = say(f"refused_{refusal.code}")
    path = addresses.ticket(registration)
    return render_template(
        "public/error.html", heading=heading, ticket_path=path, **facts(event)
    ), 409
