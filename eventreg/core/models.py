"""All tables and constraints. Read this file to learn the nouns; the glossary in docs/ says each in one line."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from eventreg.core.moment import Moment


class Base(DeclarativeBase):
    """Common ground of the tables: constraint names that read the same on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: Moment, dict[str, Any]: JSON}  # noqa: RUF012


class RegistrationState(StrEnum):
    """The three states of a registration; a cancelled one never comes back, one registers anew."""

    CONFIRMED = "confirmed"
    WAITLISTED = "waitlisted"
    CANCELLED = "cancelled"


class Source(StrEnum):
    """The way by which a registration reached us."""

    ONLINE = "online"
    PHONE = "phone"
    WALK_IN = "walk-in"


class Role(StrEnum):
    """The three kinds of staff."""

    ORGANISER = "organiser"
    DESK = "desk"
    DOOR = "door"


def _one_of(column: str, kinds: type[StrEnum]) -> CheckConstraint:
    allowed = ", ".join(f"'{kind.value}'" for kind in kinds)
    return CheckConstraint(f"{column} IN ({allowed})", name=f"{column}_known")


class Event(Base):
    """The gathering people register for: the times and limits that rules need, and the organiser's words as they were
    validated (``definition``)."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    version: Mapped[int]
    """Grows by one whenever a changed event file is applied."""
    timezone: Mapped[str] = mapped_column(String(64))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    registration_opens_at: Mapped[datetime | None]
    registration_closes_at: Mapped[datetime]
    check_in_opens_at: Mapped[datetime]
    check_in_closes_at: Mapped[datetime]
    check_in_opened_at: Mapped[datetime | None]
    """Set where somebody opened check-in for everybody before its time."""
    max_party: Mapped[int]
    max_per_phone: Mapped[int]
    waitlist_open: Mapped[bool]
    waitlist_size: Mapped[int]
    notice: Mapped[str | None] = mapped_column(String(20))
    """``moved``, ``cancelled`` or ``speaker-replaced``, where the organiser has one of these to say."""
    definition: Mapped[str] = mapped_column(Text)
    """The event file as it was validated, as JSON: see ``definition.Definition``."""
    applied_at: Mapped[datetime]


class EventSeats(Base):
    """The counter of one event, in a narrow row of its own: the one thing that everybody who registers writes.

    The CHECK is the second wall behind ``seats.take``. A capacity lowered below what is taken is kept honest by
    ``allowed_over``, so that the CHECK always stands (PERFORMANCE.md 7.1).
    """

    __tablename__ = "event_seats"
    __table_args__ = (
        CheckConstraint("capacity >= 0 AND allowed_over >= 0", name="limits_not_negative"),
        CheckConstraint("taken >= 0 AND waiting >= 0", name="counts_not_negative"),
        CheckConstraint("taken <= capacity + allowed_over", name="never_more_than_allowed"),
    )

    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), primary_key=True, autoincrement=False)
    capacity: Mapped[int]
    allowed_over: Mapped[int] = mapped_column(default=0)
    taken: Mapped[int] = mapped_column(default=0)
    waiting: Mapped[int] = mapped_column(default=0)
    """Seats that waiting parties would need; the waiting list itself comes with the issue on seats."""


class Registration(Base):
    """One act of signing up, for one party."""

    __tablename__ = "registrations"
    __table_args__ = (
        _one_of("state", RegistrationState),
        _one_of("source", Source),
        Index(None, "event_id", "state"),
        Index(None, "event_id", "phone_number"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    ticket_seed: Mapped[str] = mapped_column(String(32))
    """The random id from which, with the secret key, the ticket token is computed."""
    ticket_digest: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 of the ticket token: a copy of the database opens no ticket."""
    state: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(String(16))
    locale: Mapped[str] = mapped_column(String(2))
    phone_number: Mapped[str] = mapped_column(String(20))
    phone_typed: Mapped[str] = mapped_column(String(60))
    phone_tail: Mapped[str] = mapped_column(String(4))
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]


