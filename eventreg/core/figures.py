"""The figures of the events for monitoring: seats, registrations and doors. They name no one: a
door is named by the number of its row, because staff choose the names of doors."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from eventreg.core.models.door import DoorDevice
from eventreg.core.models.event import Event, EventSeats
from eventreg.core.models.registration import Registration, RegistrationState
from eventreg.core.registration import seats
from eventreg.core.registration.seats import SeatCount

AFTERWARDS = timedelta(days=7)
"""How long the figures of an event are shown after its end."""


@dataclass(frozen=True)
class SourceCount:
    """How many registrations of an event, that were not cancelled, came from one source."""

    slug: str
    source: str
    registrations: int


@dataclass(frozen=True)
class Door:
    """A door of an event: how many acts it has not uploaded, and when it was last in contact."""

    slug: str
    number: int
    unsent: int
    seen_at: datetime | None


def seat_counts(session: Session, *, now: datetime) -> Sequence[tuple[str, SeatCount]]:
    """Each event with the counter of its seats, the earliest first."""
    counted = (
        select(Event.slug, *seats.COUNTED)
        .join(EventSeats, EventSeats.event_id == Event.id)
        .where(Event.ends_at > now - AFTERWARDS)
        .order_by(Event.starts_at, Event.id)
    )
    return [(slug, SeatCount.read(row, now)) for slug, *row in session.execute(counted)]


def source_counts(session: Session, *, now: datetime) -> Sequence[SourceCount]:
    """The registrations of each event by their source."""
    counted = (
        select(Event.slug, Registration.source, func.count(Registration.id))
        .join(Registration, Registration.event_id == Event.id)
        .where(Event.ends_at > now - AFTERWARDS, Registration.state != RegistrationState.CANCELLED)
        .group_by(Event.slug, Registration.source)
        .order_by(Event.slug, Registration.source)
    )
    return [SourceCount(*row) for row in session.execute(counted)]


def doors(session: Session, *, now: datetime) -> Sequence[Door]:
    """The doors of all events, without those that were taken away."""
    theirs = (
        select(Event.slug, DoorDevice.id, func.coalesce(DoorDevice.unsent, 0), DoorDevice.seen_at)
        .join(Event, Event.id == DoorDevice.event_id)
        .where(Event.ends_at > now - AFTERWARDS, DoorDevice.revoked_at.is_(None))
        .order_by(DoorDevice.id)
    )
    return [Door(*row) for row in session.execute(theirs)]
