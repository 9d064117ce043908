"""The table of telephone calls that were made: the reason for each, and its outcome."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from eventreg.core.models.base import Base, OneOf


class CallReason(StrEnum):
    """Why a registration is to be called, the most urgent reason first. A reason that comes from an
    outbox message has the value of its ``MessageKind``."""

    PROMOTED = "promoted"
    EVENT_MOVED = "event-moved"
    EVENT_CANCELLED = "event-cancelled"
    SPEAKER_REPLACED = "speaker-replaced"
    ANNOUNCED = "announced"
    REGISTERED = "registered"
    WAITLISTED = "waitlisted"
    NAME_UNSURE = "name-unsure"
    REMINDER = "reminder"


class CallOutcome(StrEnum):
    """How a call ended."""

    REACHED = "reached"
    NOT_REACHED = "not-reached"
    WILL_NOT_COME = "will-not-come"
    WRONG_NUMBER = "wrong-number"


class Call(Base):
    """One call to one registration, for one reason. A call for two reasons has two rows."""

    __tablename__ = "calls"
    __table_args__ = (Index(None, "event_id", "reason"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), index=True)
    registration_version: Mapped[int]
    """The version of the registration then. A wrong number may have been corrected since."""
    reason: Mapped[str] = mapped_column(OneOf(CallReason, 20))
    outcome: Mapped[str] = mapped_column(OneOf(CallOutcome, 16))
    called_at: Mapped[datetime]
    by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    next_try_at: Mapped[datetime | None]
    """Do not call again before this moment. Set if the call was not answered."""
