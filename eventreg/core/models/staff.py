"""The tables of staff accounts, sessions, known browsers, one-time links and pairings."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from eventreg.core.models.base import Base, one_of


class Role(StrEnum):
    """What a staff member does. Permissions depend on it."""

    ORGANISER = "organiser"
    DESK = "desk"
    DOOR = "door"


class StaffMember(Base):
    """An account of a person or of a paired telephone. Without a password nobody can sign in to it:
    its one-time link was not used yet, or it is a telephone's."""

    __tablename__ = "staff_members"
    __table_args__ = (one_of("role", Role),)

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(60))
    username_folded: Mapped[str] = mapped_column(String(60), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    event_id: Mapped[int | None]
    """Only for a paired telephone: the one event at which it may check people in. No foreign key,
    as with ``split_from_id``."""
    totp_secret: Mapped[str | None] = mapped_column(String(64))
    """The secret of the second factor, if it is on."""
    totp_step: Mapped[int | None]
    """The half minute of the code that was used last, so that no code works twice."""
    recovery_digests: Mapped[str | None] = mapped_column(String(800))
    """The digests of the recovery codes that are still unused."""
    factor_reset_at: Mapped[datetime | None]
    """When somebody else turned the second factor off. Cleared when the owner has read about it."""
    factor_reset_by: Mapped[int | None]
    """The organiser who did; empty for a command on the server. No foreign key, as with
    ``event_id``."""


class StaffSession(Base):
    """One signed-in browser. Deleting the row ends the session at once."""

    __tablename__ = "staff_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_members.id"), index=True)
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    proved_at: Mapped[datetime | None]
    """When the password was given last. Empty for a paired telephone."""
    expires_at: Mapped[datetime | None]
    """When the session ends. Use moves it forward; for a paired telephone, moving the event does.
    Empty if an
    older version wrote the row; that version computed the end from the other moments."""
    note: Mapped[str | None] = mapped_column(Text)
    """What the owner is to be shown once, encrypted with the token that the browser holds."""
    device: Mapped[str | None] = mapped_column(String(40))
    """The kind of machine, roughly, so that the owner recognises the session."""
    door_device: Mapped[str | None] = mapped_column(String(64))
    """The door device (``DoorDevice.device``) that uses the session; empty away from the door."""


class KnownBrowser(Base):
    """A browser in which somebody signed in to an account before. It does not sign anybody in: see
    ``known_browsers``."""

    __tablename__ = "known_browsers"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_members.id"), index=True)
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    failures: Mapped[int]
    """Tries since the last sign-in. Each is counted before its password is checked."""
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class WelcomeLink(Base):
    """A one-time link for choosing a password. Without ``staff_id`` it creates the first
    organiser."""

    __tablename__ = "welcome_links"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    wrong_codes: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often a wrong second factor was given with the link. The tenth uses it up."""


class Pairing(Base):
    """A one-time code that makes a telephone a door device of one event."""

    __tablename__ = "pairings"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    made_by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_members.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
