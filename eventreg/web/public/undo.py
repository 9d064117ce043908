"""Take a cancellation back from the ticket's address, within ten minutes."""

from flask import Blueprint, g, redirect

from eventreg.core import audit
from eventreg.core.errors import NothingToUndo, Refusal
from eventreg.core.event import events
from eventreg.core.registration import lookup
from eventreg.core.undo import undo
from eventreg.storage.session import Session, reading, write
from eventreg.web import addresses
from eventreg.web.access import anyone
from eventreg.web.limits import limits
from eventreg.web.public import held_ticket
from eventreg.web.wire.answers import Answer

blueprint = Blueprint("undo", __name__)


@blueprint.post("/T/<token>/undo")
@anyone
def send(token: str) -> Answer:
    """Give the seats, or waiting places, of the last cancellation back. A second time changes
    nothing."""
    registration, event = held_ticket.by_token(token)
    slug, registration_id, now = event.slug, registration.id, g.now
    limits.limits().hit("undo-ticket", limits.CHANGE_TICKET, str(registration_id))

    def act(session: Session) -> None:
        event, found = events.get(session, slug), lookup.get(session, registration_id)
        undo.undo(session, event, found, by=audit.REGISTRANT, now=now)

    try:
        write(act)
    except NothingToUndo:
        pass  # pressed twice: the ticket's page shows what is true now
    except Refusal as refusal:
        return held_ticket.refusal_page(registration, event, refusal)
    ticket = addresses.ticket(lookup.get(reading(), registration_id))
    return redirect(addresses.to(ticket) + addresses.MAIN, 303)
