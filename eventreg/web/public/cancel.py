"""How a guest gives a seat back: by the ticket's address, which a lost ticket is found again by
name, number and code. Asks first, changes nothing when merely opened, and works without any
script."""

from flask import Blueprint, current_app, g, redirect, render_template, request

from eventreg.core import audit
from eventreg.core.errors import (
    AlreadyCancelled,
    CheckedInAlready,
    FieldRefused,
    RegistrationUnknown,
    TooLateToCancel,
)
from eventreg.core.event import events
from eventreg.core.models.registration import RegistrationState
from eventreg.core.registration import cancellations, identity, lookup
from eventreg.core.values import names, phones
from eventreg.core.values.normal_form import normalize
from eventreg.storage.session import Session, reading, write
from eventreg.web import addresses
from eventreg.web.access import anyone
from eventreg.web.event_facts import area_code, check_language, facts, of_the_next
from eventreg.web.language import say, say_refusal
from eventreg.web.limits import limits
from eventreg.web.public import ticket
from eventreg.web.wire.answers import Answer

blueprint = Blueprint("giving_back", __name__)


@blueprint.get("/T/<token>/cancel")
@anyone
def ask(token: str) -> Answer:
    """Ask before anything is given up."""
    registration, event = ticket.of(token)
    if answer := ticket.past_asking(registration, event, TooLateToCancel()):
        return answer
    return render_template(
        "public/ticket/cancel.html",
        people=ticket.live(registration),
        waits=registration.state == RegistrationState.WAITLISTED,
        ticket_path=addresses.ticket(registration),
        **facts(event),
    )


@blueprint.post("/T/<token>/cancel")
@anyone
def give_back(token: str) -> Answer:
    """Give up the seats of those named, or of all. Twice is once."""
    registration, event = ticket.of(token)
    sent, slug, registration_id, now = (
        request.form.getlist("attendee"),
        event.slug,
        registration.id,
        g.now,
    )

    def act(session: Session) -> None:
        event, found = events.get(session, slug), lookup.get(session, registration_id)
        people = identity.attendees(session, event, sent)
        cancellations.cancel(session, event, found, people, by=audit.REGISTRANT, now=now)

    try:
        write(act)
    except AlreadyCancelled:
        pass  # pressed twice, or by two of the family: the page that follows says so
    except (CheckedInAlready, TooLateToCancel) as refusal:
        return ticket.refused(registration, event, refusal)
    return redirect(addresses.to(addresses.ticket(lookup.get(reading(), registration_id))), 303)


@blueprint.get("/<lang>/find")
@anyone
def lost(lang: str) -> str:
    """The form for a lost ticket."""
    check_language(lang)
    return _find_page({})


@blueprint.post("/<lang>/find")
@anyone
def find(lang: str) -> Answer:
    """To the ticket, where name, number and code all fit. Nothing says which of them did not."""
    check_language(lang)
    if request.form.get("show") == "form":
        return _find_page({})
    counters, here = limits.limits(), limits.address()
    counters.check("find", limits.FIND, here)
    problems = {}
    try:
        name = names.parse(request.form.get("name", ""), "name")
    except FieldRefused as refusal:
        problems["name"] = say_refusal(refusal)
    try:
        phone = phones.parse(request.form.get("phone", ""), _area_code())
    except FieldRefused as refusal:
        problems["phone"] = say_refusal(refusal)
    code = "".join(normalize("NFKC", request.form.get("code", "")).split())
    if not (code.isascii() and code.isdigit() and 4 <= len(code) <= 12):
        problems["code"] = say("code_wrong")
    if problems:
        return _find_page(problems), 422
    # Counted before anything is looked up: a code is soon guessed. The address comes first, so that
    # whoever is refused there makes no counters for numbers.
    counters.hit("find", limits.FIND, here)
    counters.hit("find-number", limits.FIND_NUMBER, phone.number)
    try:
        found = lookup.find(reading(), name, phone, code)
    except RegistrationUnknown:
        current_app.logger.info("a lost ticket was not found")
        return _find_page({"name": say("find_nothing")}), 422
    return redirect(addresses.to(addresses.ticket(found)) + addresses.MAIN, 303)


def _area_code() -> str | None:
    coming = events.still_to_come(reading(), g.now)
    return area_code(coming[0]) if coming else None


def _find_page(problems: dict[str, str]) -> str:
    coming = events.still_to_come(reading(), g.now)
    typed = {field: request.form.get(field, "") for field in ("name", "phone", "code")}
    return render_template(
        "public/ticket/find.html", problems=problems, typed=typed, **of_the_next(coming)
    )
