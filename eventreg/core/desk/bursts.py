"""Bursts: many people registered online from one address in a short time. It may be a script, a
family or a hospital, and no program can tell: so nobody is refused or cancelled for it. An
organiser looks at the names and takes back those that are nobody's."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import func, select, union_all, update
from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.models.attendance import CheckIn
from eventreg.core.models.event import Event
from eventreg.core.models.people import LIVE
from eventreg.core.models.registration import Attendee, FormKey, Registration, RegistrationState
from eventreg.core.registration import cancellations, lookup, seats
from eventreg.core.registration.arrivals import STANDING

QUICK, QUICKLY = 6, timedelta(seconds=60)
"""So many people within a minute are a burst."""
MANY = 12
"""So many within the hour that a number lasts are one, too."""
KEPT = timedelta(hours=24)
"""How long it is known which registrations came from one address; never, which address that was."""


@dataclass(frozen=True)
class Person:
    """Somebody of a burst who still has a seat or waits for one."""

    attendee_id: int
    public_id: str
    registration_id: int
    name: str
    phone_number: str
    registered_at: datetime
    waits: bool


@dataclass(frozen=True)
class Burst:
    """People registered from one address, in the order in which they were."""

    people: Sequence[Person]

    @property
    def began_at(self) -> datetime:
        """When the first was registered."""
        return self.people[0].registered_at

    @property
    def ended_at(self) -> datetime:
        """When the last was."""
        return self.people[-1].registered_at


def of_event(session: Session, event: Event, *, now: datetime) -> Sequence[Burst]:
    """The bursts of the last day, the latest first, of those who could still be taken back."""
    shared = (
        select(FormKey.burst)
        .where(
            FormKey.event_id == event.id,
            FormKey.created_at > now - KEPT,
            FormKey.burst.is_not(None),
        )
        .group_by(FormKey.burst)
        .having(func.count(FormKey.key) * event.max_party >= QUICK)
    )
    main = (
        select(FormKey.burst, FormKey.registration_id).where(FormKey.burst.in_(shared)).subquery()
    )
    # Of a party that was split, the rest waits in a registration of its own.
    beside = select(main.c.burst, Registration.id).join(
        Registration, Registration.split_from_id == main.c.registration_id
    )
    parties = union_all(select(main), beside).subquery()
    people = (
        select(
            parties.c.burst,
            Attendee.id,
            Attendee.public_id,
            Registration.id,
            Attendee.name,
            Registration.phone_number,
            Registration.created_at,
            Registration.state == RegistrationState.WAITLISTED,
        )
        .join(Registration, Registration.id == parties.c.registration_id)
        .join(Attendee, Attendee.registration_id == Registration.id)
        .outerjoin(CheckIn, STANDING)
        .where(LIVE, CheckIn.id.is_(None), Registration.erased_at.is_(None))
        .order_by(parties.c.burst, Registration.created_at, Registration.id, Attendee.place)
    )
    rows = session.execute(people).all()
    found = [
        Burst([Person(*row[1:]) for row in of_one])
        for _, of_one in groupby(rows, key=lambda row: row[0])
    ]
    return sorted(filter(_is_one, found), key=lambda burst: burst.ended_at, reverse=True)


def _is_one(burst: Burst) -> bool:
    """Whether so many were registered that somebody should look."""
    moments = [person.registered_at for person in burst.people]
    quick = any(
        later - earlier <= QUICKLY
        for earlier, later in zip(moments, moments[QUICK - 1 :], strict=False)
    )
    return quick or len(moments) >= MANY


def ticked(
    session: Session, event: Event, people: Collection[str], *, now: datetime
) -> Sequence[Person]:
    """Those of the bursts who were ticked; anybody else's id is left out, and so is whoever gave
    the seat back meanwhile."""
    return [
        one
        for burst in of_event(session, event, now=now)
        for one in burst.people
        if one.public_id in people
    ]


def take_back(
    session: Session, event: Event, people: Collection[str], *, by: Actor, now: datetime
) -> int:
    """Cancel these people of the bursts; what they held goes to the waiting, in the same
    transaction. Returns how many there were; a second time that is nobody."""
    seats.lock(session, event.id, now=now)
    chosen = ticked(session, event, people, now=now)
    # Who waits goes first, or a seat that comes free would be given to somebody who is to go as
    # well.
    chosen = sorted(chosen, key=lambda one: (not one.waits, one.registration_id))
    for registration_id, party in groupby(chosen, key=lambda one: one.registration_id):
        ids = [one.attendee_id for one in party]
        found = lookup.get(session, registration_id)
        cancellations.cancel(session, event, found, ids, by=by, now=now)
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
    """Forget which registrations of more than a day ago came from one address."""
    session.execute(
        update(FormKey)
        .where(FormKey.created_at <= now - KEPT, FormKey.burst.is_not(None))
        .values(burst=None)
        .execution_options(synchronize_session=False)
    )
