"""After the event: who came, when, by which way, and how that compares. Counts only, which stay
when names are gone."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from eventreg.core.desk import attendee_list, calls
from eventreg.core.door import gifts
from eventreg.core.door.gifts import Stock
from eventreg.core.event import events
from eventreg.core.models.attendance import CheckIn
from eventreg.core.models.event import Event
from eventreg.core.models.people import CANCELLED, LIVE
from eventreg.core.models.registration import Attendee, Registration, RegistrationState, Source
from eventreg.core.registration.arrivals import STANDING

STEP = timedelta(minutes=5)
_MOST_STEPS = 72
"""Six hours; what arrived outside of them is counted with the first or the last step."""


@dataclass(frozen=True)
class Figures:
    """One event in numbers of people."""

    registered: int
    came: int
    late: int
    no_show: int
    walk_ins: int
    served: int
    """People who waited first, and then had a seat."""
    waiting: int
    cancelled: int


@dataclass(frozen=True)
class Arrivals:
    """People per five minutes, from ``first`` on; ``by_paper`` came at a minute that nobody knows.
    ``gap`` is the median of seconds between two arrivals, where there are enough."""

    first: datetime | None
    steps: Sequence[int]
    by_paper: int
    gap: int | None

    @property
    def most(self) -> int:
        """The fullest five minutes."""
        return max(self.steps, default=0)


@dataclass(frozen=True)
class Report:
    """All that the page of one event's report says."""

    figures: Figures
    arrivals: Arrivals
    sources: dict[str, int]
    gifts: Stock
    calls: dict[str, int]


_seated = (LIVE, Registration.state == RegistrationState.CONFIRMED)


def figures(session: Session, event: Event) -> Figures:
    """How many registered, came, came late, stayed away; walk-ins are among those who
    registered."""
    in_room, late = CheckIn.id.is_not(None), CheckIn.late.is_(True)
    counting = (
        select(
            func.count().filter(*_seated),
            func.count().filter(*_seated, in_room),
            func.count().filter(*_seated, in_room, late),
            func.count().filter(*_seated, Registration.source == Source.WALK_IN),
            func.count().filter(*_seated, Registration.promoted_at.is_not(None)),
            func.count().filter(LIVE, Registration.state == RegistrationState.WAITLISTED),
            func.count().filter(CANCELLED),
        )
        .select_from(Attendee)
        .join(Registration, Registration.id == Attendee.registration_id)
        .outerjoin(CheckIn, STANDING)
        .where(Attendee.event_id == event.id)
    )
    registered, came, late_ones, walk_ins, served, waiting, cancelled = session.execute(
        counting
    ).one()
    return Figures(
        registered, came, late_ones, registered - came, walk_ins, served, waiting, cancelled
    )


def arrivals(session: Session, event: Event) -> Arrivals:
    """When people came."""
    standing = (CheckIn.event_id == event.id, CheckIn.undone_at.is_(None))
    rows = (
        select(CheckIn.arrived_at, CheckIn.by_paper).where(*standing).order_by(CheckIn.arrived_at)
    )
    known = session.execute(rows).all()
    moments = [at for at, by_paper in known if not by_paper]
    by_paper = len(known) - len(moments)
    if not moments:
        return Arrivals(None, (), by_paper, None)
    zone = events.zone(event)
    earliest = max(moments[0], event.check_in_opens_at - timedelta(hours=1)).astimezone(zone)
    first = earliest - timedelta(
        minutes=earliest.minute % 5, seconds=earliest.second, microseconds=earliest.microsecond
    )
    places = Counter(min(_MOST_STEPS - 1, max(0, (moment - first) // STEP)) for moment in moments)
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
    steps = [places[place] for place in range(max(places) + 1)]
    return Arrivals(first, steps, by_paper, round(median(gaps)) if len(gaps) >= 3 else None)


def of_event(session: Session, event: Event) -> Report:
    """The whole report."""
    return Report(
        figures(session, event),
        arrivals(session, event),
        attendee_list.by_source(session, event),
        gifts.stock(session, event),
        calls.outcomes(session, event),
    )


def earlier(session: Session, event: Event, most: int = 5) -> Sequence[tuple[Event, Figures]]:
    """The events before this one, the latest first, in the same numbers."""
    before = (
        select(Event)
        .where(Event.starts_at < event.starts_at)
        .order_by(Event.starts_at.desc())
        .limit(most)
    )
    return [(other, figures(session, other)) for other in session.scalars(before)]
