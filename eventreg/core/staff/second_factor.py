"""The second factor of an account: time-based codes (TOTP, RFC 6238) and recovery codes.

A telephone shows a new code of six digits every 30 seconds. Eight recovery codes replace a lost
telephone; each works once.
"""

import secrets
from datetime import datetime

from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.errors import CodeWrong
from eventreg.core.models.staff import StaffMember
from eventreg.core.values import tokens

ISSUER = "eventreg"
_STEP_SECONDS = 30
_RECOVERY_CODES = 8


def new_secret() -> str:
    """A new secret for an authenticator app."""
    import pyotp  # noqa: PLC0415 - only accounts with a second factor need it

    return pyotp.random_base32()


def is_secret(text: str) -> bool:
    """Whether this looks like a secret of ``new_secret``: 32 characters of base32."""
    return len(text) == 32 and set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


def address(member: StaffMember, secret: str) -> str:
    """The ``otpauth:`` URL for the QR code that an authenticator app reads."""
    import pyotp  # noqa: PLC0415 - as above

    return pyotp.TOTP(secret).provisioning_uri(name=member.username, issuer_name=ISSUER)


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """The step of 30 seconds whose code this is: this one, the previous or the next; else
    ``None``."""
    import pyotp  # noqa: PLC0415 - as above

    current = int(now.timestamp()) // _STEP_SECONDS
    totp = pyotp.TOTP(secret)
    matching = (
        step
        for step in (current, current - 1, current + 1)
        if secrets.compare_digest(totp.at(step * _STEP_SECONDS), code)
    )
    return next(matching, None)


def _normal(typed: str) -> str:
    plain = "".join(typed.split()).replace("-", "").casefold()
    return plain if plain.isascii() else ""


def turn_on(
    session: Session, member: StaffMember, secret: str, typed: str, *, by: Actor, now: datetime
) -> list[str]:
    """Require a code from now on; returns the recovery codes. An earlier secret and its recovery
    codes no longer work.

    ``typed`` must be a code of this secret, which proves that the telephone has it. Otherwise
    raises ``CodeWrong``.
    """
    step = _step_of(secret, _normal(typed), now) if is_secret(secret) else None
    if step is None:
        raise CodeWrong
    codes = [
        f"{secrets.token_hex(2)}-{secrets.token_hex(2)}-{secrets.token_hex(2)}"
        for _ in range(_RECOVERY_CODES)
    ]
    member.totp_secret, member.totp_step = secret, step
    member.recovery_digests = " ".join(tokens.digest(_normal(code)) for code in codes)
    audit.record(session, Action.FACTOR_SET, by, now=now, staff=member.id)
    return codes


def turn_off(session: Session, member: StaffMember, *, by: Actor, now: datetime) -> None:
    """Stop requiring a code. Does nothing if there is no second factor."""
    if member.totp_secret is None:
        return
    forget(member)
    audit.record(session, Action.FACTOR_REMOVED, by, now=now, staff=member.id)


def forget(member: StaffMember) -> None:
    """Delete the secret and the recovery codes of the account."""
    member.totp_secret = member.totp_step = member.recovery_digests = None


def check(member: StaffMember, typed: str, *, now: datetime) -> None:
    """Use up ``typed``: a code of the present, the previous or the next half minute, or a recovery
    code. Raises ``CodeWrong`` if it is none of them, or no newer than the last code used."""
    code = _normal(typed)
    unused = (member.recovery_digests or "").split()
    if len(code) > 6 and tokens.digest(code) in unused:
        member.recovery_digests = " ".join(one for one in unused if one != tokens.digest(code))
        return
    step = _step_of(member.totp_secret or "", code, now) if member.totp_secret else None
    if step is None or (member.totp_step is not None and step <= member.totp_step):
        raise CodeWrong
    member.totp_step = step
