"""The roster: the people of an event as a door device keeps them, and nothing that admission does
not need. No telephone number, but for its last four digits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from eventreg.core.door import devices
from eventreg.core.door.gifts import HANDED
from eventreg.core.models.attendance import CheckIn, Gift
from eventreg.core.models.door import OwedGift, PresentParty
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Attendee, Registration, RegistrationState
from eventreg.core.registration import identity, waitlist
from eventreg.core.registration.arrivals import STANDING
from eventreg.core.values.names import has_han, reading_of

TICKET = 24
"""Hex digits of a ticket's digest: enough to find it, and it opens no ticket."""


@dataclass(frozen=True)
class Expected:
    """One person, as a door device knows it. ``attendee`` is the random id."""

    attendee: str
    name: str
    pinyin: str
    code: str | None
    tail: str
    party: str
    """The same for the people of one registration."""
    state: str
    keys: Sequence[str]
    ticket: str
    unsure: bool
    checked_in_at: datetime | None
    door: str
    """The name of the door that saw the person first."""
    gift_at: datetime | None
    owed_at: datetime | None
    cancelled_at: datetime | None
    released_at: datetime | None
    position: int | None
    """The place on the waiting list."""
    number: int | None
    """The number that was handed to a walk-in."""
    present_at: datetime | None


_rows = (
    select(
        Attendee.public_id,
        Attendee.name,
        Attendee.sort_key,
        Attendee.search_key,
        Attendee.code,
        Attendee.phone_tail,
        Attendee.registration_id,
        Attendee.cancelled_at,
        Attendee.released_at,
        Registration.state,
        Registration.name_unsure,
        func.substr(Registration.ticket_digest, 1, TICKET).label("digest"),
        CheckIn.arrived_at,
        CheckIn.device,
        Gift.given_at,
        OwedGift.owed_at,
        PresentParty.number,
        PresentParty.came_at,
        PresentParty.left_at,
    )
    .join(Registration, Registration.id == Attendee.registration_id)
    .outerjoin(CheckIn, STANDING)
    .outerjoin(Gift, HANDED)
    .outerjoin(OwedGift, (OwedGift.attendee_id == Attendee.id) & OwedGift.settled_at.is_(None))
    .outerjoin(PresentParty, PresentParty.registration_id == Registration.id)
    .where(Attendee.event_id == bindparam("event"), Registration.erased_at.is_(None))
    .order_by(Attendee.sort_key, Attendee.id)
)


def of_event(session: Session, event: Event) -> Sequence[Expected]:
    """Everybody who is on the list, waits or has cancelled, in the order of the check-in list."""
    doors = devices.names(session, event)
    waiting = waitlist.parties(session, event.id)
    positions = {party.registration_id: place for place, party in enumerate(waiting, start=1)}
    found = []
    for row in session.execute(_rows, {"event": event.id}):
        is_live = row.cancelled_at is None
        state = row.state if is_live else RegistrationState.CANCELLED.value
        waits = state == RegistrationState.WAITLISTED
        is_here = row.came_at is not None and row.left_at is None
        found.append(
            Expected(
                attendee=row.public_id,
                name=row.name,
                pinyin=reading_of(row.sort_key) if has_han(row.name) else "",
                code=row.code if is_live else None,
                tail=row.phone_tail,
                party=row.digest[: identity.MARK],
                state=state,
                keys=row.search_key.split(),
                ticket=row.digest,
                unsure=row.name_unsure,
                checked_in_at=row.arrived_at,
                door=doors.get(row.device or "", ""),
                gift_at=row.given_at,
                owed_at=row.owed_at,
                cancelled_at=row.cancelled_at,
                released_at=row.released_at,
                position=positions.get(row.registration_id) if waits else None,
                number=row.number if waits else None,
                present_at=row.came_at if waits and is_here else None,
            )
        )
    return found
