"""Show the ticket: the page of one registration behind its secret address."""

from flask import Blueprint, g, redirect, render_template, session

from eventreg.core.event import events
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Registration, RegistrationState
from eventreg.core.registration import lookup, waitlist
from eventreg.core.staff.permissions import Permission
from eventreg.core.values import phones
from eventreg.storage.session import reading
from eventreg.web import access, addresses, guard, qr_code
from eventreg.web.access import anyone
from eventreg.web.door import check_in
from eventreg.web.event_facts import facts
from eventreg.web.language import say
from eventreg.web.public import held_ticket, just_done, plain_ticket
from eventreg.web.public.plain_ticket import Holder
from eventreg.web.wire.answers import Answer

blueprint = Blueprint("ticket", __name__)


@blueprint.get("/T/<token>")
@anyone
def ticket(token: str) -> Answer:
    """The ticket of one registration. Staff who may check in are led to the party on the check-in
    page instead. After the retention period, or once a confirmed registration is erased, everyone
    else gets the page that says that registration is closed, without names."""
    if not session.get("id") and (page := plain_ticket.answer(token)):
        return page
    registration, event = held_ticket.by_token(token)
    if session.get("id") and _may_check_in(event):
        return redirect(check_in.address_of_party(event, registration), 303)
    if events.is_past_keeping(event, g.now) or (
        registration.erased_at and registration.state == RegistrationState.CONFIRMED
    ):
        return render_template("public/registering/closed.html", form=None, **facts(event))
    path = addresses.ticket(registration)
    if registration.state == RegistrationState.CANCELLED:
        return _cancelled(registration, event, path)
    return _live(registration, event, path)


def _live(registration: Registration, event: Event, path: str) -> str:
    """The page of a registration that has seats or waits."""
    live = held_ticket.live_people(registration)
    shown = {
        "done": just_done.of(registration, event),
        "people": [Holder.of(person.name, person.code or "") for person in live],
        "released": held_ticket.released_people(registration),
        "masked": phones.masked(registration.phone_number),
        "path": path,
        "changeable": g.now < event.starts_at,
        **facts(event),
    }
    if registration.state == RegistrationState.WAITLISTED:
        return render_template(
            "public/ticket/waitlisted.html",
            position=waitlist.position(reading(), registration),
            **shown,
        )
    address, waiting = guard.settings().public_url + path, _waiting_beside(registration)
    return render_template(
        "public/ticket/ticket.html",
        qr=qr_code.svg(address.upper()),
        address=address,
        waiting=waiting,
        waiting_people=sum(people for *_, people in waiting),
        **shown,
    )


def _may_check_in(event: Event) -> bool:
    """Whether this browser belongs to staff who may check in at this event."""
    signed_in = access.current()
    return (
        signed_in is not None
        and access.may(Permission.CHECK_IN)
        and access.is_for(signed_in, event.slug)
    )


def _cancelled(registration: Registration, event: Event, path: str) -> str:
    """The page of a cancelled registration. If its people were put first in line since, it leads
    to their new ticket."""
    again = lookup.put_first_from(reading(), registration)
    return render_template(
        "public/ticket/cancelled.html",
        done=just_done.of(registration, event),
        released=held_ticket.released_people(registration),
        again=[(addresses.ticket(one), one.state) for one in again],
        path=path,
        **facts(event),
    )


def _waiting_beside(registration: Registration) -> list[tuple[str, str, int, int]]:
    """The part of the party that waits under a registration of its own: names, address of its
    ticket, position, number of people."""
    return [
        (
            say("list_comma").join(row.name for row in held_ticket.live_people(other)),
            addresses.ticket(other),
            waitlist.position(reading(), other),
            len(held_ticket.live_people(other)),
        )
        for other in lookup.waiting_beside(reading(), registration)
    ]
