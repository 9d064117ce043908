"""Sign in with name, password and, if the account has a second factor, its code.

All are checked together, and the refusal does not say which was wrong.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from eventreg.core.errors import CodeWrong, SignInFailed
from eventreg.core.models.staff import StaffMember
from eventreg.core.staff import accounts, second_factor

_DUMMY_SECRET = "A" * 32
"""Used if there is no second factor, so that the check takes the same time."""


@dataclass(frozen=True)
class Checked:
    """An account for which name, password and code were right."""

    staff_id: int
    password_hash: str | None


def check(session: Session, username: str, password: str, code: str, *, now: datetime) -> Checked:
    """Check name, password and code. Raises ``SignInFailed`` if any is wrong, or if the account is
    disabled. The code is ignored if the account has no second factor.

    Changes nothing, and takes the same time whatever is wrong. ``check_again`` uses the code up.
    """
    try:
        member = accounts.verify(session, username, password)
    except SignInFailed:
        _is_code_right(None, code, now)
        raise
    is_right = _is_code_right(member, code, now)
    if member.totp_secret is not None and not is_right:
        raise SignInFailed
    return Checked(member.id, member.password_hash)


def _is_code_right(member: StaffMember | None, code: str, now: datetime) -> bool:
    """Whether the code is right. Checks a copy of the account, so that the code is not used up."""
    copy = StaffMember(totp_secret=_DUMMY_SECRET)
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


def check_again(session: Session, checked: Checked, code: str, *, now: datetime) -> StaffMember:
    """Check the account again in the transaction that opens its session, and use the code up.

    Raises ``SignInFailed`` if the account was disabled, its password changed or the code used
    meanwhile.
    """
    member = session.get(
        StaffMember, checked.staff_id, with_for_update=True, populate_existing=True
    )
    if member is None or member.disabled_at is not None:
        raise SignInFailed
    if member.password_hash != checked.password_hash:
        raise SignInFailed
    if member.totp_secret is not None:
        try:
            second_factor.check(member, code, now=now)
        except CodeWrong as wrong:
            raise SignInFailed from wrong
    return member
