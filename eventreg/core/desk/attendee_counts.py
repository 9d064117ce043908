"""Count the attendees of an event, by filter and by source."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from eventreg.core.desk.attendee_list import CONDITIONS, Filter
from eventreg.core.models.attendance import CheckIn
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Attendee, Registration
from eventreg.core.registration.arrivals import STANDING


def by_filter(session: Session, event: Event) -> dict[Filter, int]:
    """The number of attendees that each filter shows, in one query so that the numbers agree."""
    counting = (
        select(
            func.count(Attendee.id).label(Filter.ALL),
            *(
                func.count().filter(condition).label(which)
                for which, condition in CONDITIONS.items()
            ),
        )
        .join(Registration, Registration.id == Attendee.registration_id)
        .outerjoin(CheckIn, STANDING)
        .where(Attendee.event_id == event.id)
    )
    counted = session.execute(counting).mappings().one()
    return {which: counted[which] for which in (Filter.ALL, *CONDITIONS)}


def by_source(session: Session, event: Event) -> dict[str, int]:
    """The number of attendees with a seat from each source, such as online or walk-in."""
    counting = (
        select(Registration.source, func.count(Attendee.id))
        .join(Attendee, Attendee.registration_id == Registration.id)
        .where(Attendee.event_id == event.id, CONDITIONS[Filter.CONFIRMED])
        .group_by(Registration.source)
    )
    return dict(session.execute(counting).all())
