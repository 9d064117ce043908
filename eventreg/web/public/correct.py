"""Let the holder of a ticket correct names and telephone number."""

from collections.abc import Mapping

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
from eventreg.core.registration import corrections, lookup, sent_forms
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
from eventreg.web.public import held_ticket, unfinished
from eventreg.web.public.unfinished import View
from eventreg.web.wire.answers import Answer

blueprint = Blueprint("correct", __name__)


@blueprint.get("/T/<token>/change")
@anyone
def form(token: str) -> Answer:
    """The form to correct names and number, or what was typed under this address before."""
    registration, event = held_ticket.by_token(token)
    if answer := held_ticket.instead_of_asking(registration, event, TooLateToChange()):
        return answer
    key = request.args.get("form", "")
    found = unfinished.find(key) if key else None
    if found is None or found.typed is None:
        return _page(registration, event, sent_forms.new_key(), {}, View("form"))
    kept = found.typed
    view = unfinished.view_of(kept)
    return _page(registration, event, kept["form_key"], kept["typed"], view, came_from=key)


@blueprint.post("/T/<token>/change")
@anyone
def send(token: str) -> Answer:
    """Save names and number. An empty number stays as it is, because the ticket never shows the
    whole number. A form that comes back has an address of its own, so that Back and reload show
    it. Tries are limited for each ticket and network address."""
    registration, event = held_ticket.by_token(token)
    if answer := held_ticket.instead_of_asking(registration, event, TooLateToChange()):
        return answer
    path, form_key = addresses.ticket(registration), unfinished.form_key_sent()
    view = _judge(registration, event)
    if not isinstance(view, View):
        return view
    typed = {field: request.form[field] for field in request.form if field in _kept(registration)}
    if view.notice == "changed_meanwhile":
        typed["version"] = str(lookup.get(reading(), registration.id).version)
    return unfinished.come_back(f"{path}/change", form_key, typed, view) or _page(
        registration, event, form_key, typed, view
    )


def _judge(registration: Registration, event: Event) -> Answer | View:
    """Save, or say how the form comes back."""
    if request.form.get("show") == "form":
        return View("form", complain=False)
    corrected, problems = _corrected(registration, event)
    if problems:
        return View("form", 422, problems=problems)
    try:
        _count(registration)
    except limits.TooOften as wait:
        return View("form", 429, "change_too_often", wait_until=unfinished.until(wait))
    try:
        _save(registration, event, corrected)
    except ChangedMeanwhile:
        return View("form", 409, "changed_meanwhile")
    except AlreadyCancelled:
        pass  # the ticket's page says so
    except Refusal as refusal:
        return _refused(registration, event, refusal)
    unfinished.forget(unfinished.form_key_sent())
    return redirect(addresses.to(addresses.ticket(registration)) + addresses.MAIN, 303)


def _kept(registration: Registration) -> set[str]:
    """The fields that are kept to show the form again."""
    return {*_names(registration), "phone", "version"}


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


def _refused(registration: Registration, event: Event, refusal: Refusal) -> Answer | View:
    """The answer to a refusal of the core. If the people are registered elsewhere, the audit trail
    gets an entry."""
    match refusal:
        case FieldRefused():
            return View("form", 422, problems={refusal.field: say_refusal(refusal)})
        case AlreadyRegistered() | PhoneAtLimit():
            # Someone may be trying names: do not say who is registered, and tell the desk.
            _record_refused(registration, refusal)
            return View("form", 409, "change_refused")
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
    registration: Registration,
    event: Event,
    form_key: str,
    sent: Mapping[str, str],
    view: View,
    *,
    came_from: str = "",
) -> Answer:
    typed = {field: sent.get(field, name) for field, name in _names(registration).items()}
    page = render_template(
        "public/ticket/correct.html",
        problems=view.problems,
        notice=view.notice,
        typed={**typed, "phone": sent.get("phone", "")},
        masked=phones.masked(registration.phone_number),
        path=addresses.ticket(registration),
        version=sent.get("version") or registration.version,
        form_key=form_key,
        came_from=came_from,
        **facts(event),
    )
    headers = {"Retry-After": str(view.wait.seconds)} if view.wait else {}
    return page, view.status, headers
