"""Identify the attendee or registration that a form names.

The id of a row is not enough: a restored backup also restores the counters, and the next
registration gets an id that was somebody else's. A page from before the restore would then act on a
stranger. So a form names an attendee by a random id, and a registration by its row's id and a mark.
"""

import re
from collections.abc import Collection

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from eventreg.core.errors import AttendeeUnknown, RegistrationUnknown
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Attendee, Registration
from eventreg.core.registration import lookup

MARK = 16
"""Length of a mark. A mark is the beginning of the ticket's digest: it never repeats, and opens no
ticket."""
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
    """The attendee of the event who has this random id; refuses other texts with
    ``AttendeeUnknown``.

    Locks the row, so that a check-in and a cancellation of one person never happen at once.
    """
    if not _ID.fullmatch(sent):
        raise AttendeeUnknown
    person = session.scalar(_attendee, {"sent": sent, "event": event.id})
    if person is None:
        raise AttendeeUnknown
    return person


def of_event(session: Session, event: Event, attendee_id: int) -> Attendee:
    """The attendee of this row's id; refuses with ``AttendeeUnknown`` if the event has none."""
    person = session.get(Attendee, attendee_id)
    if person is None or person.event_id != event.id:
        raise AttendeeUnknown
    return person


def known(session: Session, event: Event, sent: Collection[str]) -> dict[str, int]:
    """The row's id of each attendee of the event, by random id; unknown ids are left out."""
    ids = [one for one in sent if _ID.fullmatch(one)]
    found: dict[str, int] = {}
    for start in range(0, len(ids), 500):
        rows = session.execute(_rows, {"sent": ids[start : start + 500], "event": event.id})
        found |= dict(rows.all())
    return found


def attendees(session: Session, event: Event, sent: Collection[str]) -> list[int]:
    """The rows' ids of these attendees of the event, in no order; refuses with ``AttendeeUnknown``
    if one is unknown."""
    found = known(session, event, sent)
    if len(found) < len(set(sent)):
        raise AttendeeUnknown
    return list(found.values())


def mark(registration: Registration) -> str:
    """The mark that a form sends beside a registration's id."""
    return registration.ticket_digest[:MARK]


def registration(session: Session, event: Event, registration_id: int, sent: str) -> Registration:
    """The registration of the event that has this id, and the mark that was ``sent``.

    Refuses with ``RegistrationUnknown`` if the event has no such id, or if another registration has
    it now. If the mark is empty, only the id counts.
    """
    found = lookup.of_event(session, event, registration_id)
    if sent and sent != mark(found):
        raise RegistrationUnknown
    return found
