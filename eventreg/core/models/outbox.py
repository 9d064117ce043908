"""What registrants are to be told."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from eventreg.core.models.base import Base, OneOf, one_of


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


class OutboxMessage(Base):
    """Something that the people of one registration are to be told, by telephone or by mail, until
    it is settled."""

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
    """Of which state of the event it speaks: a second move is another message."""
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    """When it was sent, said, or no longer needed saying."""
    settled_by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often somebody set out to deliver it; only mails are."""
    next_try_at: Mapped[datetime | None]
    """Not before this moment: after a failure, and while another sender has it in hand. At once
    where empty."""
    failed_at: Mapped[datetime | None]
    """When it was given up; a person has to telephone instead."""
    failure: Mapped[str | None] = mapped_column(String(120))
    """Why the latest attempt failed, without anybody's address."""
