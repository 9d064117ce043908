"""Let the holder of a ticket correct names and telephone number."""

from flask import Blueprint, g, redirect, render_template, request

from eventreg.core import audit
from eventreg.core.audit import Action
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
from eventreg.core.models.registration import Registration
from eventreg.core.registration import corrections, lookup
from eventreg.core.registration.corrections import Correction
from eventreg.core.values import names, phones
from eventreg.core.values.phones import Phone
from eventreg.storage.session import Session, reading, write
from eventreg.web import addresses
from eventreg.web.access import anyone
from eventreg.web.event_facts import area_code, facts
from eventreg.web.forms import fields
from eventreg.web.language import say_refusal
from eventreg.web.limits import limits
from eventreg.web.public import held_ticket
from eventreg.web.wire.answers import Answer

blueprint = Blueprint("correct", __name__)


@blueprint.get("/T/<token>/change")
@anyone
def form(token: str) -> Answer:
    """The form to correct names and number."""
    registration, event = held_ticket.by_token(token)
    answer = held_ticket.instead_of_asking(registration, event, TooLateToChange())
    return answer or _page(registration, event, {})


@blueprint.post("/T/<token>/change")
@anyone
def send(token: str) -> Answer:
    """Save names and number. If the number is left empty, it stays as it is, because the ticket
    never shows the complete number. Tries are limited for each ticket and network address."""
    registration, event = held_ticket.by_token(token)
    if answer := held_ticket.instead_of_asking(registration, event, TooLateToChange()):
        return answer
    if request.form.get("show") == "form":
        return _page(registration, event, {})
    corrected, problems = _corrected(registration, event)
    if problems:
        return _page(registration, event, problems), 422
    try:
        _count(registration)
    except limits.TooOften as wait:
        page = _page(registration, event, {}, notice="change_too_often")
        return page, 429, {"Retry-After": str(wait.seconds)}
    registration_id = registration.id
    try:
        _save(registration, event, corrected)
    except ChangedMeanwhile:
        changed = lookup.get(reading(), registration_id)
        return _page(changed, event, {}, notice="changed_meanwhile"), 409
    except AlreadyCancelled:
        pass  # the ticket's page says so
    except Refusal as refusal:
        return _refused(registration, event, refusal)
    return redirect(addresses.to(addresses.ticket(registration)) + addresses.MAIN, 303)


def _save(registration: Registration, event: Event, corrected: Correction) -> None:
    slug, registration_id, now = event.slug, registration.id, g.now
    version = fields.version_sent() or registration.version

    def act(session: Session) -> None:
        corrections.edit(
            session,
            events.get(session, slug),
            lookup.get(session, registration_id),
            corrected,
            version=version,
            by=audit.REGISTRANT,
            now=now,
        )

    write(act)


def _refused(registration: Registration, event: Event, refusal: Refusal) -> Answer:
    """The answer to a refusal of the core. If the people are registered elsewhere, the audit trail
    gets an entry."""
    match refusal:
        case FieldRefused():
            return _page(registration, event, {refusal.field: say_refusal(refusal)}), 422
        case AlreadyRegistered() | PhoneAtLimit():
            # Someone may be trying names: do not say who is registered, and tell the desk.
            _record_refused(registration, refusal)
            return _page(registration, event, {}, notice="change_refused"), 409
        case CheckedInAlready() | TooLateToChange():
            return held_ticket.refusal_page(registration, event, refusal)
    raise refusal


def _count(registration: Registration) -> None:
    """Count this try for the network address and for the ticket, never for the telephone number:
    anyone could use up another person's tries."""
    counters = limits.limits()
    counters.hit("change", limits.CHANGE, limits.address())
    counters.hit("change-ticket", limits.CHANGE_TICKET, str(registration.id))


def _record_refused(registration: Registration, refusal: Refusal) -> None:
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


def _corrected(registration: Registration, event: Event) -> tuple[Correction, dict[str, str]]:
    """The names and number that were sent, and a problem for each that cannot be accepted. A
    companion whose name was not sent keeps it."""
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
    """The form's field and the present name of each person who is not cancelled."""
    people = held_ticket.live_people(registration)
    return {
        "name" if not place else f"companion-{place}": person.name
        for place, person in enumerate(people)
    }


def _page(
    registration: Registration, event: Event, problems: dict[str, str], *, notice: str = ""
) -> str:
    typed = {field: request.form.get(field, name) for field, name in _names(registration).items()}
    return render_template(
        "public/ticket/correct.html",
        problems=problems,
        notice=notice,
        typed={**typed, "phone": request.form.get("phone", "")},
        masked=phones.masked(registration.phone_number),
        path=addresses.ticket(registration),
        version=registration.version,
        **facts(event),
    )