class Attendee(Base):
    """A person expected in the room; one attendee is one seat."""

    __tablename__ = "attendees"
    __table_args__ = (
        # One person, one seat: the same name under the same number is the same person (promise P2).
        Index(
            "uq_attendees_live_person",
            "event_id",
            "phone_number",
            "name_folded",
            unique=True,
            sqlite_where=text("cancelled_at IS NULL"),
            postgresql_where=text("cancelled_at IS NULL"),
        ),
        Index(
            "uq_attendees_live_code",
            "event_id",
            "code",
            unique=True,
            sqlite_where=text("cancelled_at IS NULL"),
            postgresql_where=text("cancelled_at IS NULL"),
        ),
        Index(None, "event_id", "sort_key", "id"),
        Index(None, "event_id", "phone_tail"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), index=True)
    place: Mapped[int]
    """1 for the person who registered, 2 for the companion, and so on."""
    name: Mapped[str] = mapped_column(String(200))
    """As typed, trimmed."""
    name_folded: Mapped[str] = mapped_column(Text)
    """For comparing: two spellings of one name are equal here."""
    sort_key: Mapped[str] = mapped_column(Text)
    """Surname first, by its reading."""
    search_key: Mapped[str] = mapped_column(Text)
    """Full reading and initials, for searching from the first letter."""
    letter: Mapped[str] = mapped_column(String(1))
    """Under which letter the check-in list puts the name."""
    phone_number: Mapped[str] = mapped_column(String(20))
    """The registration's number once more, since the index above needs it in this table."""
    phone_tail: Mapped[str] = mapped_column(String(4))
    code: Mapped[str | None] = mapped_column(String(12))
    """The check-in code; a person who waits has none yet."""
    cancelled_at: Mapped[datetime | None]


class CheckIn(Base):
    """The recorded arrival of one attendee. An undo marks the row and keeps it."""

    __tablename__ = "check_ins"
    __table_args__ = (
        Index(
            "uq_check_ins_standing",
            "attendee_id",
            unique=True,
            sqlite_where=text("undone_at IS NULL"),
            postgresql_where=text("undone_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), index=True)
    attendee_id: Mapped[int] = mapped_column(ForeignKey("attendees.id"), index=True)
    arrived_at: Mapped[datetime]
    """As the door saw it."""
    recorded_at: Mapped[datetime]
    """As the server learnt it."""
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_members.id"))
    early: Mapped[bool]
    late: Mapped[bool]
    undone_at: Mapped[datetime | None]
    undone_by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))


class FormKey(Base):
    """The hidden key of one form that succeeded, stored in the seat's own transaction: the same form again is the same
    registration."""

    __tablename__ = "form_keys"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    fingerprint: Mapped[str] = mapped_column(String(64))
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"))
    created_at: Mapped[datetime] = mapped_column(index=True)


class StaffMember(Base):
    """An account that can sign in. Without a password it waits for its one-time link."""

    __tablename__ = "staff_members"
    __table_args__ = (_one_of("role", Role),)

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(60))
    username_folded: Mapped[str] = mapped_column(String(60), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class StaffSession(Base):
    """One signed-in browser. The row is the session: when it goes, the session has ended, everywhere and at once."""

    __tablename__ = "staff_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_members.id"), index=True)
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class WelcomeLink(Base):
    """A one-time link with which somebody chooses a password. Without ``staff_id`` it makes the first organiser."""

    __tablename__ = "welcome_links"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class AuditEntry(Base):
    """An unchangeable line: who did what to which, when. Holds ids, field names and counts, never a person's data."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index(None, "event_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    action: Mapped[str] = mapped_column(String(60))
    actor_kind: Mapped[str] = mapped_column(String(16))
    actor_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    event_id: Mapped[int | None] = mapped_column(ForeignKey("events.id"))
    registration_id: Mapped[int | None] = mapped_column(ForeignKey("registrations.id"), index=True)
    attendee_id: Mapped[int | None] = mapped_column(ForeignKey("attendees.id"))
    details: Mapped[dict[str, Any]]
