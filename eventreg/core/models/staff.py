"""Staff accounts, their sessions and browsers, one-time links, paired telephones."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from eventreg.core.models.base import Base, one_of


class Role(StrEnum):
    """The three kinds of staff."""

    ORGANISER = "organiser"
    DESK = "desk"
    DOOR = "door"


class StaffMember(Base):
    """An account that can sign in. Without a password it waits for its one-time link."""

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
    """Only for a paired telephone: the one event whose door it opens. No foreign key, as with
    ``split_from_id``."""
    totp_secret: Mapped[str | None] = mapped_column(String(64))
    """The second factor's secret, where there is one."""
    totp_step: Mapped[int | None]
    """The last half minute whose code was used: no code opens twice."""
    recovery_digests: Mapped[str | None] = mapped_column(String(800))
    """Of the codes for a lost telephone, those nobody has used yet."""
    factor_reset_at: Mapped[datetime | None]
    """When somebody else turned the second factor off; until its owner has read so."""
    factor_reset_by: Mapped[int | None]
    """Which organiser did; empty for a command on the server. No foreign key, as with
    ``event_id``."""


class StaffSession(Base):
    """One signed-in browser. The row is the session: when it goes, the session has ended,
    everywhere and at once."""

    __tablename__ = "staff_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_members.id"), index=True)
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    proved_at: Mapped[datetime | None]
    """When the password was given last; with ``created_at`` where it is empty."""
    expires_at: Mapped[datetime | None]
    """From then on the session has ended, for good. Use moves it forward, but for a paired
    telephone's. Empty: written by the version before, which worked it out from the other
    moments."""
    note: Mapped[str | None] = mapped_column(Text)
    """What its owner is to be shown once, unreadable without the token that the browser holds."""
    device: Mapped[str | None] = mapped_column(String(40))
    """What kind of machine it is, roughly, so that its owner knows it again."""


class KnownBrowser(Base):
    """A browser in which somebody signed in to an account before. It opens nothing: see
    ``known_browsers``."""

    __tablename__ = "known_browsers"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_members.id"), index=True)
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    failures: Mapped[int]
    """Tries since the last sign-in, each counted before its password is looked at."""
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class WelcomeLink(Base):
    """A one-time link with which somebody chooses a password. Without ``staff_id`` it makes the
    first organiser."""

    __tablename__ = "welcome_links"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_members.id"))
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    wrong_codes: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often the second factor was wrong with it: a link is not for guessing codes."""


class Pairing(Base):
    """A code that makes one telephone a door device of one event, once."""

    __tablename__ = "pairings"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    made_by_staff_id: Mapped[int] = mapped_column(ForeignKey("staff_members.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
