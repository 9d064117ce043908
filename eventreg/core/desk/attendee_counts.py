"""Count the attendees of an event, by filter and by source."""

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from eventreg.core.desk import attendee_list
from eventreg.core.desk.attendee_list import CONDITIONS, Filter, Selection
from eventreg.core.models.attendance import CheckIn
from eventreg.core.models.event import Event, EventSeats
from eventreg.core.models.people import CANCELLED, LIVE
from eventreg.core.models.registration import Attendee, Registration
from eventreg.core.registration.arrivals import STANDING

_cancelled = select(func.count(Attendee.id)).where(
    Attendee.event_id == bindparam("event"), CANCELLED
)
_arrived = (
    select(func.count(CheckIn.id))
    .join(Attendee, STANDING)
    .where(CheckIn.event_id == bindparam("event"), LIVE)
)
_counts = select(
    EventSeats.taken, EventSeats.waiting, _cancelled.scalar_subquery(), _arrived.scalar_subquery()
).where(EventSeats.event_id == bindparam("event"))


def by_filter(session: Session, event: Event) -> dict[Filter, int]:
    """The number of attendees that each filter shows, in one query so that the numbers agree. Those
    with a seat and those who wait are not counted anew: the seat counter knows them."""
    taken, waiting, cancelled, arrived = session.execute(_counts, {"event": event.id}).one()
    return {
        Filter.ALL: taken + waiting + cancelled,
        Filter.CONFIRMED: taken,
        Filter.WAITLISTED: waiting,
        Filter.CANCELLED: cancelled,
        Filter.ARRIVED: arrived,
    }


def found(session: Session, event: Event, selection: Selection) -> int:
    """The number of attendees on all pages of the list."""
    if selection.is_search:
        return attendee_list.page(session, event, selection)[1].people
    return by_filter(session, event)[selection.filter]


def by_source(session: Session, event: Event) -> dict[str, int]:
    """The number of attendees with a seat from each source, such as online or walk-in."""
    counting = (
        select(Registration.source, func.count(Attendee.id))
        .join(Attendee, Attendee.registration_id == Registration.id)
        .where(Attendee.event_id == event.id, CONDITIONS[Filter.CONFIRMED])
        .group_by(Registration.source)
    )
    return dict(session.execute(counting).all())
