"""What was cancelled a moment ago, and what can be done about it. Changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import REGISTRANT, Action
from eventreg.core.event import events
from eventreg.core.event.events import Phase
from eventreg.core.models.audit import AuditEntry
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Registration, RegistrationState
from eventreg.core.registration import lookup, seats, waitlist

LASTS = timedelta(minutes=10)
"""A cancellation can be undone for so long."""
_GIVES_BACK = (Action.SEATS_RELEASED, Action.WAITLIST_LEFT)
_SETTLES = (Action.CANCELLATION_UNDONE, Action.PUT_FIRST)
_AT_THE_DOOR = Action.SEAT_RESTORED
"""The door gave one person of a cancellation a seat again."""
_acts = (
    select(AuditEntry)
    .where(
        AuditEntry.registration_id == bindparam("registration"),
        AuditEntry.action.in_((*_GIVES_BACK, *_SETTLES, _AT_THE_DOOR)),
    )
    .order_by(AuditEntry.id)
)
_seated_by_it = (
    select(AuditEntry.registration_id)
    .where(
        AuditEntry.event_id == bindparam("event"),
        AuditEntry.id > bindparam("cancellation"),
        AuditEntry.at == bindparam("moment", type_=AuditEntry.at.type),
        AuditEntry.action == Action.PROMOTED,
        AuditEntry.actor_kind == audit.SYSTEM.kind,
    )
    .order_by(AuditEntry.id)
)


@dataclass(frozen=True)
class Cancellation:
    """The latest cancellation of a registration that still stands. ``people`` are the row numbers
    of those who cancelled; ``waited`` says that they gave back waiting places, not seats."""

    entry_id: int
    at: datetime
    people: tuple[int, ...]
    waited: bool
    by_registrant: bool

    @property
    def until(self) -> datetime:
        """Until when it can be undone."""
        return self.at + LASTS


class Offer(StrEnum):
    """What can be done about a cancellation now."""

    UNDO = "undo"
    PUT_FIRST = "put-first"
    """By staff only: the seat was given away."""
    NOTHING = "nothing"


def standing(session: Session, registration: Registration) -> Cancellation | None:
    """The latest cancellation that was not undone; ``None`` if there is none, or if the people were
    erased. Seats that the door gave away are no cancellation: only the door gives them back."""
    found: list[Cancellation] = []
    if registration.erased_at is not None:
        return None
    for entry in session.scalars(_acts, {"registration": registration.id}):
        if entry.details.get("released"):
            continue
        if entry.action == _AT_THE_DOOR:
            found = _without(found, entry.details["attendees"])
        elif entry.action in _SETTLES:
            found.pop()
        else:
            found.append(_cancellation(entry))
    return found[-1] if found and found[-1].people else None


def _without(found: Sequence[Cancellation], back: Sequence[int]) -> list[Cancellation]:
    """The cancellations without these people, who have a seat again."""
    staying = (
        replace(one, people=tuple(person for person in one.people if person not in back))
        for one in found
    )
    return [one for one in staying if one.people]


def _cancellation(entry: AuditEntry) -> Cancellation:
    return Cancellation(
        entry.id,
        entry.at,
        tuple(entry.details.get("attendees", ())),
        entry.action == Action.WAITLIST_LEFT,
        entry.actor_kind == REGISTRANT.kind,
    )


def recent(session: Session, registration: Registration, *, now: datetime) -> Cancellation | None:
    """The cancellation that can still be undone, as far as the time goes."""
    found = standing(session, registration)
    return found if found is not None and now < found.until else None


def offer(
    session: Session,
    event: Event,
    registration: Registration,
    cancellation: Cancellation,
    *,
    now: datetime,
) -> Offer:
    """What a page can offer now, read without a lock. The act itself looks again."""
    counted, people = seats.count(session, event.id, now=now), len(cancellation.people)
    if is_called_off(event, now):
        return Offer.NOTHING
    room = waitlist.has_room(event, counted, people)
    if waits(registration, cancellation):
        return Offer.UNDO if room else Offer.NOTHING
    if counted.left >= people and not waitlist.is_due(session, event, counted, now=now):
        return Offer.UNDO
    return Offer.PUT_FIRST if room else Offer.NOTHING


def seated_by(session: Session, event: Event, cancellation: Cancellation) -> Sequence[Registration]:
    """The parties that got the seats which this cancellation freed."""
    parameters = {
        "event": event.id,
        "cancellation": cancellation.entry_id,
        "moment": cancellation.at,
    }
    ids = session.scalars(_seated_by_it, parameters).all()
    return [lookup.get(session, one) for one in ids if one is not None]


def is_called_off(event: Event, now: datetime) -> bool:
    """Whether the event was cancelled: then nobody gets a seat any more."""
    return events.phase(event, now) is Phase.CANCELLED


def waits(registration: Registration, cancellation: Cancellation) -> bool:
    """Whether these people come back to the waiting list, not to seats: those of their party who
    remain decide, and if there are none, what they had."""
    if registration.state == RegistrationState.CANCELLED:
        return cancellation.waited
    return registration.state == RegistrationState.WAITLISTED
