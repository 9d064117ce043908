"""Hidden keys of forms that succeeded: kept a week, then dropped."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from eventreg.core.models.registration import FormKey

KEPT = timedelta(days=7)
"""How long the same form again is the same registration (PROMISES, T4)."""


def older_than_kept(session: Session, *, now: datetime) -> int:
    """How many keys have had their time."""
    return session.execute(
        select(func.count()).select_from(FormKey).where(FormKey.created_at < now - KEPT)
    ).scalar_one()


def drop_old(session: Session, *, now: datetime) -> None:
    """Drop the keys that have had their time."""
    session.execute(
        delete(FormKey)
        .where(FormKey.created_at < now - KEPT)
        .execution_options(synchronize_session=False)
    )
