"""The report after an event: how many came, when, from which source, and in earlier events.

It holds counts only, so it stays complete when personal data is erased.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from eventreg.core.desk import attendee_counts, call_outcomes
from eventreg.core.door import gifts, live
from eventreg.core.door.gifts import Stock
from eventreg.core.door.live import Door
from eventreg.core.event import events
from eventreg.core.models.attendance import CheckIn
from eventreg.core.models.event import Event
from eventreg.core.models.people import CANCELLED, LIVE
from eventreg.core.models.registration import Attendee, Registration, RegistrationState, Source
from eventreg.core.registration.arrivals import STANDING

STEP = timedelta(minutes=5)
_MOST_STEPS = 72
"""Six hours. Earlier and later arrivals are counted in the first and the last step."""


@dataclass(frozen=True)
class Figures:
    """Numbers of attendees of one event."""

    registered: int
    came: int
    late: int
    no_show: int
    walk_ins: int
    served: int
    """Attendees who got a seat from the waiting list."""
    waiting: int
    cancelled: int


@dataclass(frozen=True)
class Arrivals:
    """Arrivals per five minutes, from ``first`` on.

    ``by_paper`` counts those typed in from paper, whose time is unknown. ``gap`` is the median of
    seconds between two arrivals, if there are enough.
    """

    first: datetime | None
    steps: Sequence[int]
    by_paper: int
    gap: int | None

    @property
    def most(self) -> int:
        """The most arrivals within five minutes."""
        return max(self.steps, default=0)


@dataclass(frozen=True)
class Report:
    """The contents of an event's report."""

    figures: Figures
    arrivals: Arrivals
    sources: dict[str, int]
    doors: Sequence[Door]
    gifts: Stock
    calls: dict[str, int]


_confirmed = and_(LIVE, Registration.state == RegistrationState.CONFIRMED)
_released = Attendee.released_at.is_not(None)
"""The seat was given away because the person had not come: a no-show, not a cancellation."""
_seated = (or_(_confirmed, _released),)
_waiting = (LIVE, Registration.state == RegistrationState.WAITLISTED)


def figures(session: Session, event: Event) -> Figures:
    """The numbers of attendees who registered, came, came late or did not come, and so on.

    Attendees with a seat count as registered, also those whose seat was given away because they did
    not come; walk-ins are among them.
    """
    count, arrived = func.count, CheckIn.id.is_not(None)
    counting = (
        select(
            count().filter(*_seated).label("registered"),
            count().filter(*_seated, arrived).label("came"),
            count().filter(*_seated, arrived, CheckIn.late.is_(True)).label("late"),
            count().filter(*_seated, ~arrived).label("no_show"),
            count().filter(*_seated, Registration.source == Source.WALK_IN).label("walk_ins"),
            count().filter(*_seated, Registration.promoted_at.is_not(None)).label("served"),
            count().filter(*_waiting).label("waiting"),
            count().filter(CANCELLED, ~_released).label("cancelled"),
        )
        .select_from(Attendee)
        .join(Registration, Registration.id == Attendee.registration_id)
        .outerjoin(CheckIn, STANDING)
        .where(Attendee.event_id == event.id)
    )
    return Figures(**session.execute(counting).mappings().one())


def arrivals(session: Session, event: Event) -> Arrivals:
    """The arrivals over time."""
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
        attendee_counts.by_source(session, event),
        live.doors(session, event),
        gifts.stock(session, event),
        call_outcomes.count_by_outcome(session, event),
    )


def earlier(session: Session, event: Event, most: int = 5) -> Sequence[tuple[Event, Figures]]:
    """Up to ``most`` earlier events with their figures, the latest first."""
    before = (
        select(Event)
        .where(Event.starts_at < event.starts_at)
        .order_by(Event.starts_at.desc())
        .limit(most)
    )
    return [(other, figures(session, other)) for other in session.scalars(before)]
