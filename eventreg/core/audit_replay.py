"""Replay the audit trail of an event: the counter and the registrations that must result. Compared
with the stored rows by ``invariants``."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from eventreg.core.audit import Action
from eventreg.core.models.audit import AuditEntry
from eventreg.core.models.people import LIVE
from eventreg.core.models.registration import Attendee, Registration, RegistrationState


@dataclass
class Replayed:
    """The limits of one event, and the state and number of people of each registration, by id."""

    capacity: int = 0
    held: int = 0
    states: dict[int, RegistrationState] = field(default_factory=dict)
    people: dict[int, int] = field(default_factory=dict)

    def seats_in(self, state: RegistrationState) -> int:
        """How many people are in registrations of that state."""
        return sum(people for id_, people in self.people.items() if self.states[id_] is state)


_entries = (
    select(AuditEntry.action, AuditEntry.registration_id, AuditEntry.details)
    .where(AuditEntry.event_id == bindparam("event"))
    .order_by(AuditEntry.id)
    .execution_options(yield_per=1000)
)
_rows = (
    select(Registration.id, Registration.state, func.count(Attendee.id))
    .outerjoin(Attendee, (Attendee.registration_id == Registration.id) & LIVE)
    .where(Registration.event_id == bindparam("event"))
    .group_by(Registration.id, Registration.state)
)


def replay(session: Session, event_id: int) -> Replayed:
    """What must be stored, according to the trail. ``held`` is what is left of the held seats."""
    result = Replayed()
    for action, registration_id, details in session.execute(_entries, {"event": event_id}):
        _apply(result, action, registration_id, details)
    return result


def _apply(result: Replayed, action: str, registration_id: int, details: dict[str, Any]) -> None:
    """Change the result as one entry says."""
    people = details.get("seats", 0)
    match action:
        case Action.EVENT_APPLIED:
            result.capacity = details["capacity"]
            result.held += details.get("held", 0)
        case Action.SEATS_TAKEN | Action.WAITLIST_JOINED:
            taken = action == Action.SEATS_TAKEN
            result.states[registration_id] = (
                RegistrationState.CONFIRMED if taken else RegistrationState.WAITLISTED
            )
            result.people[registration_id] = people
            result.held -= details.get("from_held", 0)
        case Action.PROMOTED:
            result.states[registration_id] = RegistrationState.CONFIRMED
            result.held -= details.get("from_held", 0)
        case Action.SEATS_RELEASED | Action.WAITLIST_LEFT:
            result.people[registration_id] -= people
            if not result.people[registration_id]:
                result.states[registration_id] = RegistrationState.CANCELLED
        case Action.CANCELLATION_UNDONE | Action.SEAT_RESTORED:
            result.people[registration_id] += people
            result.states[registration_id] = RegistrationState(details["state"])
            result.held -= details.get("from_held", 0)


def stored(session: Session, event_id: int) -> Replayed:
    """What is stored, without the limits, which stay 0."""
    result = Replayed()
    for registration_id, state, people in session.execute(_rows, {"event": event_id}):
        result.states[registration_id] = RegistrationState(state)
        result.people[registration_id] = people
    return result
