"""Sessions of signed-in browsers: open, find, extend and end them.

Each session is a row. It is deleted by signing out, and if the account is disabled or gets a new
password, another role or its second factor reset. The row stores when the session ends. Using the
session moves the end forward; that of a paired telephone moves with its event. A session that has
ended stays ended.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, delete, or_, select, update
from sqlalchemy.orm import Session

from eventreg.core import audit, driver
from eventreg.core.audit import Action, Actor
from eventreg.core.event import events
from eventreg.core.models.event import Event
from eventreg.core.models.staff import KnownBrowser, Role, StaffMember, StaffSession, WelcomeLink
from eventreg.core.values import tokens

MOST_PER_ACCOUNT = 5
IDLE = {
    Role.ORGANISER: timedelta(hours=2),
    Role.DESK: timedelta(hours=2),
    Role.DOOR: timedelta(hours=4),
}
ABSOLUTE = timedelta(hours=14)
PAIRED_AFTER_EVENT = timedelta(hours=12)
"""How long a paired telephone stays signed in after the end of its event."""
_SEEN_EVERY = timedelta(minutes=1)
"""How often the use of a session is stored: not with every page, as a write costs a disk sync."""


@dataclass(frozen=True)
class SignedIn:
    """Who is signed in, in which session."""

    actor: Actor
    session_id: int
    role: Role
    unseen: bool
    """Whether it is time for ``mark_seen``."""
    event_id: int | None = None
    """The only event that a paired telephone may enter."""
    proved_at: datetime | None = None
    """When the password was last given; ``None`` for a paired telephone."""
    has_note: bool = False
    """Whether there is a note to be shown once (``session_notes``)."""
    factor_reset_at: datetime | None = None
    """When somebody else turned off the second factor, until the owner has read it."""
    door_device: str | None = None
    """The door device that uses the session, if it is known."""


def open_for(
    session: Session,
    member: StaffMember,
    *,
    now: datetime,
    device: str = "",
    until: datetime | None = None,
    door_device: str | None = None,
) -> str:
    """Open a session; returns the token for the cookie.

    An account has at most five sessions: the oldest end. With ``until``, for a paired telephone,
    the session ends then, not earlier by being idle, and counts as opened without a password.
    """
    token = tokens.new()
    drop_ended(session, now=now)
    session.add(
        StaffSession(
            staff_id=member.id,
            token_digest=tokens.digest(token),
            created_at=now,
            seen_at=now,
            device=device[:40],
            door_device=door_device,
            proved_at=None if until else now,
            expires_at=until or _end(session, Role(member.role), now, now),
        )
    )
    session.flush()
    newest_first = (
        select(StaffSession.id)
        .where(StaffSession.staff_id == member.id)
        .order_by(StaffSession.id.desc())
    )
    surplus = session.scalars(newest_first.offset(MOST_PER_ACCOUNT)).all()
    session.execute(delete(StaffSession).where(StaffSession.id.in_(surplus)))
    audit.record(session, Action.SIGNED_IN, Actor("staff", member.id), now=now)
    return token


def _end(session: Session, role: Role, created_at: datetime, used_at: datetime) -> datetime:
    """The end of a session that was opened at ``created_at`` and used at ``used_at``."""
    return _extended(session, min(used_at + IDLE[role], created_at + ABSOLUTE))


def _extended(session: Session, end: datetime) -> datetime:
    """``end``, or the end of an event if its day begins before ``end``.

    So staff who are signed in when the day of an event begins stay signed in until it ends.
    """
    coming = session.execute(
        select(Event.starts_at, Event.ends_at, Event.timezone).where(Event.ends_at > end)
    )
    days = sorted(
        (_midnight_before(starts_at, ZoneInfo(zone)), ends_at)
        for starts_at, ends_at, zone in coming
    )
    for begins, ends in days:
        if begins < end < ends:
            end = ends
    return end


def _midnight_before(moment: datetime, zone: ZoneInfo) -> datetime:
    return (
        moment.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    )


def paired_until(event: Event) -> datetime:
    """When the session of a telephone that is paired with this event ends."""
    return events.later(event.ends_at, PAIRED_AFTER_EVENT)


def extend_for_events(session: Session, *, now: datetime) -> None:
    """Extend each current session that would end on the day of an event to the end of that event,
    after an event was added or moved. The sessions of paired telephones follow their event.
    """
    paired = (
        select(StaffSession, Event)
        .join(StaffMember, StaffMember.id == StaffSession.staff_id)
        .join(Event, Event.id == StaffMember.event_id)
        .where(StaffSession.expires_at > now)
    )
    locked = paired.order_by(StaffSession.id).with_for_update(of=StaffSession)
    for telephone, event in session.execute(locked):
        telephone.expires_at = paired_until(event)
    people = select(StaffMember.id).where(StaffMember.event_id.is_(None))
    lasting = select(StaffSession).where(
        StaffSession.expires_at > now, StaffSession.staff_id.in_(people)
    )
    for browser in session.scalars(lasting.order_by(StaffSession.id).with_for_update()):
        if browser.expires_at is not None:
            browser.expires_at = _extended(session, browser.expires_at)


def find(session: Session, token: str, *, now: datetime) -> SignedIn | None:
    """Who is signed in with this token; ``None`` if the session is unknown or has ended, or if the
    account is disabled."""
    found = _of_token(session, token)
    if found is None:
        return None
    role = Role(found.role)
    if found.disabled_at is not None or now >= _end_of(session, found, role):
        return None
    return SignedIn(
        Actor("staff", found.staff_id, found.username, role),
        found.id,
        role,
        now - found.seen_at >= _SEEN_EVERY,
        found.event_id,
        found.proved_at,
        found.note is not None,
        found.factor_reset_at,
        found.door_device,
    )


class _Found(NamedTuple):
    """A session and its account."""

    id: int
    created_at: datetime
    seen_at: datetime
    expires_at: datetime | None
    proved_at: datetime | None
    note: str | None
    door_device: str | None
    staff_id: int
    username: str
    role: str
    disabled_at: datetime | None
    event_id: int | None
    factor_reset_at: datetime | None


_digested = (
    select(
        StaffSession.id,
        StaffSession.created_at,
        StaffSession.seen_at,
        StaffSession.expires_at,
        StaffSession.proved_at,
        StaffSession.note,
        StaffSession.door_device,
        StaffMember.id,
        StaffMember.username,
        StaffMember.role,
        StaffMember.disabled_at,
        StaffMember.event_id,
        StaffMember.factor_reset_at,
    )
    .join(StaffMember, StaffMember.id == StaffSession.staff_id)
    .where(StaffSession.token_digest == bindparam("digest"))
)


def _of_token(session: Session, token: str) -> _Found | None:
    rows = driver.within(session, _digested, digest=tokens.digest(token))
    return _Found._make(rows[0]) if rows else None


def _end_of(session: Session, browser: StaffSession | _Found, role: Role) -> datetime:
    return browser.expires_at or _end(session, role, browser.created_at, browser.seen_at)


def has_ended(session: Session, token: str, *, now: datetime) -> bool:
    """Whether the session of this token has ended and its row is not deleted yet."""
    found = _of_token(session, token)
    if found is None:
        return False
    return now >= _end_of(session, found, Role(found.role))


def drop_ended(session: Session, *, now: datetime) -> None:
    """Delete the sessions that have ended, so that a changed clock or event revives none."""
    maybe_ended = or_(StaffSession.expires_at <= now, StaffSession.expires_at.is_(None))
    found = session.execute(
        select(StaffSession, StaffMember.role).join(StaffMember).where(maybe_ended)
    ).all()
    ended = [browser.id for browser, role in found if now >= _end_of(session, browser, Role(role))]
    session.execute(delete(StaffSession).where(StaffSession.id.in_(ended)))


def end_all(session: Session) -> None:
    """End all sessions and delete all one-time links and known browsers, after a restore.

    A restored database does not know who signed out since, or which links were used.
    """
    for table in (StaffSession, WelcomeLink, KnownBrowser):
        session.execute(delete(table))


def mark_proved(session: Session, session_id: int, *, now: datetime) -> None:
    """Record that the password was given again in this session."""
    session.execute(update(StaffSession).where(StaffSession.id == session_id).values(proved_at=now))


def of_account(session: Session, staff_id: int, *, now: datetime) -> Sequence[StaffSession]:
    """The current sessions of an account, the last used first."""
    not_ended = or_(StaffSession.expires_at > now, StaffSession.expires_at.is_(None))
    rows = select(StaffSession).where(StaffSession.staff_id == staff_id, not_ended)
    return session.scalars(rows.order_by(StaffSession.seen_at.desc(), StaffSession.id.desc())).all()


def end_own(session: Session, signed_in: SignedIn, session_id: int, *, now: datetime) -> None:
    """End a session of the signed-in account. Does nothing if it belongs to somebody else."""
    own = (StaffSession.id == session_id, StaffSession.staff_id == signed_in.actor.staff_id)
    if session.execute(delete(StaffSession).where(*own).returning(StaffSession.id)).first():
        audit.record(session, Action.SIGNED_OUT, signed_in.actor, now=now)


def mark_seen(session: Session, session_id: int, *, now: datetime) -> None:
    """Record that the session is in use, which moves its end, except on a paired telephone. Does
    nothing if it has ended."""
    browser = session.get(StaffSession, session_id, with_for_update=True)
    member = session.get(StaffMember, browser.staff_id) if browser else None
    if browser is None or member is None:
        return
    end = _end_of(session, browser, Role(member.role))
    if now >= end:
        return
    browser.seen_at = now
    if member.event_id is None:
        browser.expires_at = max(end, _end(session, Role(member.role), browser.created_at, now))


def sign_out(session: Session, signed_in: SignedIn, *, now: datetime) -> None:
    """Sign out: delete the session's row, so that a copied cookie is worthless too."""
    session.execute(delete(StaffSession).where(StaffSession.id == signed_in.session_id))
    audit.record(session, Action.SIGNED_OUT, signed_in.actor, now=now)
