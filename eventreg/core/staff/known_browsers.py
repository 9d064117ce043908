"""Browsers in which an account was signed in to before.

Wrong passwords typed by a stranger delay sign-ins to an account. The owner's browser skips that
delay with a secret that it received at an earlier sign-in. The secret replaces neither password
nor code, and after five failures of its own it no longer counts.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session

from eventreg.core.models.staff import KnownBrowser, StaffMember
from eventreg.core.values import tokens

FREE_FAILURES = 5
MOST_PER_ACCOUNT = 10
LIVES = timedelta(days=180)
"""Since the last sign-in with it."""


def _valid(folded: str, secrets: Sequence[str], now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Conditions for a valid row: one of these secrets, of the account with this folded name."""
    account = select(StaffMember.id).where(
        StaffMember.username_folded == folded, StaffMember.disabled_at.is_(None)
    )
    return (
        KnownBrowser.token_digest.in_([tokens.digest(secret) for secret in secrets]),
        KnownBrowser.staff_id.in_(account),
        KnownBrowser.failures < FREE_FAILURES,
        KnownBrowser.seen_at > now - LIVES,
    )


def is_known(session: Session, folded: str, secrets: Sequence[str], *, now: datetime) -> bool:
    """Whether one of ``secrets`` is that of a known browser of the account with this folded name,
    and still counts."""
    row = select(KnownBrowser.id).where(*_valid(folded, secrets, now)).limit(1)
    return session.scalar(row) is not None


def use_try(session: Session, folded: str, secrets: Sequence[str], *, now: datetime) -> int | None:
    """Use one try of a known browser; returns the row's id, or ``None`` if no browser is known or
    none has tries left.

    Call it before the password is checked, so that simultaneous tries are limited to five too.
    """
    counted = (
        update(KnownBrowser)
        .where(*_valid(folded, secrets, now))
        .values(failures=KnownBrowser.failures + 1)
        .returning(KnownBrowser.id)
        .execution_options(synchronize_session=False)
    )
    return session.execute(counted).scalars().first()


def remember(
    session: Session, member: StaffMember, known: int | None, *, now: datetime
) -> str | None:
    """Remember the browser after a complete sign-in; returns the secret for a new one. An account
    keeps the ten that were used last.

    ``known`` is the id of the row of a browser that has a secret: its failures are reset, its
    lifetime begins again, and ``None`` is returned.
    """
    drop_old(session, now=now)
    if known is not None:
        mine = (KnownBrowser.id == known, KnownBrowser.staff_id == member.id)
        again = update(KnownBrowser).where(*mine).values(failures=0, seen_at=now)
        if session.execute(again.returning(KnownBrowser.id)).first():
            return None
    secret = tokens.new()
    session.add(
        KnownBrowser(
            staff_id=member.id,
            token_digest=tokens.digest(secret),
            failures=0,
            created_at=now,
            seen_at=now,
        )
    )
    session.flush()
    latest_first = (
        select(KnownBrowser.id)
        .where(KnownBrowser.staff_id == member.id)
        .order_by(KnownBrowser.seen_at.desc(), KnownBrowser.id.desc())
    )
    surplus = session.scalars(latest_first.offset(MOST_PER_ACCOUNT)).all()
    session.execute(delete(KnownBrowser).where(KnownBrowser.id.in_(surplus)))
    return secret


def drop_old(session: Session, *, now: datetime) -> None:
    """Delete expired rows and those with too many failures."""
    spent = or_(KnownBrowser.failures >= FREE_FAILURES, KnownBrowser.seen_at <= now - LIVES)
    session.execute(delete(KnownBrowser).where(spent))


def forget_all(session: Session, member: StaffMember) -> None:
    """Delete all known browsers of an account."""
    session.execute(delete(KnownBrowser).where(KnownBrowser.staff_id == member.id))
