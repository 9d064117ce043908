"""Type the ticked check-in sheet back: compare it with the system, then save what is new.

Saving the same sheet again changes nothing.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.desk import attendee_list
from eventreg.core.desk.attendee_rows import Row
from eventreg.core.door import check_in, gifts
from eventreg.core.door.check_in import Arrival, Via
from eventreg.core.models.event import Event
from eventreg.core.models.people import CANCELLED
from eventreg.core.models.registration import Attendee
from eventreg.core.registration import identity


@dataclass(frozen=True)
class Comparison:
    """The differences between paper and system.

    ``arrived`` and ``gifts`` are ticked on paper only. ``only_here`` arrived according to the
    system only; they stay. ``unseated`` are the names of those who are ticked but have cancelled.
    ``same`` is the number of those who arrived according to both.
    """

    arrived: Sequence[Row]
    gifts: Sequence[Row]
    only_here: Sequence[Row]
    unseated: Sequence[str]
    same: int

    @property
    def changes(self) -> int:
        """The number of arrivals and gifts to be saved."""
        return len(self.arrived) + len(self.gifts)


def compare(
    session: Session, event: Event, arrived: Collection[str], given: Collection[str]
) -> Comparison:
    """Compare the ticks on paper, given as public ids, with the system.

    Who was given a gift has arrived, even without a tick.
    """
    people = attendee_list.confirmed(session, event)
    ticked = set(arrived) | set(given)
    others = identity.known(session, event, ticked - {row.public_id for row in people}).values()
    gone = select(Attendee.name).where(
        Attendee.event_id == event.id, Attendee.id.in_(others), CANCELLED
    )
    return Comparison(
        [row for row in people if row.public_id in ticked and not row.check_in_id],
        [row for row in people if row.public_id in given and not row.gift_at],
        [row for row in people if row.public_id not in ticked and row.check_in_id],
        session.scalars(gone.order_by(Attendee.id)).all(),
        sum(1 for row in people if row.public_id in ticked and row.check_in_id),
    )


def save(
    session: Session,
    event: Event,
    arrived: Collection[str],
    given: Collection[str],
    *,
    by: Actor,
    now: datetime,
) -> Comparison:
    """Save the arrivals and gifts that are on paper only, also outside the check-in window. Returns
    the comparison from before."""
    found = compare(session, event, arrived, given)
    for row in found.arrived:
        arrival = Arrival(row.public_id, now, now, Via.PAPER)
        check_in.check_in(session, event, arrival, anyway=True, by=by)
    for row in found.gifts:
        gifts.give(session, event, row.attendee_id, by=by, now=now)
    if found.changes:
        audit.record(
            session,
            Action.SHEET_TYPED,
            by,
            now=now,
            event_id=event.id,
            arrived=len(found.arrived),
            gifts=len(found.gifts),
        )
    return found
