"""Change the password or the second factor of a signed-in account.

A session alone is not enough: the browser may have been left open, or its cookie copied. The
owner gives the password again and, with a second factor, a code. Both are checked together, and
the refusal does not say which was wrong.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.errors import CodeWrong, FactorOff, ProofWrong, SignInFailed
from eventreg.core.models.staff import StaffMember
from eventreg.core.staff import accounts, passwords, second_factor


def matching_hash(member: StaffMember, password: str) -> str | None:
    """The stored hash if ``password`` matches it, else ``None``.

    Hashing is slow, so call this before the transaction. ``require_proof`` then checks that the
    hash is still the stored one.
    """
    try:
        passwords.verify(password, member.password_hash)
    except SignInFailed:
        return None
    return member.password_hash


def require_proof(
    session: Session, staff_id: int, matched: str | None, code: str, *, now: datetime
) -> StaffMember:
    """The account, if password and code are right. Raises ``ProofWrong`` if one of them is wrong,
    or if the account is disabled.

    ``matched`` comes from ``matching_hash``. ``code`` is only checked if the account has a second
    factor; a recovery code is accepted too. The code is used up.
    """
    member = session.get(StaffMember, staff_id, with_for_update=True, populate_existing=True)
    if member is None or member.disabled_at is not None:
        raise ProofWrong
    try:
        if member.totp_secret is not None:
            second_factor.check(member, code, now=now)
    except CodeWrong as wrong:
        raise ProofWrong from wrong
    if matched is None or matched != member.password_hash:
        raise ProofWrong
    return member


def change_password(session: Session, member: StaffMember, password: str, *, now: datetime) -> None:
    """Set a new password after ``require_proof``; as ``accounts.set_password``, it ends every
    session of the account, deletes its known browsers and may raise ``FieldRefused``."""
    accounts.set_password(session, member, password, by=Actor("staff", member.id), now=now)


def reset_factor(session: Session, member: StaffMember, *, by: Actor, now: datetime) -> None:
    """Turn off the second factor of somebody who lost the telephone and the recovery codes.

    The account's sessions end, and its owner is told at the next sign-in. Raises ``FactorOff`` if
    the account has no second factor.
    """
    if member.totp_secret is None:
        raise FactorOff(member.username)
    second_factor.forget(member)
    member.factor_reset_at, member.factor_reset_by = now, by.staff_id
    accounts.end_sessions(session, member)
    audit.record(session, Action.FACTOR_RESET, by, now=now, staff=member.id)


def mark_reset_read(session: Session, staff_id: int) -> None:
    """Record that the owner has read that the second factor was reset."""
    member = accounts.by_id(session, staff_id)
    member.factor_reset_at = member.factor_reset_by = None
