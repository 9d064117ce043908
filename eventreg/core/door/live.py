"""How the morning goes: who has come, how fast, at which door, and what is left to do.

Many devices ask for this every few seconds. ``version`` is cheap and says whether anything changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from eventreg.core import driver
from eventreg.core.door import gifts
from eventreg.core.door.gifts import Stock
from eventreg.core.event import events
from eventreg.core.models.attendance import CheckIn
from eventreg.core.models.audit import AuditEntry
from eventreg.core.models.door import DoorAct, DoorDevice, PresentParty
from eventreg.core.models.event import Event
from eventreg.core.models.people import EXPECTED, LIVE
from eventreg.core.models.registration import Attendee, Registration, RegistrationState
from eventreg.core.registration import arrivals, seats
from eventreg.core.registration.arrivals import STANDING, Presence

WINDOW = timedelta(minutes=5)
"""The rate is that of the last five minutes."""
_SHORTEST = timedelta(minutes=1)
_ENOUGH = 3
"""With fewer arrivals in the window, nothing is said about the rate."""
BY_FORM, BY_PAPER = "form", "paper"


@dataclass(frozen=True)
class Door:
    """The arrivals at one door. ``device`` is its id; ``BY_FORM`` for a page without a script and
    ``BY_PAPER`` for the printed list, which have no name."""

    device: str
    name: str
    arrived: int


@dataclass(frozen=True)
class Pace:
    """How fast people arrive, and in how many minutes everybody who is expected will have come if
    that goes on; ``None`` if it is not known."""

    per_minute: float | None
    minutes_left: int | None


@dataclass(frozen=True)
class Live:
    """The state of the morning."""

    presence: Presence
    capacity: int
    waiting_present: int
    """People on the waiting list who are at the door."""
    pace: Pace
    doors: Sequence[Door]
    gifts: Stock
    to_settle: int
    """Acts of door devices that a person has to look at."""
    is_released: bool
    """Whether the seats of those who had not come were given away."""


@dataclass(frozen=True)
class Version:
    """Differs if the state may differ, but for the pace, which also changes with time."""

    people: str
    """Differs if the list of people, or what was done about them, may differ."""
    to_settle: int
    waiting_present: int
    doors: str


_last_entry = select(func.max(AuditEntry.id)).where(AuditEntry.event_id == bindparam("event"))
_clashes = select(func.count(DoorAct.id)).where(
    DoorAct.event_id == bindparam("event"),
    DoorAct.clash.is_not(None),
    DoorAct.settled_at.is_(None),
)
_present = select(func.count(PresentParty.id)).where(
    PresentParty.event_id == bindparam("event"), PresentParty.left_at.is_(None)
)
_named_doors = select(func.aggregate_strings(DoorDevice.device + DoorDevice.name, "\n")).where(
    DoorDevice.event_id == bindparam("event"), DoorDevice.revoked_at.is_(None)
)
_version = select(
    _last_entry.scalar_subquery(),
    _clashes.scalar_subquery(),
    _present.scalar_subquery(),
    _named_doors.scalar_subquery(),
)


def version(session: Session, event: Event) -> Version:
    """What tells whether the state changed: one statement on indexes. Every change of people and
    their attendance writes an audit entry of the event."""
    entry, to_settle, waiting, named = session.execute(_version, {"event": event.id}).one()
    return Version(f"{events.state_of(event)}-{entry or 0}", to_settle, waiting, named or "")


def of_event(session: Session, event: Event, *, now: datetime) -> Live:
    """The state of the morning at this event."""
    presence = arrivals.presence(session, event)
    return Live(
        presence=presence,
        capacity=seats.count(session, event.id, now=now).capacity,
        waiting_present=_count_waiting(session, event),
        pace=pace(session, event, presence, now=now),
        doors=doors(session, event),
        gifts=gifts.stock(session, event),
        to_settle=session.execute(_clashes, {"event": event.id}).scalar_one(),
        is_released=event.seats_released_at is not None,
    )


def _count_waiting(session: Session, event: Event) -> int:
    counting = (
        select(func.count(Attendee.id))
        .join(Registration, Registration.id == Attendee.registration_id)
        .join(PresentParty, PresentParty.registration_id == Registration.id)
        .where(
            PresentParty.event_id == event.id,
            PresentParty.left_at.is_(None),
            Registration.state == RegistrationState.WAITLISTED,
            LIVE,
        )
    )
    return session.execute(counting).scalar_one()


_window = select(func.count(CheckIn.id), func.min(CheckIn.arrived_at)).where(
    CheckIn.event_id == bindparam("event"),
    CheckIn.undone_at.is_(None),
    CheckIn.by_paper.is_(False),
    CheckIn.arrived_at > bindparam("begin"),
)


def pace(session: Session, event: Event, presence: Presence, *, now: datetime) -> Pace:
    """The arrivals per minute within the last five, and the minutes until everybody has come. Those
    from paper do not count, since their time is unknown."""
    ((came, first),) = driver.within(session, _window, event=event.id, begin=now - WINDOW)
    missing = presence.expected - presence.arrived
    if came < _ENOUGH:
        return Pace(None, None)
    per_minute = came / (max(_SHORTEST, now - first) / timedelta(minutes=1))
    return Pace(round(per_minute, 1), ceil(missing / per_minute))


def doors(session: Session, event: Event) -> Sequence[Door]:
    """The arrivals at each door: the devices that were not revoked or checked somebody in, by name;
    then the forms and the paper, if they have any."""
    counting = (
        select(CheckIn.device, CheckIn.by_paper, func.count(CheckIn.id))
        .join(Attendee, STANDING)
        .where(CheckIn.event_id == event.id, EXPECTED)
        .group_by(CheckIn.device, CheckIn.by_paper)
    )
    counted = {
        BY_PAPER if by_paper else device or BY_FORM: people
        for device, by_paper, people in session.execute(counting)
    }
    rows = session.scalars(select(DoorDevice).where(DoorDevice.event_id == event.id))
    known = sorted(rows, key=lambda row: (row.name, row.id))
    found = [
        Door(row.device, row.name, counted.pop(row.device, 0))
        for row in known
        if row.revoked_at is None or row.device in counted
    ]
    by_paper = counted.pop(BY_PAPER, 0)
    by_form = sum(counted.values())
    rest = (Door(BY_FORM, "", by_form), Door(BY_PAPER, "", by_paper))
    return [*found, *(one for one in rest if one.arrived)]
