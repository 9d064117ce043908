"""Registrations and the attendees in them."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from eventreg.core.models.base import Base, OneOf, one_of
from eventreg.core.values import tokens


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


class Registration(Base):
    """One act of signing up, for one party."""

    __tablename__ = "registrations"
    __table_args__ = (
        one_of("state", RegistrationState),
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
    source: Mapped[str] = mapped_column(OneOf(Source, 16))
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
    """The registration of the one who got the only seat, where the rest of the party waits in this
    one. No foreign key: SQLite could add it only by rewriting the table."""
    cancelled_at: Mapped[datetime | None]
    contact: Mapped[str | None] = mapped_column(String(200))
    """Whose number it is, where that is not a guest's own: a daughter, a neighbour."""
    wishes: Mapped[str] = mapped_column(String(40), default="", server_default="")
    """What was said yes to, of ``wishes.Wish``, joined by commas; cleared when the event is
    over."""
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
        # The order of the list, and what a search for a name compares, so that it reads nobody
        # else's row.
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
    public_id: Mapped[str] = mapped_column(
        String(32), default=tokens.opaque, index=True, unique=True, nullable=True
    )
    """How pages, forms and telephones name the person: random, because ``id`` comes again after a
    restore. May be empty only for SQLite, which cannot add a column that is filled otherwise; a
    trigger fills it."""
    told_apart_at: Mapped[datetime | None]
    """When somebody said that this is not the other person of the same name."""


class FormKey(Base):
    """The hidden key of one form that succeeded, stored in the seat's own transaction: the same
    form again is the same registration."""

    __tablename__ = "form_keys"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    fingerprint: Mapped[str] = mapped_column(String(64))
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"))
    created_at: Mapped[datetime] = mapped_column(index=True)
    burst: Mapped[str | None] = mapped_column(String(16))
    """A random number that online registrations from one address share for an hour; kept a day. See
    ``bursts``."""
