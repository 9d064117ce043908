"""Erase personal data: the only module that does all three parts of it.

The rows are overwritten, the erasure log is written for the next restore, and the database's files
are scrubbed of the old content. A caller cannot leave out a part.

If the files cannot be scrubbed at once, a file ``scrub-owed.…`` in the instance folder says so, and
a background job tries again. It is made before anything is overwritten, so that a crash cannot lose
it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TypeVar

from flask import current_app
from sqlalchemy.exc import DBAPIError

from eventreg.core import audit, erasure
from eventreg.core.audit import Actor
from eventreg.core.backups.faults import BackupRefused
from eventreg.core.erasure import Due
from eventreg.core.errors import Busy
from eventreg.core.event import events
from eventreg.core.invariants import Finding
from eventreg.core.registration import identity
from eventreg.core.values import tokens
from eventreg.operations import erasure_log
from eventreg.storage import checks, old_backups
from eventreg.storage.session import AWAY, Session, reading, write

T = TypeVar("T")
_OVERDUE = timedelta(days=1)
"""How late an erasure may be before ``doctor`` reports it. The job runs once an hour."""


class Owed(StrEnum):
    """What a purge still owes, as a line for the operator."""

    SCRUB = "the database's files are still to be scrubbed"
    BACKUP = "no fresh backup could be made: automatic backups from before still hold names"


@dataclass
class Purged:
    """The result of a purge: what was erased (or is due), the slugs of events that failed, and what
    is still owed, as lines for the operator."""

    found: list[Due] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    owed: list[Owed] = field(default_factory=list)


def erase(slug: str, registration_id: int, mark: str, *, by: Actor, now: datetime) -> None:
    """Erase the people of one registration. If the event is not over, this also cancels it, and the
    seats go to the waiting list. Erasing it again changes nothing. Older backups keep the data.

    Raises ``RegistrationUnknown`` if number and mark are not those of one registration.
    """

    def act(session: Session) -> str:
        event = events.get(session, slug)
        registration = identity.registration(session, event, registration_id, mark)
        erasure.erase(session, event, registration, by=by, now=now)
        return registration.ticket_digest

    digest = _overwrite(act)
    erasure_log.remember([digest])
    erasure_log.settle({registration_id: digest})
    finish_scrubbing()


def due(*, now: datetime) -> Purged:
    """What a purge would erase now, and which events cannot be read. Changes nothing."""
    told = Purged()
    for slug in _slugs():
        with _alone(slug, told):
            told.found += erasure.due(reading(), slug, now=now)
    return told


def purge(*, by: Actor, now: datetime) -> Purged:
    """Erase what is due in every event, then scrub the files and delete the overdue backups. An
    event that fails does not stop the others. Raises ``Busy`` or one of ``AWAY``."""
    done = due(now=now)
    for slug in {one.slug: None for one in done.found}:
        with _alone(slug, done):
            _overwrite(partial(erasure.purge, slug=slug, by=by, now=now))
    done.found = [one for one in done.found if one.slug not in done.failed]
    done.owed = _finish_all(now)
    return done


def catch_up(*, now: datetime) -> Purged:
    """Run once an hour and after a restore: purge, and erase again everyone in the erasure log. If
    their event is not over, their registrations are cancelled. Raises as ``purge``."""
    note_erased()
    done = purge(by=audit.SYSTEM, now=now)
    ids = erasure.back_again(reading(), erasure_log.erased_digests())
    if ids:
        _overwrite(lambda session: erasure.erase_again(session, ids, now=now))
        done.owed = _finish_all(now)
    return done


@contextmanager
def _alone(slug: str, done: Purged) -> Iterator[None]:
    """Note an event that fails, and go on with the others. If the database is away, raise."""
    try:
        yield
    except (Busy, *AWAY):
        raise
    except Exception as error:
        reading().rollback()
        current_app.logger.error("event %s: cannot be purged: %s", slug, type(error).__name__)
        done.failed.append(slug)


def _slugs() -> list[str]:
    return [event.slug for event in events.all_events(reading())]


def note_before_restore() -> None:
    """Note who is erased in the database that a restore will replace. If it is damaged, go on."""
    try:
        if checks.has_column("registrations", "erased_at"):
            note_erased()
    except DBAPIError:
        current_app.logger.warning(
            "the database cannot be read; who was erased is known from the list alone"
        )
    finally:
        reading().rollback()


def note_erased() -> None:
    """Note in the erasure log everyone who is erased in the database: another machine may have done
    it, or a crash came before the note. Row numbers in an older log get their tickets if it is
    certain to whom they belonged."""
    certain = erasure.certainly_erased(reading())
    erasure_log.remember(certain.values())
    erasure_log.settle(certain)
    if numbers := erasure_log.unsettled_numbers():
        current_app.logger.warning(
            "forgotten.txt names %d registrations by number alone; see doctor", len(numbers)
        )


def is_scrubbing_owed() -> bool:
    """Whether the database's files are still to be scrubbed."""
    return bool(_owed())


