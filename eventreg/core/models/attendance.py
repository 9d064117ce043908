"""The tables of check-ins and gifts."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from eventreg.core.models.base import Base


class CheckIn(Base):
    """The arrival of one attendee. Undoing it marks the row and does not delete it."""

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
    """When the person came. Of a row from paper: when it was typed in."""
    recorded_at: Mapped[datetime]
    """When the server stored it."""
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_members.id"))
    early: Mapped[bool]
    late: Mapped[bool]
    by_paper: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Typed in from the printed list, so the time of the arrival is not known."""
    device: Mapped[str | None] = mapped_column(String(64))
    """The door device that saw the person; empty if the act came from a page without a script."""
    undone_at: Mapped[datetime | None]
    undone_by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))


class Gift(Base):
    """One gift for one attendee. A row with ``undone_at`` does not count."""

    __tablename__ = "gifts"
    __table_args__ = (
        Index(
            "uq_gifts_standing",
            "attendee_id",
            unique=True,
            sqlite_where=text("undone_at IS NULL"),
            postgresql_where=text("undone_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), index=True)
    attendee_id: Mapped[int] = mapped_column(ForeignKey("attendees.id"), index=True)
    given_at: Mapped[datetime]
    by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_members.id"))
    undone_at: Mapped[datetime | None]
    undone_by_staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
