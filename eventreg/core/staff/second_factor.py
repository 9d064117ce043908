"""The second factor of an account: six digits that a telephone shows, new each half minute (TOTP,
RFC 6238), and eight codes for the day on which the telephone is lost."""

import secrets
from datetime import datetime

from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.errors import CodeWrong
from eventreg.core.models.staff import StaffMember
from eventreg.core.values import tokens

ISSUER = "eventreg"
_STEP = 30
_RECOVERY = 8


def new_secret() -> str:
    """A secret to put into a telephone."""
    import pyotp  # noqa: PLC0415 - only who has a second factor needs it

    return pyotp.random_base32()


def is_secret(text: str) -> bool:
    """Whether this can be one of ours: 32 characters of base32."""
    return len(text) == 32 and set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


def address(member: StaffMember, secret: str) -> str:
    """What the QR code holds for the telephone's program."""
    import pyotp  # noqa: PLC0415 - as above

    return pyotp.TOTP(secret).provisioning_uri(name=member.username, issuer_name=ISSUER)


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """The half minute whose code this is: the present one, the one before, or the next, since
    clocks differ."""
    import pyotp  # noqa: PLC0415 - as above

    present = int(now.timestamp()) // _STEP
    making = pyotp.TOTP(secret)
    right = (
        step
        for step in (present, present - 1, present + 1)
        if secrets.compare_digest(making.at(step * _STEP), code)
    )
    return next(right, None)


def _digits(typed: str) -> str:
    plain = "".join(typed.split()).replace("-", "").casefold()
    return plain if plain.isascii() else ""


def turn_on(
    session: Session, member: StaffMember, secret: str, typed: str, *, by: Actor, now: datetime
) -> list[str]:
    """Ask for a code from now on; ``typed`` proves that the telephone has the secret. Returns the
    codes for a lost one."""
    step = _step_of(secret, _digits(typed), now) if is_secret(secret) else None
    if step is None:
        raise CodeWrong
    codes = [
        f"{secrets.token_hex(2)}-{secrets.token_hex(2)}-{secrets.token_hex(2)}"
        for _ in range(_RECOVERY)
    ]
    member.totp_secret, member.totp_step = secret, step
    member.recovery_digests = " ".join(tokens.digest(_digits(code)) for code in codes)
    audit.record(session, Action.FACTOR_SET, by, now=now, staff=member.id)
    return codes


def turn_off(session: Session, member: StaffMember, *, by: Actor, now: datetime) -> None:
    """Ask for no code any more."""
    if member.totp_secret is None:
        return
    forget(member)
    audit.record(session, Action.FACTOR_REMOVED, by, now=now, staff=member.id)


def forget(member: StaffMember) -> None:
    """Neither the telephone nor a recovery code counts any more."""
    member.totp_secret = member.totp_step = member.recovery_digests = None


def check(member: StaffMember, typed: str, *, now: datetime) -> None:
    """``CodeWrong`` unless ``typed`` is the code of this moment, or a recovery code; no code opens
    twice."""
    code = _digits(typed)
    left = (member.recovery_digests or "").split()
    if len(code) > 6 and tokens.digest(code) in left:
        member.recovery_digests = " ".join(one for one in left if one != tokens.digest(code))
        return
    step = _step_of(member.totp_secret or "", code, now) if member.totp_secret else None
    if step is None or (member.totp_step is not None and step <= member.totp_step):
        raise CodeWrong
    member.totp_step = step
