"""The audit trail, folded from its beginning: what the counter and every registration must then
be."""

from dataclasses import dataclass, field

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from eventreg.core.audit import Action
from eventreg.core.models.audit import AuditEntry
from eventreg.core.models.registration import Attendee, Registration, RegistrationState


@dataclass
class Folded:
    """One event as its trail tells it: the limits, and state and people of each registration."""

    capacity: int = 0
    held: int = 0
    states: dict[int, RegistrationState] = field(default_factory=dict)
    people: dict[int, int] = field(default_factory=dict)

    def seats_in(self, state: RegistrationState) -> int:
        """How many people are in that state."""
        return sum(people for who, people in self.people.items() if self.states[who] is state)


_entries = (
    select(AuditEntry.action, AuditEntry.registration_id, AuditEntry.details)
    .where(AuditEntry.event_id == bindparam("event"))
    .order_by(AuditEntry.id)
    .execution_options(yield_per=1000)
)
_rows = (
    select(Registration.id, Registration.state, func.count(Attendee.id))
    .outerjoin(
        Attendee, (Attendee.registration_id == Registration.id) & Attendee.cancelled_at.is_(None)
    )
    .where(Registration.event_id == bindparam("event"))
    .group_by(Registration.id, Registration.state)
)


def fold(session: Session, event_id: int) -> Folded:
    """Everything that happened to the seats of one event, told again from the start."""
    told = Folded()
    for action, who, details in session.execute(_entries, {"event": event_id}):
        _tell(told, action, who, details)
    return told


def _tell(told: Folded, action: str, who: int, details: dict[str, int]) -> None:
    people = details.get("seats", 0)
    match action:
        case Action.EVENT_APPLIED:
            told.capacity = details["capacity"]
            told.held += details.get("held", 0)
        case Action.SEATS_TAKEN | Action.WAITLIST_JOINED:
            taken = action == Action.SEATS_TAKEN
            told.states[who] = (
                RegistrationState.CONFIRMED if taken else RegistrationState.WAITLISTED
            )
            told.people[who] = people
            told.held -= details.get("from_held", 0)
        case Action.PROMOTED:
            told.states[who] = RegistrationState.CONFIRMED
            told.held -= details.get("from_held", 0)
        case Action.SEATS_RELEASED | Action.WAITLIST_LEFT:
            told.people[who] -= people
            if not told.people[who]:
                told.states[who] = RegistrationState.CANCELLED


def rows(session: Session, event_id: int) -> Folded:
    """The same of the rows themselves; limits are the caller's to compare."""
    found = Folded()
    for who, state, people in session.execute(_rows, {"event": event_id}):
        found.states[who], found.people[who] = RegistrationState(state), people
    return found
