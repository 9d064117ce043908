"""The one home of forgetting. Whoever forgets somebody does it here: the rows are overwritten, it
is remembered for the next restore, and the database's files are scrubbed of what stood there.
Nothing of it can be left out by a caller.

If the last part cannot be done at once, it stays owed: a file ``scrub-owed.…`` in the instance
folder says so, and the housekeeper tries again. The file is made before anything is overwritten, so
that a crash loses nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from flask import current_app
from sqlalchemy.exc import DBAPIError

from eventreg.core import audit, erasure
from eventreg.core.audit import Actor
from eventreg.core.erasure import Due
from eventreg.core.errors import Busy
from eventreg.core.event import events
from eventreg.core.invariants import Finding
from eventreg.core.registration import identity
from eventreg.core.values import tokens
from eventreg.operations import erasure_log
from eventreg.storage import checks, old_backups
from eventreg.storage.backups import BackupRefused
from eventreg.storage.session import AWAY, Session, reading, write

T = TypeVar("T")
_OVERDUE = timedelta(days=1)
"""After which doctor finds that names stand longer than promised; the housekeeper looks once an
hour."""


@dataclass
class Purged:
    """What a purge did: of which event what, which events it could not do, and what is still to be
    done."""

    found: list[Due] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    owed: list[str] = field(default_factory=list)


def erase(slug: str, registration_id: int, mark: str, *, by: Actor, now: datetime) -> None:
    """Forget the people of one registration, named by number and mark. Doing it again changes
    nothing."""

    def act(session: Session) -> str:
        event = events.get(session, slug)
        registration = identity.registration(session, event, registration_id, mark)
        erasure.erase(session, event, registration, by=by, now=now)
        return registration.ticket_digest

    digest = _overwriting(act)
    erasure_log.remember([digest])
    erasure_log.settle({registration_id: digest})
    finish()


def due(*, now: datetime) -> Purged:
    """What a purge at this moment would forget, and of which events nobody can tell. Changes
    nothing."""
    told = Purged()
    for slug in _slugs():
        with _alone(slug, told):
            told.found += erasure.due(reading(), slug, now=now)
    return told


def purge(*, by: Actor, now: datetime) -> Purged:
    """Forget what is due of every event. An event that cannot be purged stops no other."""
    done = due(now=now)
    for slug in {one.slug: None for one in done.found}:
        with _alone(slug, done):
            _overwriting(lambda session, slug=slug: erasure.purge(session, slug, by=by, now=now))  # type: ignore[misc]
    done.found = [one for one in done.found if one.slug not in done.failed]
    done.owed = _finish_all(now)
    return done


def look(*, now: datetime) -> Purged:
    """What is to be done once an hour and after a restore: forget what is due, and whoever was
    forgotten and stands there again; finish what is owed."""
    note()
    done = purge(by=audit.SYSTEM, now=now)
    ids = erasure.back_again(reading(), erasure_log.everybody())
    if ids:
        _overwriting(lambda session: erasure.erase_again(session, ids, now=now))
        done.owed = _finish_all(now)
    return done


@contextmanager
def _alone(slug: str, done: Purged) -> Iterator[None]:
    """Whatever is wrong with this event, the others are not to wait for it. A database that is away
    is no event's fault."""
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


def before_restore() -> None:
    """Write down whom this database knows to be erased, as long as it is there. One that is damaged
    is no hindrance."""
    try:
        if checks.has_column("registrations", "erased_at"):
            note()
    except DBAPIError:
        current_app.logger.warning(
            "the database cannot be read; who was erased is known from the list alone"
        )
    finally:
        reading().rollback()


def note() -> None:
    """Write down everybody whom the database knows to be erased: also by another machine, or just
    before a crash. Numbers in a list of before become tickets, if it is certain whose they are."""
    certain = erasure.certainly_erased(reading())
    erasure_log.remember(certain.values())
    erasure_log.settle(certain)
    if numbers := erasure_log.unsure():
        current_app.logger.warning(
            "forgotten.txt names %d registrations by number alone; see doctor", len(numbers)
        )


def is_owed() -> bool:
    """Whether files of the database are still to be scrubbed."""
    return bool(_owed())


def finish() -> bool:
    """Remember and scrub what is owed; says whether nothing is owed any more."""
    owed = _owed()
    if not owed:
        return True
    try:
        note()
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


def _overwriting(act: Callable[[Session], T]) -> T:
    """Do the act. From before it until the files are scrubbed, a mark says what is owed."""
    (_folder() / f"scrub-owed.{tokens.opaque()}").touch(mode=0o600)
    done = write(act)
    reading().rollback()
    return done


def _finish_all(now: datetime) -> list[str]:
    """The rest: files of the database, then automatic backups. Returns what could not be done, in
    words."""
    if not finish():
        return ["the database's files are still to be scrubbed"]
    try:
        old_backups.let_go(now=now, purged_at=erasure.purged_at(reading()))
    except (BackupRefused, OSError, Busy, *AWAY) as error:
        current_app.logger.error(
            "no fresh backup: the old automatic ones are kept: %s", type(error).__name__
        )
        return ["no fresh backup could be made: automatic backups from before still hold names"]
    finally:
        reading().rollback()
    return []


def _folder() -> Path:
    return Path(current_app.extensions["settings"].instance)


def _owed() -> list[Path]:
    return sorted(_folder().glob("scrub-owed.*"))


def findings(*, now: datetime) -> Iterator[Finding]:
    """What doctor asks of forgetting."""
    unsure = erasure_log.unsure()
    yield Finding(
        "who was erased is known by ticket",
        not unsure,
        f"forgotten.txt names registrations {', '.join(map(str, unsure))} by number alone, which "
        "erases nobody: erase them "
        "on their pages once more if they are to stay erased, or take the lines out"
        if unsure
        else "no number alone",
    )
    yield Finding("nothing is left to scrub", not is_owed(), "owed" if is_owed() else "nothing")
    late = _late(now)
    yield Finding(
        "names go when their time is over", not late, ", ".join(late) or "none stands longer"
    )
    old = old_backups.to_let_go(now=now, purged_at=erasure.purged_at(reading()))
    yield Finding(
        "automatic backups hold nobody whose time is over",
        not old,
        ", ".join(path.name for path in old) or "none",
    )


def _late(now: datetime) -> list[str]:
    """Events of which something should have been forgotten a day ago, or of which nobody can
    tell."""
    told = due(now=now - _OVERDUE)
    return sorted(
        {one.slug for one in told.found} | {f"{slug} (cannot be read)" for slug in told.failed}
    )
