"""The people of an event as the page of the door lists them: only what a row there shows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, case, select
from sqlalchemy.orm import Session

from eventreg.core import driver
from eventreg.core.models.attendance import CheckIn
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Attendee, Registration, RegistrationState
from eventreg.core.registration.arrivals import STANDING

MOST = 200
"""Rows of the list. A search finds everybody."""


class Person(NamedTuple):
    """A person at the door."""

    public_id: str
    """Identifies the person in forms."""
    registration_id: int
    name: str
    code: str | None
    phone_tail: str
    registration_state: str
    cancelled_at: datetime | None
    released_at: datetime | None
    """When the seat was given away because the person had not come."""
    check_in_id: int | None
    arrived_at: datetime | None
    late: bool | None

    @property
    def is_live(self) -> bool:
        """Whether the seat or waiting place was not given back."""
        return self.cancelled_at is None

    @property
    def state(self) -> str:
        """The state of the registration, or cancelled if only this person was cancelled."""
        return RegistrationState.CANCELLED.value if self.cancelled_at else self.registration_state


def _rows(state: ColumnElement[str]) -> Select[*tuple[Any, ...]]:
    return select(
        Attendee.public_id,
        Attendee.registration_id,
        Attendee.name,
        Attendee.code,
        Attendee.phone_tail,
        state,
        Attendee.cancelled_at,
        Attendee.released_at,
        CheckIn.id,
        CheckIn.arrived_at,
        CheckIn.late,
    ).outerjoin(CheckIn, STANDING)


_by_code = case((Attendee.code.is_(None), "waitlisted"), else_="confirmed")
"""The state of people who have not cancelled: a code is given with the seat. To look at two hundred
registrations for it would take half the time of the list."""
_first = (
    _rows(_by_code)
    .where(Attendee.event_id == bindparam("event"))
    .order_by(Attendee.sort_key, Attendee.id)
    .limit(MOST)
)
_party = (
    _rows(Registration.__table__.c.state)
    .join(Registration, Registration.id == Attendee.registration_id)
    .where(Attendee.registration_id == bindparam("registration"))
    .order_by(Attendee.place)
)


def first(session: Session, event: Event) -> Sequence[Person]:
    """Of the first ``MOST`` people in the order of the check-in list, those who have not
    cancelled."""
    found = map(Person._make, driver.within(session, _first, event=event.id))
    return [one for one in found if one.is_live]


def party(session: Session, registration_id: int) -> Sequence[Person]:
    """The people of one registration, in the order in which they were entered."""
    return list(map(Person._make, driver.within(session, _party, registration=registration_id)))
