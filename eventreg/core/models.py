"""The tables of events, registrations and arrivals, with their constraints. Read this file to learn the nouns; the glossary
in docs/ says each in one line. The tables of staff and of the audit trail stand in ``staff_models``."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from eventreg.core import tokens
from eventreg.core.base import Base, one_of


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


class MessageKind(StrEnum):
    """What there is to tell."""

    REGISTERED = "registered"
    WAITLISTED = "waitlisted"
    PROMOTED = "promoted"
    CANCELLED = "cancelled"
    EVENT_MOVED = "event-moved"
    EVENT_CANCELLED = "event-cancelled"
    SPEAKER_REPLACED = "speaker-replaced"


class Channel(StrEnum):
    """How it is told: a person telephones, or the outbox sends a mail."""

    CALL = "call"
    MAIL = "mail"


class Event(Base):
    """The gathering people register for: the times and limits that rules need, and the organiser's words as they were
    validated (``definition``)."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    version: Mapped[int]
    """Grows by one whenever a changed event file is applied. After a restore the same number comes again."""
    stamp: Mapped[str] = mapped_column(String(32), default="", server_default="")
    """Drawn anew with each version, so that it never comes again: what is kept in memory is kept under both."""
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
    held_seats: Mapped[int] = mapped_column(default=0, server_default="0")
    """Seats kept for people who telephone, until ``held_until``; how many of them are left is ``EventSeats.held``."""
    held_until: Mapped[datetime | None]
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
        CheckConstraint("held >= 0", name="held_not_negative"),
        CheckConstraint("taken <= capacity + allowed_over", name="never_more_than_allowed"),
    )

    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), primary_key=True, autoincrement=False)
    capacity: Mapped[int]
    allowed_over: Mapped[int] = mapped_column(default=0)
    taken: Mapped[int] = mapped_column(default=0)
    waiting: Mapped[int] = mapped_column(default=0)
    """Seats that waiting parties would need."""
    held: Mapped[int] = mapped_column(default=0, server_default="0")
    """Seats still kept for people who telephone: neither free nor taken for the public until ``Event.held_until``."""
    edition: Mapped[int] = mapped_column(default=0, server_default="0")
    """Grows whenever the event's file is applied: a seat taken for the event as it was before is taken anew."""


class Registration(Base):
    """One act of signing up, for one party."""

    __tablename__ = "registrations"
    __table_args__ = (
        one_of("state", RegistrationState),
        one_of("source", Source),
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
    email: Mapped[str | None] = mapped_column(String(254))
    """Where staff were given one; guests are never asked."""
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    promoted_at: Mapped[datetime | None]
    """When a waiting party got its seats."""
    split_from_id: Mapped[int | None]
    """The registration of the one who got the only seat, where the rest of the party waits in this one. No foreign key:
    SQLite could add it only by rewriting the table."""
    cancelled_at: Mapped[datetime | None]
    contact: Mapped[str | None] = mapped_column(String(200))
    """Whose number it is, where that is not a guest's own: a daughter, a neighbour."""
    wishes: Mapped[str] = mapped_column(String(40), default="", server_default="")
    """What was said yes to, of ``wishes.Wish``, joined by commas; cleared when the event is over."""
    name_unsure: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Written down by its sound alone; to be asked again."""
    over_limit: Mapped[bool] = mapped_column(default=False, server_default=false())
    """The desk let this one pass ``max_per_phone``, knowingly."""
    erased_at: Mapped[datetime | None]
    """When names and number were overwritten; what is left is a count."""


_BYTEWISE = Text().with_variant(Text(collation="C"), "postgresql")
"""Compared byte by byte, so that both databases sort alike."""


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
        # The order of the list, and what a search for a name compares, so that it reads nobody else's row.
        Index(None, "event_id", "sort_key", "id", "search_key", "name_folded"),
        Index(None, "event_id", "phone_tail"),
        Index(None, "event_id", "code"),
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
    sort_key: Mapped[str] = mapped_column(_BYTEWISE)
    """Surname first, by its reading."""
    search_key: Mapped[str] = mapped_column(_BYTEWISE)
    """Full reading and initials, for searching from the first letter."""
    letter: Mapped[str] = mapped_column(String(1))
    """Under which letter the check-in list puts the name."""
    phone_number: Mapped[str] = mapped_column(String(20))
    """The registration's number once more, since the index above needs it in this table."""
    phone_tail: Mapped[str] = mapped_column(String(4))
    code: Mapped[str | None] = mapped_column(String(12))
    """The check-in code; a person who waits has none yet."""
    cancelled_at: Mapped[datetime | None]
    public_id: Mapped[str] = mapped_column(String(32), default=tokens.opaque, index=True, unique=True, nullable=True)
    """How pages, forms and telephones name the person: random, because ``id`` comes again after a restore. May be empty only
    for SQLite, which cannot add a column that is filled otherwise; a trigger fills it."""
    told_apart_at: Mapped[datetime | None]
    """When somebody said that this is not the other person of the same name."""


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
    by_paper: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Typed back from the printed list: then nobody knows the minute."""
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
    burst: Mapped[str | None] = mapped_column(String(16))
    """A random number that online registrations from one address share for an hour; kept a day. See ``bursts``."""


class OutboxMessage(Base):
    """Something that the people of one registration are to be told, by telephone or by mail, until it is settled."""

    __tablename__ = "outbox_messages"
    __table_args__ = (
        one_of("kind", MessageKind),
        one_of("channel", Channel),
        Index(None, "registration_id", "kind", "channel", "event_version", unique=True),
        Index(None, "event_id", "settled_at"),
        Index(None, "channel", "settled_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"))
    kind: Mapped[str] = mapped_column(String(20))
    channel: Mapped[str] = mapped_column(String(8))
    event_version: Mapped[int]
    """Of which state of the event it speaks: a second move is another message."""
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    """When it was sent, said, or no longer needed saying."""
    settled_by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often somebody set out to deliver it; only mails are."""
    next_try_at: Mapped[datetime | None]
    """Not before this moment: after a failure, and while another sender has it in hand. At once where empty."""
    failed_at: Mapped[datetime | None]
    """When it was given up; a person has to telephone instead."""
    failure: Mapped[str | None] = mapped_column(String(120))
    """Why the latest attempt failed, without anybody's address."""
