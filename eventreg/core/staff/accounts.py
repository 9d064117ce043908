"""Staff: accounts, passwords, one-time links, and what each role may do, in one table."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.errors import LastOrganiser, LinkSpent, SignInFailed, StaffUnknown, UsernameTaken
from eventreg.core.event import events
from eventreg.core.models.staff import Role, StaffMember, StaffSession, WelcomeLink
from eventreg.core.staff import known_browsers, passwords, second_factor
from eventreg.core.values import tokens, usernames

LINK_LIVES = timedelta(hours=24)
_MOST_WRONG_CODES = 10


def any_organiser(session: Session) -> bool:
    """Whether somebody can sign in as organiser."""
    able = (
        StaffMember.role == Role.ORGANISER,
        StaffMember.disabled_at.is_(None),
        StaffMember.password_hash.is_not(None),
    )
    return session.scalar(select(StaffMember.id).where(*able).limit(1)) is not None


def _named(session: Session, username: str) -> StaffMember | None:
    return session.scalar(
        select(StaffMember).where(StaffMember.username_folded == usernames.fold(username))
    )


def find(session: Session, username: str) -> StaffMember:
    """The account of that name, or ``StaffUnknown``."""
    member = _named(session, username)
    if member is None:
        raise StaffUnknown(username)
    return member


def get(session: Session, staff_id: int) -> StaffMember:
    """The account of that id, or ``StaffUnknown``."""
    member = session.get(StaffMember, staff_id)
    if member is None:
        raise StaffUnknown(str(staff_id))
    return member


def change_role(
    session: Session, member: StaffMember, role: Role, *, by: Actor, now: datetime
) -> None:
    """Another role, from the next request on; the account's sessions end. ``LastOrganiser`` where
    nobody would be left."""
    if member.role == role:
        return
    if member.role == Role.ORGANISER:
        _check_another(session, member)
    member.role = role
    end_sessions(session, member)
    audit.record(session, Action.ROLE_CHANGED, by, now=now, staff=member.id, role=role)


def _check_another(session: Session, member: StaffMember) -> None:
    able = (
        StaffMember.role == Role.ORGANISER,
        StaffMember.disabled_at.is_(None),
        StaffMember.password_hash.is_not(None),
        StaffMember.id != member.id,
    )
    if session.scalar(select(StaffMember.id).where(*able).limit(1)) is None:
        raise LastOrganiser


def lock(session: Session, member: StaffMember, *, by: Actor, now: datetime) -> None:
    """Disable an account from the pages; ``LastOrganiser`` where nobody would be left who can
    manage accounts."""
    if member.role == Role.ORGANISER:
        _check_another(session, member)
    disable(session, member, by=by, now=now)


def all_members(session: Session) -> Sequence[StaffMember]:
    """Every account of a person, by name; paired telephones are no people."""
    people = select(StaffMember).where(StaffMember.event_id.is_(None))
    return session.scalars(people.order_by(StaffMember.username_folded)).all()


def add(session: Session, username: str, role: Role, *, by: Actor, now: datetime) -> StaffMember:
    """A new account, which waits for its password."""
    username = usernames.check(username)
    if _named(session, username) is not None:
        raise UsernameTaken(username)
    member = StaffMember(
        username=username,
        username_folded=usernames.fold(username),
        role=role,
        password_hash=None,
        created_at=now,
    )
    session.add(member)
    session.flush()
    audit.record(session, Action.STAFF_ADDED, by, now=now, staff=member.id, role=role)
    return member


def set_password(
    session: Session, member: StaffMember, password: str, *, by: Actor, now: datetime
) -> None:
    """A new password; every session of the account ends, and no browser is known any more."""
    member.password_hash = passwords.hashed(_fit(session, member, password))
    end_sessions(session, member)
    known_browsers.forget_all(session, member)
    audit.record(session, Action.PASSWORD_SET, by, now=now, staff=member.id)


def _fit(session: Session, member: StaffMember, password: str) -> str:
    return passwords.check(password, usernames.fold(member.username), *events.known_words(session))


def disable(session: Session, member: StaffMember, *, by: Actor, now: datetime) -> None:
    """Lock the account; every session of it ends, its links are spent, and no browser is known any
    more."""
    member.disabled_at = now
    end_sessions(session, member)
    known_browsers.forget_all(session, member)
    session.execute(delete(WelcomeLink).where(WelcomeLink.staff_id == member.id))
    audit.record(session, Action.STAFF_DISABLED, by, now=now, staff=member.id)


def end_sessions(session: Session, member: StaffMember) -> None:
    """Sign the account out everywhere."""
    session.execute(delete(StaffSession).where(StaffSession.staff_id == member.id))


def verify(session: Session, username: str, password: str) -> StaffMember:
    """The account that name and password open, or ``SignInFailed`` after the same time whatever was
    wrong."""
    member = _named(session, username)
    stored = member.password_hash if member else None
    passwords.verify(password, stored)
    if member is None or member.disabled_at is not None:
        raise SignInFailed
    return member


def make_link(session: Session, member: StaffMember | None, *, by: Actor, now: datetime) -> str:
    """A token for ``/staff/welcome/``, good once and for a day; earlier ones of the account are
    spent.

    Without an account it is the link that makes the first organiser.
    """
    token = tokens.new()
    whose = WelcomeLink.staff_id.is_(None) if member is None else WelcomeLink.staff_id == member.id
    session.execute(delete(WelcomeLink).where(whose))
    session.add(
        WelcomeLink(
            staff_id=member.id if member else None,
            token_digest=tokens.digest(token),
            expires_at=now + LINK_LIVES,
        )
    )
    audit.record(session, Action.STAFF_LINK_MADE, by, now=now, staff=member.id if member else None)
    return token


def first_link(session: Session, *, now: datetime) -> str | None:
    """The link for the first organiser, once: ``None`` where a link was made or an account
    exists."""
    known = select(func.count()).select_from(StaffMember).scalar_subquery()
    made = select(func.count()).select_from(WelcomeLink).scalar_subquery()
    if session.execute(select(known + made)).scalar_one():
        return None
    return make_link(session, None, by=audit.SYSTEM, now=now)


def link_owner(session: Session, token: str, *, now: datetime) -> StaffMember | None:
    """Whose link it is, ``None`` for the first organiser's; ``LinkSpent`` if it opens nothing (any
    more)."""
    link = _usable(session, token, now)
    return session.get(StaffMember, link.staff_id) if link.staff_id else None


def _usable(session: Session, token: str, now: datetime) -> WelcomeLink:
    link = session.scalar(
        select(WelcomeLink)
        .where(WelcomeLink.token_digest == tokens.digest(token))
        .with_for_update()
    )
    if link is None or link.used_at is not None or now >= link.expires_at:
        raise LinkSpent
    if link.staff_id is None and any_organiser(session):
        raise LinkSpent
    return link


def use_link(
    session: Session, token: str, username: str, password: str, *, code: str = "", now: datetime
) -> StaffMember:
    """Choose the password (and, as first organiser, the name) with a one-time link.

    A link may fall into other hands, so an account with a second factor wants its code too:
    ``CodeWrong``, and nothing has changed. A password that cannot be is refused first, before the
    code is looked at.
    """
    link = _usable(session, token, now)
    member = (
        session.get(StaffMember, link.staff_id, with_for_update=True) if link.staff_id else None
    )
    if member is None:
        member = add(session, username, Role.ORGANISER, by=audit.SYSTEM, now=now)
    if member.totp_secret is not None:
        _fit(session, member, password)
        second_factor.check(member, code, now=now)
    set_password(session, member, password, by=Actor("staff", member.id), now=now)
    link.used_at = now
    return member


def count_wrong_code(session: Session, token: str, *, now: datetime) -> None:
    """Somebody gave a wrong code with this link. After ten it opens nothing any more: it is not for
    guessing."""
    link = _usable(session, token, now)
    link.wrong_codes += 1
    if link.wrong_codes >= _MOST_WRONG_CODES:
        link.used_at = now
