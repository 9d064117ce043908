"""The tables of events and of their seat counters."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from eventreg.core.models.base import Base


class Event(Base):
    """An event: the times and limits that the rules use, and the validated event file
    (``definition``)."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    version: Mapped[int]
    """Grows by one whenever a changed event file is applied. A restored backup brings back an older
    number, which is then given a second time."""
    stamp: Mapped[str] = mapped_column(String(32), default="", server_default="")
    """A new random value with each version, and when seats are released; so never given twice.
    Caches use version and stamp as their key."""
    timezone: Mapped[str] = mapped_column(String(64))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    registration_opens_at: Mapped[datetime | None]
    registration_closes_at: Mapped[datetime]
    check_in_opens_at: Mapped[datetime]
    check_in_closes_at: Mapped[datetime]
    check_in_opened_at: Mapped[datetime | None]
    """Set if staff opened check-in before its time."""
    seats_released_at: Mapped[datetime | None]
    """When staff first gave away the seats of those who had not come. From then on free seats go
    only to waiting people who are at the door."""
    max_party: Mapped[int]
    max_per_phone: Mapped[int]
    waitlist_open: Mapped[bool]
    waitlist_size: Mapped[int]
    held_seats: Mapped[int] = mapped_column(default=0, server_default="0")
    """Seats kept for people who telephone, until ``held_until``. ``EventSeats.held`` counts those
    that are left."""
    held_until: Mapped[datetime | None]
    notice: Mapped[str | None] = mapped_column(String(20))
    """The ``NoticeKind`` that the organiser announced, if any."""
    definition: Mapped[str] = mapped_column(Text)
    """The validated event file as JSON: see ``definition.Definition``."""
    applied_at: Mapped[datetime]


class EventSeats(Base):
    """The seat counter of one event. It has a narrow row of its own, because every registration
    writes it.

    ``seats.take`` refuses more than the capacity, and the CHECK refuses it once more. If the
    capacity is lowered below the seats taken, or an organiser goes over it on purpose,
    ``allowed_over`` makes up the difference, so that the CHECK still holds.
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
    """How many seats the waiting parties need in all."""
    held: Mapped[int] = mapped_column(default=0, server_default="0")
    """Seats that are still kept for people who telephone. Online registrations get them only from
    ``Event.held_until`` on; the number itself stays then."""
    edition: Mapped[int] = mapped_column(default=0, server_default="0")
    """Grows by one whenever a changed event file is applied. A registration that began before then
    is tried again."""
