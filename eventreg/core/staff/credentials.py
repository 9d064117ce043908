"""Changing what opens an account. A signed-in browser is not enough for that: it may have been left
open, or its cookie copied. Whoever changes password or second factor gives the password once more,
and with a second factor a code too.

Both are judged together, and one answer is given: it does not tell which of them was wrong.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.errors import CodeWrong, FactorOff, ProofWrong, SignInFailed
from eventreg.core.models.staff import StaffMember
from eventreg.core.staff import accounts, passwords, second_factor


def checked_hash(member: StaffMember, password: str) -> str | None:
    """The stored hash that ``password`` fits; ``None`` where it does not. It takes time, so it
    belongs before the transaction; ``proved`` sees whether the hash is still the one that is
    stored."""
    try:
        passwords.verify(password, member.password_hash)
    except SignInFailed:
        return None
    return member.password_hash


def proved(
    session: Session, staff_id: int, fitting: str | None, code: str, *, now: datetime
) -> StaffMember:
    """The account whose password fitted and, where it has a second factor, whose code this is; else
    ``ProofWrong``. A recovery code does, too. The code is used up."""
    member = session.get(StaffMember, staff_id, with_for_update=True, populate_existing=True)
    if member is None or member.disabled_at is not None:
        raise ProofWrong
    try:
        if member.totp_secret is not None:
            second_factor.check(member, code, now=now)
    except CodeWrong as wrong:
        raise ProofWrong from wrong
    if fitting is None or fitting != member.password_hash:
        raise ProofWrong
    return member


def change_password(session: Session, member: StaffMember, password: str, *, now: datetime) -> None:
    """Another password for somebody who has proved to be ``member``; every session of the account
    ends."""
    accounts.set_password(session, member, password, by=Actor("staff", member.id), now=now)


def reset_factor(session: Session, member: StaffMember, *, by: Actor, now: datetime) -> None:
    """Turn somebody's second factor off: the telephone and the recovery codes are lost. The
    account's sessions end, and its owner is told at the next sign-in. ``FactorOff`` where there is
    none."""
    if member.totp_secret is None:
        raise FactorOff(member.username)
    second_factor.forget(member)
    member.factor_reset_at, member.factor_reset_by = now, by.staff_id
    accounts.end_sessions(session, member)
    audit.record(session, Action.FACTOR_RESET, by, now=now, staff=member.id)


def reset_was_read(session: Session, staff_id: int) -> None:
    """The owner has read that somebody reset the second factor."""
    member = accounts.get(session, staff_id)
    member.factor_reset_at = member.factor_reset_by = None
