"""Staff: accounts, passwords, one-time links, and what each role may do, in one table."""

import secrets
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from eventreg.core import audit, tokens
from eventreg.core.audit import Action, Actor
from eventreg.core.errors import FieldRefused, LinkSpent, SignInFailed, StaffUnknown, UsernameTaken
from eventreg.core.staff_models import Role, StaffMember, StaffSession, WelcomeLink


class Permission(StrEnum):
    """One thing that a staff page lets somebody do."""

    STAFF_HOME = "staff-home"
    SEE_EVENT = "see-event"
    SEE_ATTENDEES = "see-attendees"
    REGISTER = "register"
    CORRECT = "correct"
    PRINT_LIST = "print-list"
    CHECK_IN = "check-in"


ALLOWED: dict[Role, frozenset[Permission]] = {
    Role.DOOR: frozenset({Permission.STAFF_HOME, Permission.CHECK_IN}),
    Role.DESK: frozenset(
        {
            Permission.STAFF_HOME,
            Permission.SEE_EVENT,
            Permission.SEE_ATTENDEES,
            Permission.REGISTER,
            Permission.CORRECT,
            Permission.PRINT_LIST,
            Permission.CHECK_IN,
        }
    ),
    Role.ORGANISER: frozenset(Permission),
}
"""What each role may do. A route names one of these permissions; whoever's role lacks it gets 403."""

SHORTEST, LONGEST = 15, 256
"""Bytes of a password (NIST SP 800-63B-4 asks for 15 where it is the only factor)."""
LINK_LIVES = timedelta(hours=24)
_USERNAME_LONGEST = 60

# OWASP's second recommendation for argon2id: 19 MiB, two passes, one lane; about 30 ms.
_hasher = PasswordHasher(memory_cost=19456, time_cost=2, parallelism=1)


@cache
def _hash_of_nobody() -> str:
    """Checked where the name is unknown, so that the time taken does not tell."""
    return _hasher.hash(secrets.token_hex(16))


def may(role: Role, permission: Permission) -> bool:
    """Whether that role may do that."""
    return permission in ALLOWED[role]


def _fold(username: str) -> str:
    return unicodedata.normalize("NFKC", username.strip()).casefold()


def _check_username(username: str) -> str:
    username = username.strip()
    if not username:
        raise FieldRefused("username", "username_missing")
    if len(username) > _USERNAME_LONGEST or not username.isprintable():
        raise FieldRefused("username", "username_wrong")
    return username


_RUNS = ("0123456789", "1234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")
_OURS = ("eventreg", "organiser", "organizer", "desk", "door", "password", "passwort", "lecture", "welcome", "qwerty")


