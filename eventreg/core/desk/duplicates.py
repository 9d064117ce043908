"""Attendees who may be registered twice: the same name in two registrations.

No registration is refused for it. The desk sees them side by side, and cancels one or confirms
that they are different people.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import groupby

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.desk import attendee_list
from eventreg.core.desk.attendee_rows import Row
from eventreg.core.models.event import Event
from eventreg.core.models.people import LIVE
from eventreg.core.models.registration import Attendee
from eventreg.core.registration import identity
from eventreg.core.values.names import fold

_has_new = func.sum(1) > func.count(Attendee.told_apart_at)
MOST = 50


def groups(session: Session, event: Event) -> Sequence[Sequence[Row]]:
    """Groups of attendees who have the same name, are in two registrations or more, and have not
    cancelled; at most 50.

    A group is left out if all of it was told apart.
    """
    live = (Attendee.event_id == event.id, LIVE)
    twice = (
        select(Attendee.name_folded)
        .where(*live)
        .group_by(Attendee.name_folded)
        .having(func.count(func.distinct(Attendee.registration_id)) > 1, _has_new)
        .order_by(Attendee.name_folded)
        .limit(MOST)
    )
    rows = attendee_list.named(session, event, session.scalars(twice).all())
    return [list(group) for _, group in groupby(rows, key=lambda row: fold(row.name))]


def tell_apart(
    session: Session, event: Event, people: Collection[str], *, by: Actor, now: datetime
) -> None:
    """Record that the attendees with these public ids are different people. Unknown ids are
    ignored.

    They are not shown again, until another attendee of the same name is registered.
    """
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
