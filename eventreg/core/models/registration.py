"""The tables of registrations, attendees, form keys and unfinished forms."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from eventreg.core.models.base import Base, OneOf, one_of
from eventreg.core.values import tokens


class RegistrationState(StrEnum):
    """The three states of a registration. A cancelled one stays cancelled, unless that is undone
    within minutes (``core.undo``)."""

    CONFIRMED = "confirmed"
    WAITLISTED = "waitlisted"
    CANCELLED = "cancelled"


class Source(StrEnum):
    """How a registration was made."""

    ONLINE = "online"
    PHONE = "phone"
    WALK_IN = "walk-in"
    IMPORT = "import"


class Registration(Base):
    """One act of signing up, for one party."""

    __tablename__ = "registrations"
    __table_args__ = (
        one_of("state", RegistrationState),
        Index(None, "event_id", "state"),
        Index(None, "event_id", "phone_number"),
        # Each ticket asks whether a part of its party waits beside it.
        Index(
            "ix_registrations_split_off",
            "split_from_id",
            sqlite_where=text("split_from_id IS NOT NULL"),
            postgresql_where=text("split_from_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    ticket_seed: Mapped[str] = mapped_column(String(32))
    """A random id. The ticket token is computed from it and the secret key."""
    ticket_digest: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 of the ticket token: a copy of the database opens no ticket."""
    state: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(OneOf(Source, 16))
    locale: Mapped[str] = mapped_column(String(2))
    phone_number: Mapped[str] = mapped_column(String(20))
    phone_typed: Mapped[str] = mapped_column(String(60))
    phone_tail: Mapped[str] = mapped_column(String(4))
    email: Mapped[str | None] = mapped_column(String(254))
    """Empty unless staff typed one in; the public form does not ask for it."""
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    promoted_at: Mapped[datetime | None]
    """When the party moved from the waiting list to seats. Empty if it never waited."""
    split_from_id: Mapped[int | None]
    """Set if the party was split because only one seat was left: the registration that got the
    seat, while the others wait in this one. Also set if these people cancelled in the other
    registration by mistake and were put first in line. No foreign key: SQLite could add it only by
    rewriting the table."""
    put_first_at: Mapped[datetime | None]
    """When staff put the party first in line, because its seat was given away after a cancellation
    by mistake. Such parties come before all others that wait."""
    cancelled_at: Mapped[datetime | None]
    contact: Mapped[str | None] = mapped_column(String(200))
    """Whose number it is, if it is not a guest's own: a daughter, a neighbour."""
    wishes: Mapped[str] = mapped_column(String(40), default="", server_default="")
    """The boxes that were ticked (``requests.Wish``), joined by commas. Cleared when the event is
    over."""
    name_unsure: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Staff wrote the name down by its sound and must ask again."""
    over_limit: Mapped[bool] = mapped_column(default=False, server_default=false())
    """The desk allowed this registration to exceed ``max_per_phone``."""
    erased_at: Mapped[datetime | None]
    """When names and number were overwritten. The row stays, so that it is still counted."""


_BYTEWISE = Text().with_variant(Text(collation="C"), "postgresql")
"""Compared byte by byte, so that both databases sort alike."""


class Attendee(Base):
    """A person who is expected at the event. One attendee needs one seat."""

    __tablename__ = "attendees"
    __table_args__ = (
        # The same name under the same number is the same person, who gets one seat.
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
        # The list counts those who cancelled on every page.
        Index(
            "ix_attendees_cancelled",
            "event_id",
            sqlite_where=text("cancelled_at IS NOT NULL"),
            postgresql_where=text("cancelled_at IS NOT NULL"),
        ),
        # The order of the list, and the keys that a search for a name compares: the search reads
        # the index instead of every row. Each letter less in it counts.
        Index(None, "event_id", "sort_key", "id", "search_key"),
        Index(None, "event_id", "phone_tail"),
        Index(None, "event_id", "code"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), index=True)
    place: Mapped[int]
    """The position within the party: 1 for the registrant, 2 for the companion, and so on."""
    name: Mapped[str] = mapped_column(String(200))
    """As typed, trimmed."""
    name_folded: Mapped[str] = mapped_column(Text)
    """For comparing: equal for two spellings of one name."""
    sort_key: Mapped[str] = mapped_column(_BYTEWISE)
    """The reading (pinyin), surname first, and then the folded name."""
    search_key: Mapped[str] = mapped_column(_BYTEWISE)
    """What a search compares: see ``search_keys``."""
    letter: Mapped[str] = mapped_column(String(1))
    """The heading under which the check-in list puts the name."""
    phone_number: Mapped[str] = mapped_column(String(20))
    """A copy of the registration's number: the unique index above needs it in this table."""
    phone_tail: Mapped[str] = mapped_column(String(4))
    code: Mapped[str | None] = mapped_column(String(12))
    """The check-in code. Empty if the person never had a seat; it stays after a cancellation."""
    cancelled_at: Mapped[datetime | None]
    released_at: Mapped[datetime | None]
    """When the seat was given away because the person had not come. The person is then cancelled,
    too."""
    public_id: Mapped[str] = mapped_column(
        String(32), default=tokens.opaque, index=True, unique=True, nullable=True
    )
    """The id that pages, forms and telephones use. Random, because after a restore ``id`` is given
    again to somebody else. Nullable only because SQLite cannot add a column with a random default;
    there a trigger fills it."""
    told_apart_at: Mapped[datetime | None]
    """When staff confirmed that this is another person than the one of the same name."""

    @property
    def is_live(self) -> bool:
        """Whether the seat or waiting place was not given back; in a query it is ``LIVE``."""
        return self.cancelled_at is None


class FormKey(Base):
    """The hidden key of a submitted form, stored in the transaction that made the registration.
    The same form sent again leads to the same registration. Deleted after a week."""

    __tablename__ = "form_keys"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    fingerprint: Mapped[str] = mapped_column(String(64))
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"))
    created_at: Mapped[datetime] = mapped_column(index=True)
    burst: Mapped[str | None] = mapped_column(String(16))
    """A random number that online registrations from one network address share for an hour. Kept
    for a day. See ``bursts``."""


class UnfinishedForm(Base):
    """What a guest typed and has not confirmed, for half an hour. Its page has an address of its
    own, so that Back, reload and "restore pages" show it (docs/adr/0003)."""

    __tablename__ = "unfinished_forms"

    key_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the key in the address: a copy of the database opens no page."""
    form_key: Mapped[str] = mapped_column(String(64), index=True)
    sealed: Mapped[str | None] = mapped_column(Text)
    """What was typed, encrypted with the key in the address. Empty once the form has registered:
    then the address leads to the ticket."""
    kept_at: Mapped[datetime] = mapped_column(index=True)
