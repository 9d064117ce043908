"""Signed-in browsers. Each is a row; signing out, disabling and a new password delete it, and nothing else is believed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from eventreg.core import audit, events, tokens
from eventreg.core.audit import Action, Actor
from eventreg.core.staff_models import Role, StaffMember, StaffSession

MOST_PER_ACCOUNT = 5
IDLE = {Role.ORGANISER: timedelta(hours=2), Role.DESK: timedelta(hours=2), Role.DOOR: timedelta(hours=4)}
ABSOLUTE = timedelta(hours=14)
_SEEN_EVERY = timedelta(minutes=1)
"""How often a session in use is written down: not with every page, each write costs a disk sync."""


@dataclass(frozen=True)
class SignedIn:
    """Who is signed in, and whether it is time to write down that they were seen."""

    actor: Actor
    session_id: int
    role: Role
    unseen: bool
    event_id: int | None = None
    """A paired telephone is let into this event only."""
    proved_at: datetime | None = None
    """When the password was given last; a paired telephone has none."""


def open_for(
    session: Session, member: StaffMember, *, now: datetime, device: str = "", until: datetime | None = None
) -> str:
    """A new session; returns the token for the cookie. The account's oldest go where it has too many. ``until``: it ends
    then, and not by being idle."""
    token = tokens.new()
    session.add(
        StaffSession(
            staff_id=member.id, token_digest=tokens.digest(token), created_at=now, seen_at=now, device=device[:40],
            proved_at=None if until else now, expires_at=until,
        )
    )  # fmt: skip
    session.flush()
    newest_first = select(StaffSession.id).where(StaffSession.staff_id == member.id).order_by(StaffSession.id.desc())
    surplus = session.scalars(newest_first.offset(MOST_PER_ACCOUNT)).all()
    session.execute(delete(StaffSession).where(StaffSession.id.in_(surplus)))
    audit.record(session, Action.SIGNED_IN, Actor("staff", member.id), now=now)
    return token


def _is_day_of_an_event(session: Session, now: datetime) -> bool:
    """On the day of an event nobody is signed out before it ends."""
    for event in events.all_events(session):
        zone = events.zone(event)
        if now.astimezone(zone).date() == event.starts_at.astimezone(zone).date() and now < event.ends_at:
            return True
    return False


def find(session: Session, token: str, *, now: datetime) -> SignedIn | None:
    """Who holds this token, if the session still stands."""
    row = session.execute(
        select(StaffSession, StaffMember)
        .join(StaffMember)
        .where(StaffSession.token_digest == tokens.digest(token), StaffMember.disabled_at.is_(None))
    ).first()
    if row is None:
        return None
    browser, member = row
    role = Role(member.role)
    if _has_expired(session, browser, role, now):
        return None
    actor = Actor("staff", member.id, member.username, role)
    unseen = now - browser.seen_at >= _SEEN_EVERY
    return SignedIn(actor, browser.id, role, unseen, member.event_id, browser.proved_at)


def _has_expired(session: Session, browser: StaffSession, role: Role, now: datetime) -> bool:
    if browser.expires_at is not None:
        return now >= browser.expires_at
    expired = now - browser.seen_at >= IDLE[role] or now - browser.created_at >= ABSOLUTE
    return expired and not _is_day_of_an_event(session, now)


def prove(session: Session, session_id: int, *, now: datetime) -> None:
    """Write down that the password was given once more."""
    session.execute(update(StaffSession).where(StaffSession.id == session_id).values(proved_at=now))


def of_account(session: Session, staff_id: int) -> Sequence[StaffSession]:
    """The browsers in which an account is signed in, the latest seen first."""
    rows = select(StaffSession).where(StaffSession.staff_id == staff_id)
    return session.scalars(rows.order_by(StaffSession.seen_at.desc(), StaffSession.id.desc())).all()


def end(session: Session, signed_in: SignedIn, session_id: int, *, now: datetime) -> None:
    """Sign one of one's own browsers out; an id of somebody else's ends nothing."""
    own = (StaffSession.id == session_id, StaffSession.staff_id == signed_in.actor.staff_id)
    if session.execute(delete(StaffSession).where(*own).returning(StaffSession.id)).first():
        audit.record(session, Action.SIGNED_OUT, signed_in.actor, now=now)


def seen(session: Session, session_id: int, *, now: datetime) -> None:
    """Write down that the session is in use."""
    browser = session.get(StaffSession, session_id)
    if browser is not None:
        browser.seen_at = now


def close(session: Session, signed_in: SignedIn, *, now: datetime) -> None:
    """Sign out: the row goes, so the cookie is worth nothing, wherever it was copied to."""
    session.execute(delete(StaffSession).where(StaffSession.id == signed_in.session_id))
    audit.record(session, Action.SIGNED_OUT, signed_in.actor, now=now)
