"""Signing in: name, password and, for an account that has a second factor, its code. All together,
with one answer."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from eventreg.core.errors import CodeWrong, SignInFailed
from eventreg.core.models.staff import StaffMember
from eventreg.core.staff import accounts, second_factor

_NOBODYS_SECRET = "A" * 32
"""Compared with where there is no second factor to look at, so that the time taken does not
tell."""


@dataclass(frozen=True)
class Opened:
    """An account whose password, and code if it has a second factor, were right a moment ago."""

    staff_id: int
    password_hash: str | None


def look(session: Session, username: str, password: str, code: str, *, now: datetime) -> Opened:
    """The account that these open together; ``SignInFailed`` otherwise, which does not say what was
    wrong.

    Changes nothing, and takes the same time whatever was wrong. ``use`` is what uses the code up.
    """
    try:
        member = accounts.verify(session, username, password)
    except SignInFailed:
        _fits(None, code, now)
        raise
    fits = _fits(member, code, now)
    if member.totp_secret is not None and not fits:
        raise SignInFailed
    return Opened(member.id, member.password_hash)


def _fits(member: StaffMember | None, code: str, now: datetime) -> bool:
    """Whether the code is right now. Looked up in a copy: a code that is right beside a wrong
    password is not used up."""
    copy = StaffMember(totp_secret=_NOBODYS_SECRET)
    if member is not None and member.totp_secret is not None:
        copy = StaffMember(
            totp_secret=member.totp_secret,
            totp_step=member.totp_step,
            recovery_digests=member.recovery_digests,
        )
    try:
        second_factor.check(copy, code, now=now)
    except CodeWrong:
        return False
    return True


def use(session: Session, opened: Opened, code: str, *, now: datetime) -> StaffMember:
    """The account again, inside the transaction that opens its session, with the code used up.

    ``SignInFailed`` if the account was locked or got another password meanwhile, or if this code
    has just been used.
    """
    member = session.get(StaffMember, opened.staff_id, with_for_update=True, populate_existing=True)
    if member is None or member.disabled_at is not None:
        raise SignInFailed
    if member.password_hash != opened.password_hash:
        raise SignInFailed
    if member.totp_secret is not None:
        try:
            second_factor.check(member, code, now=now)
        except CodeWrong as wrong:
            raise SignInFailed from wrong
    return member
