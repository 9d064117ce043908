"""Write the audit trail, one entry in the transaction of each change, and read it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select
from sqlalchemy.orm import Session

from eventreg import log
from eventreg.core.driver import Driver
from eventreg.core.models.audit import AuditEntry
from eventreg.core.models.registration import Attendee
from eventreg.core.models.staff import Role, StaffMember


class Action(StrEnum):
    """Every act that is recorded, named area:thing:what-happened."""

    EVENT_APPLIED = "event:definition:applied"
    CHECK_IN_OPENED = "event:check-in:opened"
    ABSENT_RELEASED = "event:seats:released"
    SEATS_TAKEN = "registration:seats:taken"
    SEATS_RELEASED = "registration:seats:released"
    SEAT_RESTORED = "registration:seats:restored"
    CAME_TO_WAIT = "registration:waiting:came"
    WAITING_CALLED = "registration:waiting:called"
    WAITING_LEFT = "registration:waiting:gone"
    WAITLIST_JOINED = "registration:waitlist:joined"
    WAITLIST_LEFT = "registration:waitlist:left"
    PROMOTED = "registration:waitlist:promoted"
    CANCELLATION_UNDONE = "registration:cancellation:undone"
    PUT_FIRST = "registration:waitlist:put-first"
    TOLD = "registration:message:settled"
    REGISTRATION_EDITED = "registration:entry:edited"
    EDIT_REFUSED = "registration:entry:refused"
    TAKEN_BACK = "registration:burst:taken-back"
    CALLED = "registration:call:made"
    PASSED_ON = "registration:seat:passed-on"
    NUMBER_SEEN = "registration:number:seen"
    TOLD_APART = "registration:duplicate:told-apart"
    EXTRACTED = "registration:data:extracted"
    ERASED = "registration:data:erased"
    GIFT_GIVEN = "attendee:gift:given"
    GIFT_UNDONE = "attendee:gift:undone"
    GIFT_OWED = "attendee:gift:owed"
    GIFT_CROSSED_OUT = "attendee:gift:crossed-out"
    LIST_PRINTED = "list:check-in:printed"
    CALLS_PRINTED = "list:calls:printed"
    NUMBERS_SEEN = "list:numbers:seen"
    EXPORTED = "list:attendees:exported"
    BACKUP_TAKEN = "server:backup:taken"
    IMPORTED = "list:attendees:imported"
    TRAIL_EXPORTED = "list:audit:exported"
    SHEET_TYPED = "list:sheet:typed"
    PURGED = "event:people:purged"
    CHECKED_IN = "attendee:check-in:recorded"
    CHECK_IN_UNDONE = "attendee:check-in:undone"
    CLASH_SETTLED = "attendee:clash:settled"
    STAFF_ADDED = "staff:account:added"
    STAFF_DISABLED = "staff:account:disabled"
    STAFF_ENABLED = "staff:account:enabled"
    STAFF_LINK_MADE = "staff:link:made"
    PASSWORD_SET = "staff:password:set"  # noqa: S105 - the name of an act
    ROLE_CHANGED = "staff:role:changed"
    FACTOR_SET = "staff:second-factor:set"
    FACTOR_REMOVED = "staff:second-factor:removed"
    FACTOR_RESET = "staff:second-factor:reset"
    PHONE_PAIRED = "staff:telephone:paired"
    DOOR_RENAMED = "staff:door:renamed"
    DOOR_REVOKED = "staff:door:revoked"
    SIGNED_IN = "staff:session:opened"
    SIGNED_OUT = "staff:session:closed"


_LOGGED = {
    **dict.fromkeys((one for one in Action if one.startswith("staff:")), "account-changed"),
    Action.SIGNED_IN: "signed-in",
    Action.SIGNED_OUT: "signed-out",
    Action.EXPORTED: "exported",
    Action.LIST_PRINTED: "exported",
    Action.CALLS_PRINTED: "exported",
    Action.EXTRACTED: "exported",
    Action.TRAIL_EXPORTED: "exported",
    Action.NUMBERS_SEEN: "data-seen",
    Action.NUMBER_SEEN: "data-seen",
    Action.IMPORTED: "imported",
    Action.EVENT_APPLIED: "event-changed",
    Action.ERASED: "erased",
    Action.PURGED: "erased",
}
"""The acts that stand in the log, too, and the event's name there."""
_TO_LOG = "acts to log"
_COUNTS = ("people", "rows", "registrations")


@dataclass(frozen=True)
class Actor:
    """Who acts: a staff member, a registrant, or the system. The system is a command or a job on
    the server, or the program itself if a waiting party gets its seats."""

    kind: str
    staff_id: int | None = None
    name: str = ""
    role: Role | None = None


REGISTRANT = Actor("registrant")
SYSTEM = Actor("system")


@dataclass(frozen=True)
class Entry:
    """One entry of the trail, as staff read it. ``who`` is a user name, empty unless the actor
    ``kind`` is staff. ``action`` is an ``Action``, or the name of an act that a newer version of
    this program has recorded."""

    id: int
    at: datetime
    action: str
    who: str
    kind: str
    registration_id: int | None
    details: dict[str, Any]


