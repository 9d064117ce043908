"""Whom a form names. Row numbers come again: a backup that is brought back brings its counter with
it, and whoever registers next gets the number of somebody else. A page from before the restore
would then act on a stranger. So a form names an attendee by a random id, and a registration by its
number together with a mark."""

import re
from collections.abc import Collection

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from eventreg.core.errors import AttendeeUnknown, RegistrationUnknown
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Attendee, Registration
from eventreg.core.registration import lookup

MARK = 16
"""Characters of a mark, which is the beginning of the ticket's digest: it never comes again, and
opens no ticket."""
_ID = re.compile(r"[0-9a-f]{32}")

_attendee = (
    select(Attendee)
    .where(Attendee.public_id == bindparam("sent"), Attendee.event_id == bindparam("event"))
    .with_for_update()
    .execution_options(populate_existing=True)
)
_rows = select(Attendee.public_id, Attendee.id).where(
    Attendee.public_id.in_(bindparam("sent", expanding=True)),
    Attendee.event_id == bindparam("event"),
)


def attendee(session: Session, event: Event, sent: str) -> Attendee:
    """The attendee of the event who has this random id; ``AttendeeUnknown`` for any other text. The
    row is locked, so that nobody checks in and gives the seat back at the same moment."""
    person = (
        session.scalar(_attendee, {"sent": sent, "event": event.id})
        if _ID.fullmatch(sent)
        else None
    )
    if person is None:
        raise AttendeeUnknown
    return person


def known(session: Session, event: Event, sent: Collection[str]) -> dict[str, int]:
    """The row of each attendee of the event who is named; an id that nobody has is left out."""
    ids = [one for one in sent if _ID.fullmatch(one)]
    found: dict[str, int] = {}
    for start in range(0, len(ids), 500):
        rows = session.execute(_rows, {"sent": ids[start : start + 500], "event": event.id})
        found |= dict(rows.all())
    return found


def attendees(session: Session, event: Event, sent: Collection[str]) -> list[int]:
    """The rows of these attendees of the event; ``AttendeeUnknown`` if one of them is nobody's id,
    rather than left out."""
    found = known(session, event, sent)
    if len(found) < len(set(sent)):
        raise AttendeeUnknown
    return list(found.values())


def mark(registration: Registration) -> str:
    """What a form carries beside a registration's number."""
    return registration.ticket_digest[:MARK]


def registration(session: Session, event: Event, number: int, sent: str) -> Registration:
    """The registration of the event that a form is about, by number and mark;
    ``RegistrationUnknown`` for another number, or if the number went to somebody else since. A form
    without a mark means whoever has the number now."""
    found = lookup.of_event(session, event, number)
    if sent and sent != mark(found):
        raise RegistrationUnknown
    return found
