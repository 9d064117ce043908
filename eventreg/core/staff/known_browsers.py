"""Browsers in which somebody signed in to an account before.

A stranger who types wrong passwords slows an account down. Its owner is let past that delay by a
secret that the browser got at an earlier sign-in. The secret opens nothing by itself: password and
code are asked for as ever, and after five failures of its own it is worth nothing.
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


def _of(folded: str, secrets: Sequence[str], now: datetime) -> tuple[ColumnElement[bool], ...]:
    """The rows of the account of this folded name that one of these secrets belongs to, as long as
    they count."""
    account = select(StaffMember.id).where(
        StaffMember.username_folded == folded, StaffMember.disabled_at.is_(None)
    )
    return (
        KnownBrowser.token_digest.in_([tokens.digest(secret) for secret in secrets]),
        KnownBrowser.staff_id.in_(account),
        KnownBrowser.failures < FREE_FAILURES,
        KnownBrowser.seen_at > now - LIVES,
    )


def knows(session: Session, folded: str, secrets: Sequence[str], *, now: datetime) -> bool:
    """Whether the account of this folded name knows a browser that holds one of ``secrets``."""
    row = select(KnownBrowser.id).where(*_of(folded, secrets, now)).limit(1)
    return session.scalar(row) is not None


def take_try(session: Session, folded: str, secrets: Sequence[str], *, now: datetime) -> int | None:
    """Count one try to sign in with a known browser; the row's id, or ``None`` if its tries are
    used up.

    It is counted before the password is looked at, so that tries at the same time are five in all.
    """
    counted = (
        update(KnownBrowser)
        .where(*_of(folded, secrets, now))
        .values(failures=KnownBrowser.failures + 1)
        .returning(KnownBrowser.id)
        .execution_options(synchronize_session=False)
    )
    return session.execute(counted).scalars().first()


def remember(
    session: Session, member: StaffMember, known: int | None, *, now: datetime
) -> str | None:
    """Somebody has signed in completely. The secret of a new row, or ``None`` for a browser that
    has one: its failures are forgotten and its time begins anew."""
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
    """Delete the rows that let nobody past a delay any more."""
    spent = or_(KnownBrowser.failures >= FREE_FAILURES, KnownBrowser.seen_at <= now - LIVES)
    session.execute(delete(KnownBrowser).where(spent))


def forget_all(session: Session, member: StaffMember) -> None:
    """No browser is known to this account any more."""
    session.execute(delete(KnownBrowser).where(KnownBrowser.staff_id == member.id))