def _is_guessable(password: str, username: str) -> bool:
    """What guessing programs try first: one short piece again and again, a run of keys, or our own words with digits."""
    folded = password.casefold()
    if any(folded == (folded[:size] * len(folded))[: len(folded)] for size in range(1, len(folded) // 2 + 1)):
        return True
    if any(folded in run * 30 or folded in run[::-1] * 30 for run in _RUNS):
        return True
    letters = "".join(c for c in folded if c.isalpha())
    return not letters or any(not letters.replace(word, "") for word in {*_OURS, _fold(username)} - {""})


def check_password(password: str, username: str = "") -> str:
    """The password itself if it may be one; else ``FieldRefused``. Exact: nothing is trimmed or changed."""
    size = len(password.encode("utf-8", "surrogatepass"))
    if size < SHORTEST:
        raise FieldRefused("password", "password_short", shortest=SHORTEST)
    if size > LONGEST:
        raise FieldRefused("password", "password_long", longest=LONGEST)
    if _is_guessable(password, username):
        raise FieldRefused("password", "password_guessable")
    return password


def _hash(password: str) -> str:
    return _hasher.hash(password.encode("utf-8", "surrogatepass"))


def any_organiser(session: Session) -> bool:
    """Whether somebody can sign in as organiser."""
    able = (
        StaffMember.role == Role.ORGANISER, StaffMember.disabled_at.is_(None), StaffMember.password_hash.is_not(None)
    )  # fmt: skip
    return session.scalar(select(StaffMember.id).where(*able).limit(1)) is not None


def _named(session: Session, username: str) -> StaffMember | None:
    return session.scalar(select(StaffMember).where(StaffMember.username_folded == _fold(username)))


def find(session: Session, username: str) -> StaffMember:
    """The account of that name, or ``StaffUnknown``."""
    member = _named(session, username)
    if member is None:
        raise StaffUnknown(username)
    return member


def all_members(session: Session) -> Sequence[StaffMember]:
    """Every account, by name."""
    return session.scalars(select(StaffMember).order_by(StaffMember.username_folded)).all()


def add(session: Session, username: str, role: Role, *, by: Actor, now: datetime) -> StaffMember:
    """A new account, which waits for its password."""
    username = _check_username(username)
    if _named(session, username) is not None:
        raise UsernameTaken(username)
    member = StaffMember(
        username=username, username_folded=_fold(username), role=role, password_hash=None, created_at=now
    )
    session.add(member)
    session.flush()
    audit.record(session, Action.STAFF_ADDED, by, now=now, staff=member.id, role=role)
    return member


def set_password(session: Session, member: StaffMember, password: str, *, by: Actor, now: datetime) -> None:
    """A new password; every session of the account ends."""
    member.password_hash = _hash(check_password(password, member.username))
    end_sessions(session, member)
    audit.record(session, Action.PASSWORD_SET, by, now=now, staff=member.id)


def disable(session: Session, member: StaffMember, *, by: Actor, now: datetime) -> None:
    """Lock the account; every session of it ends, and its links are spent."""
    member.disabled_at = now
    end_sessions(session, member)
    session.execute(delete(WelcomeLink).where(WelcomeLink.staff_id == member.id))
    audit.record(session, Action.STAFF_DISABLED, by, now=now, staff=member.id)


def end_sessions(session: Session, member: StaffMember) -> None:
    """Sign the account out everywhere."""
    session.execute(delete(StaffSession).where(StaffSession.staff_id == member.id))


def verify(session: Session, username: str, password: str) -> StaffMember:
    """The account that name and password open, or ``SignInFailed`` after the same time whatever was wrong."""
    member = _named(session, username)
    stored = member.password_hash if member else None
    try:
        _hasher.verify(stored or _hash_of_nobody(), password.encode("utf-8", "surrogatepass")[: LONGEST + 1])
    except (VerificationError, InvalidHashError) as wrong:
        raise SignInFailed from wrong
    if member is None or stored is None or member.disabled_at is not None:
        raise SignInFailed
    return member


def make_link(session: Session, member: StaffMember | None, *, by: Actor, now: datetime) -> str:
    """A token for ``/staff/welcome/``, good once and for a day; earlier ones of the account are spent.

    Without an account it is the link that makes the first organiser.
    """
    token = tokens.new()
    whose = WelcomeLink.staff_id.is_(None) if member is None else WelcomeLink.staff_id == member.id
    session.execute(delete(WelcomeLink).where(whose))
    session.add(
        WelcomeLink(
            staff_id=member.id if member else None, token_digest=tokens.digest(token), expires_at=now + LINK_LIVES
        )
    )
    audit.record(session, Action.STAFF_LINK_MADE, by, now=now, staff=member.id if member else None)
    return token


def first_link(session: Session, *, now: datetime) -> str | None:
    """The link for the first organiser, once: ``None`` where a link was made or an account exists."""
    known = select(func.count()).select_from(StaffMember).scalar_subquery()
    made = select(func.count()).select_from(WelcomeLink).scalar_subquery()
    if session.execute(select(known + made)).scalar_one():
        return None
    return make_link(session, None, by=audit.SYSTEM, now=now)


def link_owner(session: Session, token: str, *, now: datetime) -> StaffMember | None:
    """Whose link it is, ``None`` for the first organiser's; ``LinkSpent`` if it opens nothing (any more)."""
    link = _usable(session, token, now)
    return session.get(StaffMember, link.staff_id) if link.staff_id else None


def _usable(session: Session, token: str, now: datetime) -> WelcomeLink:
    link = session.scalar(select(WelcomeLink).where(WelcomeLink.token_digest == tokens.digest(token)).with_for_update())
    if link is None or link.used_at is not None or now >= link.expires_at:
        raise LinkSpent
    if link.staff_id is None and any_organiser(session):
        raise LinkSpent
    return link


def use_link(session: Session, token: str, username: str, password: str, *, now: datetime) -> StaffMember:
    """Choose the password (and, as first organiser, the name) with a one-time link."""
    link = _usable(session, token, now)
    member = session.get(StaffMember, link.staff_id) if link.staff_id else None
    if member is None:
        member = add(session, username, Role.ORGANISER, by=audit.SYSTEM, now=now)
    set_password(session, member, password, by=Actor("staff", member.id), now=now)
    link.used_at = now
    return member
