"""The ticked sheet, typed back: what paper and system say, side by side, and what is then taken
over. Twice is once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.desk import attendee_list
from eventreg.core.desk.attendee_list import Row
from eventreg.core.door import check_in, gifts
from eventreg.core.door.check_in import Arrival, Via
from eventreg.core.models.event import Event
from eventreg.core.models.people import CANCELLED
from eventreg.core.models.registration import Attendee
from eventreg.core.registration import identity


@dataclass(frozen=True)
class Comparison:
    """Paper against system. ``arrived`` and ``gifts`` are new from the paper; ``only_here`` came by
    the system's word and are not ticked; nobody of them is taken away. ``unseated`` are ticked
    whose seat was cancelled."""

    arrived: Sequence[Row]
    gifts: Sequence[Row]
    only_here: Sequence[Row]
    unseated: Sequence[str]
    same: int

    @property
    def changes(self) -> int:
        """How many marks would be made."""
        return len(self.arrived) + len(self.gifts)


def compare(
    session: Session, event: Event, arrived: Collection[str], given: Collection[str]
) -> Comparison:
    """What typing this sheet would change; those ticked are named as forms do. Who has a gift was
    there, ticked or not."""
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
    """Take over what the paper says and the system does not know yet."""
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
