"""Let the holder of a ticket cancel seats. The page asks first; opening it changes nothing, and it
works without scripts."""

from flask import Blueprint, g, redirect, render_template, request

from eventreg.core import audit
from eventreg.core.errors import AlreadyCancelled, CheckedInAlready, TooLateToCancel
from eventreg.core.event import events
from eventreg.core.models.registration import RegistrationState
from eventreg.core.registration import cancellations, identity, lookup
from eventreg.storage.session import Session, reading, write
from eventreg.web import addresses
from eventreg.web.access import anyone
from eventreg.web.event_facts import facts, seats_now
from eventreg.web.public import held_ticket
from eventreg.web.wire.answers import Answer

blueprint = Blueprint("cancel", __name__)


@blueprint.get("/T/<token>/cancel")
@anyone
def form(token: str) -> Answer:
    """Ask whose seats to cancel."""
    registration, event = held_ticket.by_token(token)
    if answer := held_ticket.instead_of_asking(registration, event, TooLateToCancel()):
        return answer
    return render_template(
        "public/ticket/cancel.html",
        people=held_ticket.live_people(registration),
        waits=registration.state == RegistrationState.WAITLISTED,
        ticket_path=addresses.ticket(registration),
        others_wait=seats_now(event).waiting > 0,
        **facts(event),
    )


@blueprint.post("/T/<token>/cancel")
@anyone
def send(token: str) -> Answer:
    """Cancel the seats of the ticked people, or of the whole party if none is ticked. The seats go
    to the waiting list. Sending it again changes nothing."""
    registration, event = held_ticket.by_token(token)
    chosen = request.form.getlist("attendee")
    slug, registration_id, now = event.slug, registration.id, g.now

    def act(session: Session) -> None:
        event, found = events.get(session, slug), lookup.get(session, registration_id)
        people = identity.attendees(session, event, chosen)
        cancellations.cancel(session, event, found, people, by=audit.REGISTRANT, now=now)

    try:
        write(act)
    except AlreadyCancelled:
        pass  # pressed twice, or by two people of the party: the ticket's page says so
    except (CheckedInAlready, TooLateToCancel) as refusal:
        return held_ticket.refusal_page(registration, event, refusal)
    return redirect(addresses.to(addresses.ticket(lookup.get(reading(), registration_id))), 303)
