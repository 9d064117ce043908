"""Give the seats of those who have not come to the people who wait at the door.

A person presses a button; no timer does it. Nobody who has come loses a seat, the capacity is never
passed, and who comes late stands first for what is left (``restoring``). Why, and what changes for
the waiting list: docs/adr/0015-the-door-after-the-release.md.
"""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, exists, select
from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.door import calling
from eventreg.core.errors import RegistrationClosed, ReleaseTooEarly
from eventreg.core.event import events
from eventreg.core.models.attendance import CheckIn
from eventreg.core.models.audit import AuditEntry
from eventreg.core.models.door import DoorDevice, PresentParty
from eventreg.core.models.event import Event
from eventreg.core.models.people import EXPECTED, LIVE
from eventreg.core.models.registration import Attendee, Registration
from eventreg.core.models.staff import StaffMember
from eventreg.core.registration import cancellations, identity, seats, waitlist
from eventreg.core.registration.arrivals import STANDING
from eventreg.core.staff import permissions
from eventreg.core.staff.permissions import Permission


@dataclass(frozen=True)
class Person:
    """Somebody on the page of the release."""

    attendee: str
    name: str
    code: str | None = None


@dataclass(frozen=True)
class Released:
    """What a release did, as random ids: whose seats were given away, who of them had come
    meanwhile and keeps the seat, who got a seat. ``left`` seats stay free."""

    released: Sequence[str]
    kept: Sequence[str]
    seated: Sequence[str]
    left: int


@dataclass(frozen=True)
class Silent:
    """A door device with what it last said; ``unsent`` is empty if it never said how many acts it
    had not uploaded."""

    name: str
    seen_at: datetime | None
    unsent: int | None


@dataclass(frozen=True)
class Earlier:
    """The latest release: who pressed, and when."""

    who: str
    at: datetime


_called_in = exists(
    select(PresentParty.id).where(
        PresentParty.registration_id == Attendee.registration_id, PresentParty.left_at.is_(None)
    )
)
"""The party was given seats at the door and is being called: it has come, and leaves only if it
does not answer."""
_not_come = (
    select(Attendee.public_id, Attendee.name, Attendee.code)
    .where(
        Attendee.event_id == bindparam("event"),
        EXPECTED,
        ~exists(select(CheckIn.id).where(STANDING)),
        ~_called_in,
    )
    .order_by(Attendee.sort_key, Attendee.id)
)
_latest = (
    select(StaffMember.username, AuditEntry.at)
    .outerjoin(StaffMember, StaffMember.id == AuditEntry.actor_staff_id)
    .where(AuditEntry.event_id == bindparam("event"), AuditEntry.action == Action.ABSENT_RELEASED)
    .order_by(AuditEntry.id.desc())
    .limit(1)
)


def may_release(event: Event, by: Actor, now: datetime) -> bool:
    """Whether this person may release now: before the time of the release only an organiser."""
    early = by.role is not None and permissions.may(by.role, Permission.RELEASE_EARLY)
    return early or now >= events.release_from(event)


def is_suggested(event: Event, now: datetime) -> bool:
    """Whether pages suggest the release: the event file sets a time, it has come, and nobody has
    released yet."""
    announced = events.announced_release(event)
    return (
        announced is not None
        and announced <= now < event.ends_at
        and event.seats_released_at is None
    )


def not_come(session: Session, event: Event) -> Sequence[Person]:
    """Those who have a seat and have not come, in the order of the check-in list."""
    return [Person(*row) for row in session.execute(_not_come, {"event": event.id})]


def latest(session: Session, event: Event) -> Earlier | None:
    """Who released last; ``None`` if nobody did."""
    row = session.execute(_latest, {"event": event.id}).first()
    return Earlier(row.username or "", row.at) if row else None


def silent_doors(session: Session, event: Event) -> Sequence[Silent]:
    """The doors that are not revoked, who was heard from longest ago first. What they have not
    uploaded, nobody here knows."""
    rows = session.execute(
        select(DoorDevice.name, DoorDevice.seen_at, DoorDevice.unsent)
        .where(DoorDevice.event_id == event.id, DoorDevice.revoked_at.is_(None))
        .order_by(DoorDevice.seen_at.is_not(None), DoorDevice.seen_at, DoorDevice.id)
    )
    return [Silent(*row) for row in rows]


def release(
    session: Session,
    event: Event,
    absent: Collection[str] | None,
    *,
    by: Actor,
    now: datetime,
) -> Released:
    """Give the seats of ``absent`` to those who wait at the door, in their order; without it, the
    seats of all who have not come. Who has come meanwhile keeps the seat; ids that are not of this
    event, and people without a seat, are left out. From now on only people at the door get seats.

    Refuses with ``ReleaseTooEarly`` and, if the event is over or cancelled, with
    ``RegistrationClosed``.
    """
    counted = seats.lock(session, event.id, now=now)
    session.refresh(event)
    if not may_release(event, by, now):
        raise ReleaseTooEarly
    if event.notice == "cancelled" or now >= event.ends_at:
        raise RegistrationClosed(events.phase(event, now))
    if absent is None:
        absent = [person.attendee for person in not_come(session, event)]
    kept, leaving = _judge(session, event, absent)
    counted = cancellations.release(session, event, counted, leaving, by=by, now=now)
    if event.seats_released_at is None:
        event.seats_released_at, event.stamp = now, secrets.token_hex(16)
        session.flush()
    before = _seated_at_the_door(session, event)
    counted = waitlist.promote(session, event, seats.count(session, event.id, now=now), now=now)
    seated = [one for one in _seated_at_the_door(session, event) if one not in before]
    left = max(0, counted.capacity - counted.taken)
    numbers = {"released": len(leaving), "kept": len(kept), "seated": len(seated), "left": left}
    audit.record(session, Action.ABSENT_RELEASED, by, now=now, event_id=event.id, **numbers)
    return Released([one.public_id for one in leaving], kept, seated, left)


def _judge(
    session: Session, event: Event, absent: Collection[str]
) -> tuple[Sequence[str], Sequence[Attendee]]:
    """Who of ``absent`` has come and keeps the seat, and whose seats are given away. The rows are
    locked before the arrivals are read, so that a check-in of the same moment counts."""
    ids = list(identity.known(session, event, absent).values())
    leaving = calling.absent_of(session, people=ids)
    gone = {person.id for person in leaving}
    seated = select(Attendee.public_id, Attendee.id).where(Attendee.id.in_(ids), EXPECTED)
    kept = [public_id for public_id, one in session.execute(seated) if one not in gone]
    called = set(session.scalars(select(Attendee.id).where(Attendee.id.in_(gone), _called_in)))
    kept += [person.public_id for person in leaving if person.id in called]
    return kept, [person for person in leaving if person.id not in called]


def _seated_at_the_door(session: Session, event: Event) -> Sequence[str]:
    """The random ids of the people at the door who have seats."""
    people = (
        select(Attendee.public_id)
        .join(Registration, Registration.id == Attendee.registration_id)
        .join(PresentParty, PresentParty.registration_id == Registration.id)
        .where(PresentParty.event_id == event.id, LIVE, Attendee.code.is_not(None))
        .order_by(Attendee.id)
    )
    return session.scalars(people).all()
