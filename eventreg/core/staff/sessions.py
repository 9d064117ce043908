"""Signed-in browsers. Each is a row; signing out, disabling and a new password delete it, and
nothing else is believed.

Each row knows the moment of its end. Use moves it forward while the session lasts. Once it is past,
nothing does: a session that has ended stays ended, whatever day comes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
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
    has_note: bool = False
    """Whether something waits that is to be shown once."""
    factor_reset_at: datetime | None = None
    """When somebody else turned this account's second factor off, if its owner has not read so
    yet."""


def open_for(
    session: Session,
    member: StaffMember,
    *,
    now: datetime,
    device: str = "",
    until: datetime | None = None,
) -> str:
    """A new session; returns the token for the cookie. The account's oldest go where it has too
    many. ``until``: it ends then, and not by being idle."""
    token = tokens.new()
    drop_ended(session, now=now)
    session.add(
        StaffSession(
            staff_id=member.id,
            token_digest=tokens.digest(token),
            created_at=now,
            seen_at=now,
            device=device[:40],
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
    """When a session ends that was opened then and is used now."""
    return _carried(session, min(used_at + IDLE[role], created_at + ABSOLUTE))


def _carried(session: Session, end: datetime) -> datetime:
    """That end, or a later one: whoever is signed in when the day of an event begins, stays so
    until the event ends."""
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


def carry(session: Session, *, now: datetime) -> None:
    """An event was put on or moved: whoever is signed in now stays so until the end of its day."""
    people = select(StaffMember.id).where(StaffMember.event_id.is_(None))
    lasting = select(StaffSession).where(
        StaffSession.expires_at > now, StaffSession.staff_id.in_(people)
    )
    for browser in session.scalars(lasting.order_by(StaffSession.id).with_for_update()):
        if browser.expires_at is not None:
            browser.expires_at = _carried(session, browser.expires_at)


def find(session: Session, token: str, *, now: datetime) -> SignedIn | None:
    """Who holds this token, if the session still stands."""
    row = _of_token(session, token)
    if row is None:
        return None
    browser, member = row
    role = Role(member.role)
    if member.disabled_at is not None or now >= _end_of(session, browser, role):
        return None
    actor = Actor("staff", member.id, member.username, role)
    unseen = now - browser.seen_at >= _SEEN_EVERY
    has_note, reset_at = browser.note is not None, member.factor_reset_at
    return SignedIn(
        actor, browser.id, role, unseen, member.event_id, browser.proved_at, has_note, reset_at
    )


def _of_token(session: Session, token: str) -> tuple[StaffSession, StaffMember] | None:
    theirs = StaffSession.token_digest == tokens.digest(token)
    row = session.execute(select(StaffSession, StaffMember).join(StaffMember).where(theirs)).first()
    return (row[0], row[1]) if row else None


def _end_of(session: Session, browser: StaffSession, role: Role) -> datetime:
    return browser.expires_at or _end(session, role, browser.created_at, browser.seen_at)


def has_ended(session: Session, token: str, *, now: datetime) -> bool:
    """Whether this token's session has run out and its row still lies about."""
    row = _of_token(session, token)
    return row is not None and now >= _end_of(session, row[0], Role(row[1].role))


def drop_ended(session: Session, *, now: datetime) -> None:
    """Delete what has ended. Nobody can be signed in by it any more, with whatever clock, event or
    copy of the cookie."""
    maybe = or_(StaffSession.expires_at <= now, StaffSession.expires_at.is_(None))
    found = session.execute(
        select(StaffSession, StaffMember.role).join(StaffMember).where(maybe)
    ).all()
    over = [browser.id for browser, role in found if now >= _end_of(session, browser, Role(role))]
    session.execute(delete(StaffSession).where(StaffSession.id.in_(over)))


def end_all(session: Session) -> None:
    """Sign everybody out, paired telephones too, and spend every one-time link. For a database that
    was brought back: it does not know who has signed out since, or which links were used."""
    for kind in (StaffSession, WelcomeLink, KnownBrowser):
        session.execute(delete(kind))


def prove(session: Session, session_id: int, *, now: datetime) -> None:
    """Write down that the password was given once more."""
    session.execute(update(StaffSession).where(StaffSession.id == session_id).values(proved_at=now))


def of_account(session: Session, staff_id: int, *, now: datetime) -> Sequence[StaffSession]:
    """The browsers in which an account is signed in, the latest seen first."""
    lasts = or_(StaffSession.expires_at > now, StaffSession.expires_at.is_(None))
    rows = select(StaffSession).where(StaffSession.staff_id == staff_id, lasts)
    return session.scalars(rows.order_by(StaffSession.seen_at.desc(), StaffSession.id.desc())).all()


def end(session: Session, signed_in: SignedIn, session_id: int, *, now: datetime) -> None:
    """Sign one of one's own browsers out; an id of somebody else's ends nothing."""
    own = (StaffSession.id == session_id, StaffSession.staff_id == signed_in.actor.staff_id)
    if session.execute(delete(StaffSession).where(*own).returning(StaffSession.id)).first():
        audit.record(session, Action.SIGNED_OUT, signed_in.actor, now=now)


def seen(session: Session, session_id: int, *, now: datetime) -> None:
    """Write down that the session is in use, which moves its end. One that has ended stays as it
    is."""
    browser = session.get(StaffSession, session_id, with_for_update=True)
    member = session.get(StaffMember, browser.staff_id) if browser else None
    if (
        browser is None
        or member is None
        or now >= (end := _end_of(session, browser, Role(member.role)))
    ):
        return
    browser.seen_at = now
    if member.event_id is None:
        browser.expires_at = max(end, _end(session, Role(member.role), browser.created_at, now))


def close(session: Session, signed_in: SignedIn, *, now: datetime) -> None:
    """Sign out: the row goes, so the cookie is worth nothing, wherever it was copied to."""
    session.execute(delete(StaffSession).where(StaffSession.id == signed_in.session_id))
    audit.record(session, Action.SIGNED_OUT, signed_in.actor, now=now)
