"""Export the audit trail of a time span: after a breach, what happened to whom, and who did it.

It holds the ids of registrations and the user names of staff, and no guest's name or number.
"""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from eventreg.core.models.audit import AuditEntry
from eventreg.core.models.event import Event
from eventreg.core.models.staff import StaffMember
from eventreg.core.values.cells import inert

HEADS = (
    *("time", "event", "action", "actor", "account", "username"),
    *("registration", "attendee", "details"),
)
_AT_A_TIME = 500


@dataclass(frozen=True)
class Span:
    """From ``since`` until just before ``until``; with an event, only its entries and those about
    accounts."""

    since: datetime
    until: datetime
    event_id: int | None = None

    @property
    def _wanted(self) -> list[ColumnElement[bool]]:
        within = [AuditEntry.at >= self.since, AuditEntry.at < self.until]
        if self.event_id is not None:
            within.append((AuditEntry.event_id == self.event_id) | AuditEntry.event_id.is_(None))
        return within

    def count(self, session: Session) -> int:
        """How many entries there are."""
        counted = select(func.count()).select_from(AuditEntry).where(*self._wanted)
        return session.scalar(counted) or 0

    def as_csv(self, session: Session) -> Iterator[str]:
        """The entries, oldest first, line by line. Times are in UTC."""
        yield "\ufeff" + _line(list(HEADS))
        found = (
            select(AuditEntry, Event.slug, StaffMember.username)
            .outerjoin(Event, Event.id == AuditEntry.event_id)
            .outerjoin(StaffMember, StaffMember.id == AuditEntry.actor_staff_id)
            .where(*self._wanted)
            .order_by(AuditEntry.at, AuditEntry.id)
            .execution_options(yield_per=_AT_A_TIME)
        )
        for entry, slug, username in session.execute(found):
            numbers = (entry.actor_staff_id, username, entry.registration_id, entry.attendee_id)
            cells = [entry.at.isoformat(), slug, entry.action, entry.actor_kind, *numbers]
            details = json.dumps(entry.details, ensure_ascii=False, sort_keys=True)
            yield _line(["" if one is None else inert(str(one)) for one in (*cells, details)])


def _line(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
