"""Who did what to which, when: one row beside each change, in the same transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select
from sqlalchemy.orm import Session

from eventreg.core.staff_models import AuditEntry, Role, StaffMember


class Action(StrEnum):
    """Everything that is recorded, as area:thing:what-happened."""

    EVENT_APPLIED = "event:definition:applied"
    CHECK_IN_OPENED = "event:check-in:opened"
    SEATS_TAKEN = "registration:seats:taken"
    SEATS_RELEASED = "registration:seats:released"
    WAITLIST_JOINED = "registration:waitlist:joined"
    WAITLIST_LEFT = "registration:waitlist:left"
    PROMOTED = "registration:waitlist:promoted"
    TOLD = "registration:message:settled"
    REGISTRATION_EDITED = "registration:entry:edited"
    CHECKED_IN = "attendee:check-in:recorded"
    CHECK_IN_UNDONE = "attendee:check-in:undone"
    STAFF_ADDED = "staff:account:added"
    STAFF_DISABLED = "staff:account:disabled"
    STAFF_LINK_MADE = "staff:link:made"
    PASSWORD_SET = "staff:password:set"  # noqa: S105 - the name of an act
    SIGNED_IN = "staff:session:opened"
    SIGNED_OUT = "staff:session:closed"


@dataclass(frozen=True)
class Actor:
    """Whoever caused an act: a staff member, a registrant, or the system (a command on the machine itself)."""

    kind: str
    staff_id: int | None = None
    name: str = ""
    role: Role | None = None


REGISTRANT = Actor("registrant")
SYSTEM = Actor("system")


@dataclass(frozen=True)
class Line:
    """One line of a history, as staff read it."""

    at: datetime
    action: Action
    who: str
    kind: str
    details: dict[str, Any]


_insert = insert(AuditEntry)


def record(
    session: Session | Connection,
    action: Action,
    by: Actor,
    *,
    now: datetime,
    event_id: int | None = None,
    registration_id: int | None = None,
    attendee_id: int | None = None,
    **details: object,
) -> None:
    """Write one line. ``details`` are field names and counts; a name, number or code has no place there."""
    connection = session.connection() if isinstance(session, Session) else session
    connection.execute(
        _insert,
        {
            "at": now,
            "action": action,
            "actor_kind": by.kind,
            "actor_staff_id": by.staff_id,
            "event_id": event_id,
            "registration_id": registration_id,
            "attendee_id": attendee_id,
            "details": details,
        },
    )


_history = (
    select(AuditEntry, StaffMember.username)
    .outerjoin(StaffMember, StaffMember.id == AuditEntry.actor_staff_id)
    .where(AuditEntry.registration_id == bindparam("registration_id"))
    .order_by(AuditEntry.id)
)


def history(session: Session, registration_id: int) -> Sequence[Line]:
    """What happened to one registration, oldest first."""
    rows = session.execute(_history, {"registration_id": registration_id})
    return [
        Line(entry.at, Action(entry.action), username or "", entry.actor_kind, entry.details)
        for entry, username in rows
    ]
