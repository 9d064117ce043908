"""Staff accounts: add, change, disable and enable them, set passwords, make one-time links."""

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


_CAN_SIGN_IN_AS_ORGANISER = (
    StaffMember.role == Role.ORGANISER,
    StaffMember.disabled_at.is_(None),
    StaffMember.password_hash.is_not(None),
)


def has_organiser(session: Session, *, besides: StaffMember | None = None) -> bool:
    """Whether an organiser other than ``besides`` has an enabled account with a password."""
    organisers = select(StaffMember.id).where(*_CAN_SIGN_IN_AS_ORGANISER)
    if besides is not None:
        organisers = organisers.where(StaffMember.id != besides.id)
    return session.scalar(organisers.limit(1)) is not None


def _find(session: Session, username: str) -> StaffMember | None:
    return session.scalar(
        select(StaffMember).where(StaffMember.username_folded == usernames.fold(username))
    )


def by_name(session: Session, username: str) -> StaffMember:
    """The account with this user name. Raises ``StaffUnknown`` if there is none."""
    member = _find(session, username)
    if member is None:
        raise StaffUnknown(username)
    return member


def by_id(session: Session, staff_id: int) -> StaffMember:
    """The account with this id. Raises ``StaffUnknown`` if there is none."""
    member = session.get(StaffMember, staff_id)
    if member is None:
        raise StaffUnknown(str(staff_id))
    return member


def change_role(
    session: Session, member: StaffMember, role: Role, *, by: Actor, now: datetime
) -> None:
    """Give the account another role and end its sessions. Does nothing if the role is the same.

    Raises ``LastOrganiser`` if it is an organiser's and no other organiser can sign in.
    """
    if member.role == role:
        return
    _require_other_organiser(session, member)
    member.role = role
    end_sessions(session, member)
    audit.record(session, Action.ROLE_CHANGED, by, now=now, staff=member.id, role=role)


def _require_other_organiser(session: Session, member: StaffMember) -> None:
    if member.role == Role.ORGANISER and not has_organiser(session, besides=member):
        raise LastOrganiser


def disable(session: Session, member: StaffMember, *, by: Actor, now: datetime) -> None:
    """Disable an account. Raises ``LastOrganiser`` if it is an organiser's and no other organiser
    can sign in.

    Ends its sessions, and deletes its one-time links and its known browsers (see
    ``known_browsers``).
    """
    _require_other_organiser(session, member)
    force_disable(session, member, by=by, now=now)


def force_disable(session: Session, member: StaffMember, *, by: Actor, now: datetime) -> None:
    """Disable an account as ``disable`` does, even if it is the last organiser's. Only the command
    line uses it directly."""
    member.disabled_at = now
    end_sessions(session, member)
    known_browsers.forget_all(session, member)
    session.execute(delete(WelcomeLink).where(WelcomeLink.staff_id == member.id))
    audit.record(session, Action.STAFF_DISABLED, by, now=now, staff=member.id)


def enable(session: Session, member: StaffMember, *, by: Actor, now: datetime) -> None:
    """Enable a disabled account again, with the password and second factor that it had. Does
    nothing if it is not disabled."""
    if member.disabled_at is None:
        return
    member.disabled_at = None
    audit.record(session, Action.STAFF_ENABLED, by, now=now, staff=member.id)


def all_members(session: Session) -> Sequence[StaffMember]:
    """The accounts of people, including disabled ones, sorted by name. Accounts of paired
    telephones are left out."""
    people = select(StaffMember).where(StaffMember.event_id.is_(None))
    return session.scalars(people.order_by(StaffMember.username_folded)).all()


def add(session: Session, username: str, role: Role, *, by: Actor, now: datetime) -> StaffMember:
    """Add an account without a password. Raises ``FieldRefused`` if the name is not valid, and
    ``UsernameTaken`` if it is in use, also by a disabled account."""
    username = usernames.check(username)
    if _find(session, username) is not None:
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
    """Set a new password, end the account's sessions and delete its known browsers.

    Raises ``FieldRefused`` if the password is too short, too long or easy to guess.
    """
    member.password_hash = passwords.hashed(_check_password(session, member, password))
    end_sessions(session, member)
    known_browsers.forget_all(session, member)
    audit.record(session, Action.PASSWORD_SET, by, now=now, staff=member.id)


