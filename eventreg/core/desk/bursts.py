"""Bursts: many people registered online from one network address within a short time.

It may be a script, a family or a hospital, and a program cannot tell. So no registration is refused
or cancelled for it: an organiser looks at the names and cancels those that are not real.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import CompoundSelect, Select, func, select, union_all, update
from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.models.attendance import CheckIn
from eventreg.core.models.event import Event
from eventreg.core.models.people import LIVE
from eventreg.core.models.registration import Attendee, FormKey, Registration, RegistrationState
from eventreg.core.registration import cancellations, lookup, seats
from eventreg.core.registration.arrivals import STANDING

_FAST_PEOPLE, _FAST_WITHIN = 6, timedelta(seconds=60)
"""So many people within a minute are a burst."""
_MANY_PEOPLE = 12
"""So many people are a burst too; one address keeps its number for an hour."""
KEPT = timedelta(hours=24)
"""How long it is stored which registrations share an address. The address itself is not stored."""


@dataclass(frozen=True)
class Person:
    """An attendee of a burst who has a seat or waits for one."""

    attendee_id: int
    public_id: str
    registration_id: int
    name: str
    phone_number: str
    registered_at: datetime
    waits: bool


@dataclass(frozen=True)
class Burst:
    """Attendees registered from one address, in the order of registration."""

    people: Sequence[Person]

    @property
    def began_at(self) -> datetime:
        """When the first attendee was registered."""
        return self.people[0].registered_at

    @property
    def ended_at(self) -> datetime:
        """When the last attendee was registered."""
        return self.people[-1].registered_at


def of_event(session: Session, event: Event, *, now: datetime) -> Sequence[Burst]:
    """The bursts of the last day, the latest first. Attendees who cancelled or have arrived are not
    counted."""
    rows = session.execute(_people_by_address(event, now)).all()
    found = [
        Burst([_person(row) for row in of_one_address])
        for _, of_one_address in groupby(rows, key=lambda row: row.burst)
    ]
    return sorted(filter(_is_burst, found), key=lambda burst: burst.ended_at, reverse=True)


def _people_by_address(event: Event, now: datetime) -> Select[*tuple[Any, ...]]:
    """The attendees that share an address, address by address; only those not yet arrived."""
    parties = _parties_by_address(event, now).subquery()
    return (
        select(
            parties.c.burst.label("burst"),
            Attendee.id.label("attendee_id"),
            Attendee.public_id,
            Registration.id.label("registration_id"),
            Attendee.name,
            Registration.phone_number,
            Registration.created_at.label("registered_at"),
            (Registration.state == RegistrationState.WAITLISTED).label("waits"),
        )
        .join(Registration, Registration.id == parties.c.registration_id)
        .join(Attendee, Attendee.registration_id == Registration.id)
        .outerjoin(CheckIn, STANDING)
        .where(LIVE, CheckIn.id.is_(None), Registration.erased_at.is_(None))
        .order_by(parties.c.burst, Registration.created_at, Registration.id, Attendee.place)
    )


def _parties_by_address(event: Event, now: datetime) -> CompoundSelect[*tuple[Any, ...]]:
    """The registrations that share an address with enough others to be a burst."""
    shared = (
        select(FormKey.burst)
        .where(
            FormKey.event_id == event.id,
            FormKey.created_at > now - KEPT,
            FormKey.burst.is_not(None),
        )
        .group_by(FormKey.burst)
        .having(func.count(FormKey.key) * event.max_party >= _FAST_PEOPLE)
    )
    sent = (
        select(FormKey.burst, FormKey.registration_id).where(FormKey.burst.in_(shared)).subquery()
    )
    # If a party was split, its second part waits in a registration of its own.
    split = select(sent.c.burst, Registration.id.label("registration_id")).join(
        Registration, Registration.split_from_id == sent.c.registration_id
    )
    return union_all(select(sent), split)


def _person(row: Any) -> Person:
    return Person(
        attendee_id=row.attendee_id,
        public_id=row.public_id,
        registration_id=row.registration_id,
        name=row.name,
        phone_number=row.phone_number,
        registered_at=row.registered_at,
        waits=row.waits,
    )


def _is_burst(found: Burst) -> bool:
    """Whether enough attendees were registered quickly enough."""
    moments = [person.registered_at for person in found.people]
    fast = any(
        later - earlier <= _FAST_WITHIN
        for earlier, later in zip(moments, moments[_FAST_PEOPLE - 1 :], strict=False)
    )
    return fast or len(moments) >= _MANY_PEOPLE


def ticked(
    session: Session, event: Event, people: Collection[str], *, now: datetime
) -> Sequence[Person]:
    """The attendees of bursts with these public ids. Other ids are ignored, and those of attendees
    who cancelled or have arrived."""
    return [
        person
        for burst in of_event(session, event, now=now)
        for person in burst.people
        if person.public_id in people
    ]


def take_back(
    session: Session, event: Event, people: Collection[str], *, by: Actor, now: datetime
) -> int:
    """Cancel those of these attendees whom ``ticked`` finds; returns how many there were.

    Their seats go to the waiting list in the same transaction.
    """
    seats.lock(session, event.id, now=now)
    # Waiting attendees are cancelled first, so that none of them gets a seat that comes free here.
    chosen = sorted(
        ticked(session, event, people, now=now),
        key=lambda person: (not person.waits, person.registration_id),
    )
    for registration_id, party in groupby(chosen, key=lambda person: person.registration_id):
        ids = [person.attendee_id for person in party]
        registration = lookup.get(session, registration_id)
        cancellations.cancel(session, event, registration, ids, by=by, now=now)
        audit.record(
            session,
            Action.TAKEN_BACK,
            by,
            now=now,
            event_id=event.id,
            registration_id=registration_id,
            people=len(ids),
            reason="burst",
        )
    return len(chosen)


def drop_old(session: Session, *, now: datetime) -> None:
    """Delete the numbers that show which registrations share an address, after a day."""
    session.execute(
        update(FormKey)
        .where(FormKey.created_at <= now - KEPT, FormKey.burst.is_not(None))
        .values(burst=None)
        .execution_options(synchronize_session=False)
    )
