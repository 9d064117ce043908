"""Form keys: the hidden key of each form that made a registration, kept for a week."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from eventreg.core.models.registration import FormKey

KEPT = timedelta(days=7)
"""For this long, sending the same form again gives the same registration."""


def count_old(session: Session, *, now: datetime) -> int:
    """Count the keys that are older than ``KEPT``."""
    return session.execute(
        select(func.count()).select_from(FormKey).where(FormKey.created_at < now - KEPT)
    ).scalar_one()


def drop_old(session: Session, *, now: datetime) -> None:
    """Delete the keys that are older than ``KEPT``."""
    session.execute(
        delete(FormKey)
        .where(FormKey.created_at < now - KEPT)
        .execution_options(synchronize_session=False)
    )