def _check_password(session: Session, member: StaffMember, password: str) -> str:
    return passwords.check(password, usernames.fold(member.username), *events.known_words(session))


def end_sessions(session: Session, member: StaffMember) -> None:
    """Sign the account out everywhere."""
    session.execute(delete(StaffSession).where(StaffSession.staff_id == member.id))


def verify(session: Session, username: str, password: str) -> StaffMember:
    """The account with this name and password. Raises ``SignInFailed`` if either is wrong or the
    account is disabled.

    It takes the same time whatever is wrong.
    """
    member = _find(session, username)
    stored = member.password_hash if member else None
    passwords.verify(password, stored)
    if member is None or member.disabled_at is not None:
        raise SignInFailed
    return member


def make_link(session: Session, member: StaffMember | None, *, by: Actor, now: datetime) -> str:
    """Make a one-time token for ``/staff/welcome/`` that expires after 24 hours. It replaces the
    member's earlier tokens.

    If ``member`` is ``None``, the link creates the first organiser, and replaces earlier such
    links.
    """
    token = tokens.new()
    same_owner = (
        WelcomeLink.staff_id.is_(None) if member is None else WelcomeLink.staff_id == member.id
    )
    session.execute(delete(WelcomeLink).where(same_owner))
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
    """Make the link for the first organiser. ``None`` if any account exists, or any link, even a
    used or expired one."""
    known = select(func.count()).select_from(StaffMember).scalar_subquery()
    made = select(func.count()).select_from(WelcomeLink).scalar_subquery()
    if session.execute(select(known + made)).scalar_one():
        return None
    return make_link(session, None, by=audit.SYSTEM, now=now)


def link_owner(session: Session, token: str, *, now: datetime) -> StaffMember | None:
    """The account that a link is for; ``None`` for the link of the first organiser.

    Raises ``LinkSpent`` if the link is unknown, used or expired, or if it is for the first
    organiser and an organiser can already sign in.
    """
    link = _require_usable_link(session, token, now)
    return session.get(StaffMember, link.staff_id) if link.staff_id else None


def _require_usable_link(session: Session, token: str, now: datetime) -> WelcomeLink:
    link = session.scalar(
        select(WelcomeLink)
        .where(WelcomeLink.token_digest == tokens.digest(token))
        .with_for_update()
    )
    if link is None or link.used_at is not None or now >= link.expires_at:
        raise LinkSpent
    if link.staff_id is None and has_organiser(session):
        raise LinkSpent
    return link


def use_link(
    session: Session, token: str, username: str, password: str, *, code: str = "", now: datetime
) -> StaffMember:
    """Set the password with a one-time link; the first organiser also chooses the name. Raises
    ``LinkSpent`` as ``link_owner`` does, and ``FieldRefused`` or ``UsernameTaken`` if the password
    or the name is refused.

    If the account has a second factor, its code is required as well, because the link may be
    stolen. A wrong code raises ``CodeWrong`` and changes nothing. The password is checked before
    the code, so that a refused password does not reveal whether the code was right.
    """
    link = _require_usable_link(session, token, now)
    member = (
        session.get(StaffMember, link.staff_id, with_for_update=True) if link.staff_id else None
    )
    if member is None:
        member = add(session, username, Role.ORGANISER, by=audit.SYSTEM, now=now)
    if member.totp_secret is not None:
        _check_password(session, member, password)
        second_factor.check(member, code, now=now)
    set_password(session, member, password, by=Actor("staff", member.id), now=now)
    link.used_at = now
    return member


def count_wrong_code(session: Session, token: str, *, now: datetime) -> None:
    """Count a wrong code for this link. The tenth makes the link unusable. Raises ``LinkSpent`` if
    it is so already."""
    link = _require_usable_link(session, token, now)
    link.wrong_codes += 1
    if link.wrong_codes >= _MOST_WRONG_CODES:
        link.used_at = now