def finish_scrubbing() -> bool:
    """Scrub the database's files if that is owed. Returns whether nothing is owed any more. If the
    database is busy or away, the log says so, and it stays owed."""
    owed = _owed()
    if not owed:
        return True
    try:
        note_erased()
        reading().rollback()
        if checks.scrub():
            for mark in owed:
                mark.unlink(missing_ok=True)
            return True
        why = "somebody reads"
    except (Busy, *AWAY) as error:
        why = type(error.__cause__ or error).__name__
    current_app.logger.warning(
        "what was erased still stands in the database's files (%s); tried again soon", why
    )
    return False


def _overwrite(act: Callable[[Session], T]) -> T:
    """Run the act. From before it until the files are scrubbed, a mark says that this is owed."""
    (_folder() / f"scrub-owed.{tokens.opaque()}").touch(mode=0o600)
    done = write(act)
    reading().rollback()
    return done


def _finish_all(now: datetime) -> list[Owed]:
    """Scrub the database's files, then delete the overdue automatic backups. Returns what could not
    be done."""
    if not finish_scrubbing():
        return [Owed.SCRUB]
    try:
        old_backups.delete(now=now, purged_at=erasure.purged_at(reading()))
    except (BackupRefused, OSError, Busy, *AWAY) as error:
        current_app.logger.error(
            "no fresh backup: the old automatic ones are kept: %s", type(error).__name__
        )
        return [Owed.BACKUP]
    finally:
        reading().rollback()
    return []


def _folder() -> Path:
    return Path(current_app.extensions["settings"].instance)


def _owed() -> list[Path]:
    return sorted(_folder().glob("scrub-owed.*"))


def findings(*, now: datetime) -> Iterator[Finding]:
    """What ``doctor`` finds about erasing; changes nothing."""
    unsure = erasure_log.unsettled_numbers()
    yield Finding(
        "who was erased is known by ticket",
        not unsure,
        f"forgotten.txt names registrations {', '.join(map(str, unsure))} by number alone, "
        "which erases nobody: erase them on their pages once more if they are to stay erased, "
        "or take the lines out"
        if unsure
        else "no number alone",
    )
    yield Finding(
        "nothing is left to scrub",
        not is_scrubbing_owed(),
        "owed" if is_scrubbing_owed() else "nothing",
    )
    late = _late(now)
    yield Finding(
        "names go when their retention period ends",
        not late,
        ", ".join(late) or "none stands longer",
    )
    old = old_backups.overdue(now=now, purged_at=erasure.purged_at(reading()))
    yield Finding(
        "automatic backups hold nobody whose retention period has ended",
        not old,
        ", ".join(path.name for path in old) or "none",
    )


def _late(now: datetime) -> list[str]:
    """The events in which something was due a day ago, and those that cannot be read."""
    told = due(now=now - _OVERDUE)
    return sorted(
        {one.slug for one in told.found} | {f"{slug} (cannot be read)" for slug in told.failed}
    )
