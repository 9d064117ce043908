"""The table of messages that registrants are to receive, by mail or by telephone."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from eventreg.core.models.base import Base, OneOf, one_of


class MessageKind(StrEnum):
    """What the message is about."""

    REGISTERED = "registered"
    WAITLISTED = "waitlisted"
    PROMOTED = "promoted"
    CANCELLED = "cancelled"
    EVENT_MOVED = "event-moved"
    EVENT_CANCELLED = "event-cancelled"
    SPEAKER_REPLACED = "speaker-replaced"
    ANNOUNCED = "announced"
    """Any other notice."""


class Channel(StrEnum):
    """How the message is delivered: staff telephone, or the program sends a mail."""

    CALL = "call"
    MAIL = "mail"


class OutboxMessage(Base):
    """One message to one registration. It is owed until ``settled_at`` is set."""

    __tablename__ = "outbox_messages"
    __table_args__ = (
        one_of("channel", Channel),
        Index(None, "registration_id", "kind", "channel", "event_version", unique=True),
        Index(None, "event_id", "settled_at"),
        Index(None, "channel", "settled_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"))
    kind: Mapped[str] = mapped_column(OneOf(MessageKind, 20))
    channel: Mapped[str] = mapped_column(String(8))
    event_version: Mapped[int]
    """The version of the event that the message is about: a second move is another message."""
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    """When it was sent, told by telephone, or no longer needed."""
    settled_by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often delivery was tried. Only mails are counted."""
    next_try_at: Mapped[datetime | None]
    """Do not try before this moment. Set after a failure, and while a sender works on it. Empty:
    try at once."""
    failed_at: Mapped[datetime | None]
    """When delivery was given up. Staff must telephone instead."""
    failure: Mapped[str | None] = mapped_column(String(120))
    """Why the last attempt failed. Holds no mail address."""