_insert = insert(AuditEntry)
_TOGETHER = "entries to write"


@contextmanager
def in_one_statement(session: Session) -> Iterator[None]:
    """Write all entries that are recorded within in one statement, at its end and in their order;
    none if it raises."""
    entries: list[dict[str, Any]] = []
    session.info[_TOGETHER] = entries
    try:
        yield
    finally:
        del session.info[_TOGETHER]
    if entries:
        session.connection().execute(_insert, entries)


def record(
    session: Session | Connection | Driver,
    action: Action,
    by: Actor,
    *,
    now: datetime,
    event_id: int | None = None,
    registration_id: int | None = None,
    attendee_id: int | None = None,
    **details: object,
) -> None:
    """Write one entry. ``details`` are field names and counts; they must not hold names, telephone
    numbers or codes."""
    entry = _row(action, by, now, event_id, registration_id, attendee_id, details)
    if not isinstance(session, Session):
        session.execute(_insert, entry)
        return
    if _TOGETHER in session.info:
        session.info[_TOGETHER].append(entry)
    else:
        session.connection().execute(_insert, entry)
    if action in _LOGGED:
        count = next((details[one] for one in _COUNTS if isinstance(details.get(one), int)), None)
        known = {"staff": by.staff_id, "role": by.role, "registration": registration_id}
        said = {"action": action.value, "count": count, "account": details.get("staff"), **known}
        session.info.setdefault(_TO_LOG, []).append((_LOGGED[action], said))


def record_each(
    connection: Connection,
    action: Action,
    by: Actor,
    *,
    now: datetime,
    event_id: int,
    registrations: Mapping[int, dict[str, Any]],
) -> None:
    """Write one entry about each of these registrations, with its details, in one statement."""
    connection.execute(
        _insert,
        [_row(action, by, now, event_id, one, None, said) for one, said in registrations.items()],
    )


def _row(
    action: Action,
    by: Actor,
    now: datetime,
    event_id: int | None,
    registration_id: int | None,
    attendee_id: int | None,
    details: dict[str, Any],
) -> dict[str, Any]:
    return {
        "at": now,
        "action": action,
        "actor_kind": by.kind,
        "actor_staff_id": by.staff_id,
        "event_id": event_id,
        "registration_id": registration_id,
        "attendee_id": attendee_id,
        "details": details,
    }


def log_committed(session: Session) -> None:
    """Log the acts of a transaction that was committed. What was rolled back is not logged."""
    for name, said in forget_logged(session):
        log.event(name, **said)


def forget_logged(session: Session) -> Sequence[tuple[str, dict[str, Any]]]:
    """The acts that would be logged after a commit. Afterwards there are none."""
    acts: Sequence[tuple[str, dict[str, Any]]] = session.info.pop(_TO_LOG, ())
    return acts


def record_of_person(
    session: Session, action: Action, person: Attendee, by: Actor, now: datetime
) -> None:
    """Write one entry about one attendee, with the registration and the place in the party."""
    record(
        session,
        action,
        by,
        now=now,
        event_id=person.event_id,
        registration_id=person.registration_id,
        attendee_id=person.id,
        place=person.place,
    )


_ONE_LOOK = timedelta(hours=1)
"""Looks at the same thing within this time count as one."""


def is_first_look(
    session: Session, action: Action, by: Actor, subject: int, *, now: datetime
) -> bool:
    """Whether the staff member has not done this to the subject within the last hour. The subject
    is the id of a registration or, if the action is not about one registration, of an event."""
    about = (
        AuditEntry.registration_id if action.startswith("registration:") else AuditEntry.event_id
    )
    seen = select(AuditEntry.id).where(
        about == subject,
        AuditEntry.action == action,
        AuditEntry.actor_staff_id == by.staff_id,
        AuditEntry.at > now - _ONE_LOOK,
    )
    return session.scalar(seen.limit(1)) is None


_with_names = select(AuditEntry, StaffMember.username).outerjoin(
    StaffMember, StaffMember.id == AuditEntry.actor_staff_id
)
_history = _with_names.where(AuditEntry.registration_id == bindparam("registration_id")).order_by(
    AuditEntry.id
)


def of_event(session: Session, event_id: int, *, before: int = 0, most: int) -> Sequence[Entry]:
    """The latest ``most`` entries about an event and about accounts, latest first. With ``before``,
    only those before the entry of that id."""
    about = (AuditEntry.event_id == event_id) | AuditEntry.event_id.is_(None)
    page = AuditEntry.id < before if before > 0 else AuditEntry.id > 0
    rows = session.execute(
        _with_names.where(about, page).order_by(AuditEntry.id.desc()).limit(most)
    )
    return [_entry(row, username) for row, username in rows]


def history(session: Session, registration_id: int) -> Sequence[Entry]:
    """The entries about one registration, oldest first."""
    rows = session.execute(_history, {"registration_id": registration_id})
    return [_entry(row, username) for row, username in rows]


def _entry(row: AuditEntry, username: str | None) -> Entry:
    return Entry(
        row.id,
        row.at,
        row.action,
        username or "",
        row.actor_kind,
        row.registration_id,
        row.details,
    )
