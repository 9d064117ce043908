"""Run a search: take the first tier that finds somebody, and read one page of it.

Only ids are read here, so that the index of names answers and not every row is opened.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, false, func, select
from sqlalchemy.orm import Session

from eventreg.core.search.tiers import How, Tier


@dataclass(frozen=True)
class Found:
    """The ids on one page in their order, how many people are on all pages, and how they fit."""

    ids: Sequence[int]
    people: int
    how: How


def page(
    session: Session,
    among: Select[int],
    order: Sequence[SQLColumnExpression[Any]] | None,
    tiers: Iterable[Tier],
    rows: slice,
) -> Found:
    """These rows of those whom the search finds among the selected attendees. Without an ``order``
    those who fit best come first, and of these the first by name."""
    for tier in tiers:
        found = among.where(tier.term.where)
        ids, people = _read(session, found.order_by(*(order or tier.term.best_first)), rows)
        if people:
            return Found(ids, people, tier.how)
    return Found([], 0, How.FITS)


def _read(session: Session, found: Select[int], rows: slice) -> tuple[list[int], int]:
    counted = found.add_columns(func.count().over()).slice(rows.start, rows.stop)
    some = session.execute(counted).all()
    if not some and rows.start:
        everybody = select(func.count()).select_from(found.order_by(None).subquery())
        return [], session.execute(everybody).scalar_one()
    return [attendee_id for attendee_id, _ in some], some[0][1] if some else 0


def condition(session: Session, among: Select[int], tiers: Iterable[Tier]) -> ColumnElement[bool]:
    """What those whom the search finds have in common."""
    for tier in tiers:
        if session.execute(among.where(tier.term.where).limit(1)).first():
            return tier.term.where
    return false()
