"""People who may be registered twice: the same name under another number. Nobody is refused for it;
the desk is shown them side by side and says what is true."""

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import groupby

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.desk import attendee_list
from eventreg.core.desk.attendee_list import Row
from eventreg.core.models.event import Event
from eventreg.core.models.people import LIVE
from eventreg.core.models.registration import Attendee
from eventreg.core.registration import identity
from eventreg.core.values.names import fold

_untold = func.sum(1) > func.count(Attendee.told_apart_at)
MOST = 50


def groups(session: Session, event: Event) -> Sequence[Sequence[Row]]:
    """Each group of people of one name, at most 50 groups; those whom somebody has told apart are
    left out."""
    live = (Attendee.event_id == event.id, LIVE)
    twice = (
        select(Attendee.name_folded)
        .where(*live)
        .group_by(Attendee.name_folded)
        .having(func.count(func.distinct(Attendee.registration_id)) > 1, _untold)
        .order_by(Attendee.name_folded)
        .limit(MOST)
    )
    rows = attendee_list.named(session, event, session.scalars(twice).all())
    return [list(group) for _, group in groupby(rows, key=lambda row: fold(row.name))]


def tell_apart(
    session: Session, event: Event, people: Collection[str], *, by: Actor, now: datetime
) -> None:
    """These are different people: they are not shown again, until another of their name comes. They
    are named as forms do."""
    rows = identity.known(session, event, people).values()
    told = session.execute(
        update(Attendee)
        .where(
            Attendee.event_id == event.id, Attendee.id.in_(rows), Attendee.told_apart_at.is_(None)
        )
        .values(told_apart_at=now)
        .returning(Attendee.registration_id)
        .execution_options(synchronize_session=False)
    ).all()
    for (registration_id,) in sorted(set(told)):
        audit.record(
            session,
            Action.TOLD_APART,
            by,
            now=now,
            event_id=event.id,
            registration_id=registration_id,
        )
