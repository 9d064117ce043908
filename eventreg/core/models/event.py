"""The event, and the counter of its seats."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from eventreg.core.models.base import Base


class Event(Base):
    """The gathering people register for: the times and limits that rules need, and the organiser's
    words as they were validated (``definition``)."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    version: Mapped[int]
    """Grows by one whenever a changed event file is applied. After a restore the same number comes
    again."""
    stamp: Mapped[str] = mapped_column(String(32), default="", server_default="")
    """Drawn anew with each version, so that it never comes again: what is kept in memory is kept
    under both."""
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
    """Seats kept for people who telephone, until ``held_until``; how many of them are left is
    ``EventSeats.held``."""
    held_until: Mapped[datetime | None]
    notice: Mapped[str | None] = mapped_column(String(20))
    """``moved``, ``cancelled`` or ``speaker-replaced``, where the organiser has one of these to
    say."""
    definition: Mapped[str] = mapped_column(Text)
    """The event file as it was validated, as JSON: see ``definition.Definition``."""
    applied_at: Mapped[datetime]


class EventSeats(Base):
    """The counter of one event, in a narrow row of its own: the one thing that everybody who
    registers writes.

    The CHECK is the second wall behind ``seats.take``. A capacity lowered below what is taken is
    kept honest by ``allowed_over``, so that the CHECK always stands (PERFORMANCE.md 7.1).
    """

    __tablename__ = "event_seats"
    __table_args__ = (
        CheckConstraint("capacity >= 0 AND allowed_over >= 0", name="limits_not_negative"),
        CheckConstraint("taken >= 0 AND waiting >= 0", name="counts_not_negative"),
        CheckConstraint("held >= 0", name="held_not_negative"),
        CheckConstraint("taken <= capacity + allowed_over", name="never_more_than_allowed"),
    )

    event_id: Mapped[int] = mapped_column(
        ForeignKey("events.id"), primary_key=True, autoincrement=False
    )
    capacity: Mapped[int]
    allowed_over: Mapped[int] = mapped_column(default=0)
    taken: Mapped[int] = mapped_column(default=0)
    waiting: Mapped[int] = mapped_column(default=0)
    """Seats that waiting parties would need."""
    held: Mapped[int] = mapped_column(default=0, server_default="0")
    """Seats still kept for people who telephone: neither free nor taken for the public until
    ``Event.held_until``."""
    edition: Mapped[int] = mapped_column(default=0, server_default="0")
    """Grows whenever the event's file is applied: a seat taken for the event as it was before is
    taken anew."""
