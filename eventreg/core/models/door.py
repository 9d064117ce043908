"""The tables of door devices, of the acts that they upload, and of the waiting people who are at
the door."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from eventreg.core.models.base import Base


class DoorDevice(Base):
    """One device that checks people in at one event: a paired telephone, or a browser in which
    somebody signed in with a password."""

    __tablename__ = "door_devices"
    __table_args__ = (UniqueConstraint("event_id", "device"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    device: Mapped[str] = mapped_column(String(64))
    """A random id that the device keeps, also if it is paired again."""
    name: Mapped[str] = mapped_column(String(60))
    """What staff call it, such as "1 号台"."""
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    """The account of the paired telephone, or who signed in last."""
    paired_at: Mapped[datetime | None]
    """Empty if the device signed in with a password."""
    revoked_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    """When it was last in contact with the server."""
    roster_at: Mapped[datetime | None]
    """When it last fetched the list of people."""
    unsent: Mapped[int | None]
    """How many acts it had not uploaded, as it last said."""
    clock_ahead: Mapped[int | None]
    """How many seconds its clock is ahead of the server's, as seen at its last upload."""
    checks: Mapped[str | None] = mapped_column(Text)
    """What its self-test found, as JSON: storage, service worker, camera."""


class DoorAct(Base):
    """One act of a door device, as it was uploaded, with its result. The row stays, so that the
    same act sent again changes nothing and gives the same result."""

    __tablename__ = "door_acts"
    __table_args__ = (
        UniqueConstraint("event_id", "key"),
        Index(None, "event_id", "clash", "settled_at"),
        Index(None, "event_id", "device"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    key: Mapped[str] = mapped_column(String(64))
    """The act's random key, made by the device."""
    device: Mapped[str] = mapped_column(String(64))
    """The device that recorded the act; another one may have uploaded it."""
    uploaded_by: Mapped[str | None] = mapped_column(String(64))
    """The device that uploaded it for another one."""
    seq: Mapped[int | None]
    """The device's own count."""
    act: Mapped[str] = mapped_column(String(16))
    attendee: Mapped[str | None] = mapped_column(String(64))
    """Whom the device named: an attendee's random id, or the key of an earlier walk-in."""
    attendee_id: Mapped[int | None] = mapped_column(ForeignKey("attendees.id"), index=True)
    """Who that is; empty if the event has no such person."""
    device_at: Mapped[datetime | None]
    """When it happened by the device's clock. Only shown."""
    acted_at: Mapped[datetime]
    """When it happened by the server's clock, as far as the device's clock can be corrected."""
    received_at: Mapped[datetime]
    by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    result: Mapped[str] = mapped_column(String(24))
    reason: Mapped[str | None] = mapped_column(String(40))
    late: Mapped[bool]
    answer: Mapped[str] = mapped_column(Text)
    """What the device was answered, as JSON, for when it sends the act again. It has no name and no
    number."""
    typed: Mapped[str | None] = mapped_column(Text)
    """The name and number that came with the act, as JSON. Kept only while a person has to settle
    the act; then emptied, and emptied when people are erased."""
    clash: Mapped[str | None] = mapped_column(String(24))
    """Why a person has to look at it; empty if nobody has to."""
    settled_at: Mapped[datetime | None]
    settled_by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))


class PresentParty(Base):
    """A waiting party whose people are at the door. Without a number they joined the waiting list
    before; with one they walked in when no seat was free."""

    __tablename__ = "present_parties"
    __table_args__ = (UniqueConstraint("event_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), unique=True)
    number: Mapped[int | None]
    """The number that was handed to people who walked in: 1, 2, and so on."""
    came_at: Mapped[datetime]
    calls: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often they were called to take a free seat. After the second call the next are called."""
    called_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    """When they were found to be gone, or went home."""


class OwedGift(Base):
    """A gift that a person is to get later, because none was left."""

    __tablename__ = "owed_gifts"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), index=True)
    attendee_id: Mapped[int] = mapped_column(ForeignKey("attendees.id"), unique=True)
    owed_at: Mapped[datetime]
    by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    settled_at: Mapped[datetime | None]
    """When the person got it, or it was crossed out."""
    settled_by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
