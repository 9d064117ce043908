"""Move all data to another database: from a file to PostgreSQL, or back.

1. Open the target, which must be empty.
2. Keep everyone from writing to the source.
3. Copy every row, compare every row, and check every event, as ``doctor`` does.
4. Mark the source, so that no program uses it any more.
5. Make the target final.

If something fails before step 4, both are as before. If it is interrupted after that, the source is
refused, and the same move, run again, does the rest. At no moment do both take registrations.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import URL, Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from eventreg.core import invariants
from eventreg.core.errors import first_line
from eventreg.core.event import events
from eventreg.storage import checks
from eventreg.storage.move import copying, source, target
from eventreg.storage.move.refused import MoveRefused
from eventreg.storage.move.target import Target, shown
from eventreg.storage.session import db


@dataclass(frozen=True)
class Moved:
    """The number of rows of each table, and whether an earlier move had finished already."""

    rows: dict[str, int]
    is_old: bool


def move(url: URL, *, now: datetime) -> Moved:
    """Move everything to the database at ``url``. ``MoveRefused`` if it was not moved, or ``Busy``,
    ``Unsafe`` or one of ``AWAY``."""
    source.read_if_marked()
    _require_movable(url)
    is_marked = False
    try:
        with target.opened(url, db.metadata) as opened, source.held() as own:
            moved_to = source.moved_to(own)
            if moved_to not in {"", shown(url)}:
                raise MoveRefused(f"the data was moved already, to {moved_to}")
            if not opened.is_empty:
                return _finished_before(own, opened, bool(moved_to))
            rows = _copy(own, opened, now)
            opened.finish()
            source.mark(own, shown(url))
            is_marked = True
    except (DBAPIError, OSError) as error:
        if not is_marked:
            raise
        raise MoveRefused(
            f"it is not certain that all is in {shown(url)}: {first_line(error)}; "
            "run the same move again, which finds out. Until then nothing uses the old data"
        ) from error
    return Moved(rows, is_old=False)


def _copy(own: Connection, opened: Target, now: datetime) -> dict[str, int]:
    copying.copy(own, opened.connection, db.metadata)
    rows = copying.compare(own, opened.connection, db.metadata)
    _check_events(opened.connection, now)
    return rows


def _finished_before(own: Connection, opened: Target, is_marked: bool) -> Moved:
    """The rows, if an earlier move brought them all there and was interrupted right after that."""
    refusal = MoveRefused("the target is not empty; move to an empty database")
    if not is_marked:
        raise refusal
    try:
        return Moved(copying.compare(own, opened.connection, db.metadata), is_old=True)
    except (MoveRefused, DBAPIError) as differs:
        raise refusal from differs


def _require_movable(url: URL) -> None:
    if _is_own(url):
        raise MoveRefused("that is the database that the data is in")
    found, wanted = checks.schema()
    if found != wanted:
        raise MoveRefused(
            f"the database has tables of {found or 'no version'}, and this program has {wanted}; "
            "run db upgrade first"
        )
    if url.get_backend_name() == "postgresql" and not checks.has_our_key():
        raise MoveRefused(
            "EVENTREG_SECRET_KEY: the tickets were made with another key; "
            "on PostgreSQL no server would start with this one"
        )


def _is_own(url: URL) -> bool:
    """Whether this is our own database, perhaps by another name."""
    if url.get_backend_name() != db.engine.dialect.name:
        return False
    own = source.path()
    if own is not None:
        there = target.path_of(url)
        return there.exists() and own.exists() and there.samefile(own)
    return _is_own_postgresql(url)


def _is_own_postgresql(url: URL) -> bool:
    """A lock that is held in one database is free in every other."""
    number = secrets.randbits(62)
    with db.engine.connect() as connection, target.answering(url) as other:
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})
        is_free = other.execute(
            text("SELECT pg_try_advisory_xact_lock(:number)"), {"number": number}
        )
        return not is_free.scalar_one()


def _check_events(connection: Connection, now: datetime) -> None:
    """What ``doctor`` checks of every event must hold for the copied rows."""
    with Session(connection, join_transaction_mode="rollback_only") as session:
        for event in events.all_events(session):
            for finding in invariants.of_event(session, event, now=now).findings:
                if not finding.holds:
                    raise MoveRefused(
                        f"{event.slug}: {finding.name} does not hold ({finding.detail}); "
                        "see doctor. Nothing was moved"
                    )
