"""What the program did by itself, when, and with what result.

All machines on one database see the same. ``name`` is one of ``Operation``, or that of another
background job.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from eventreg.core.models.operations import OperationRun

_NEVER = datetime.min.replace(tzinfo=UTC)


class Operation(StrEnum):
    """The operations of backups."""

    BACKUP = "backup"
    COPY = "backup-copy"
    """Copying the backup to the second place."""
    DRILL = "backup-drill"
    """Restoring the newest backup into a place of its own, to see that it can be done."""


@dataclass(frozen=True)
class Run:
    """The last run of one operation."""

    name: str
    started_at: datetime | None = None
    succeeded_at: datetime | None = None
    failed_at: datetime | None = None
    reason: str | None = None

    @property
    def is_failing(self) -> bool:
        """Whether it has failed and has not succeeded since."""
        return self.reason is not None

    @property
    def failing_since(self) -> datetime | None:
        """When it failed last, if it has not succeeded since."""
        return self.failed_at if self.is_failing else None

    @property
    def was_broken_off(self) -> bool:
        """Whether it began and neither succeeded nor failed: it still runs, or was killed."""
        ended = [one for one in (self.succeeded_at, self.failed_at) if one is not None]
        return self.started_at is not None and self.started_at > max(ended, default=_NEVER)


def last(session: Session, name: str) -> Run:
    """The last run of the operation. All its fields are empty if there was none."""
    row = session.get(OperationRun, name)
    if row is None:
        return Run(name)
    return Run(name, row.started_at, row.succeeded_at, row.failed_at, row.reason)


def started(session: Session, name: str, *, now: datetime) -> None:
    """Note that the operation begins."""
    _row(session, name).started_at = now


def succeeded(session: Session, name: str, *, now: datetime) -> None:
    """Note that the operation is done."""
    row = _row(session, name)
    row.succeeded_at, row.reason = now, None


def failed(session: Session, name: str, reason: str, *, now: datetime) -> None:
    """Note that the operation could not be done, with the code of the reason. When it was done
    last stays noted."""
    row = _row(session, name)
    row.failed_at, row.reason = now, reason


def _row(session: Session, name: str) -> OperationRun:
    row = session.get(OperationRun, name)
    if row is None:
        row = OperationRun(name=name)
        session.add(row)
    return row
