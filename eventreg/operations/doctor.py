"""What ``doctor`` finds: whether the database keeps its word, who may read the files, and whether
every invariant holds."""

import os
from collections.abc import Iterator
from datetime import datetime

from flask import current_app

from eventreg.app_clock import current_time
from eventreg.core import invariants
from eventreg.core.errors import Busy
from eventreg.core.event import events
from eventreg.core.invariants import Finding
from eventreg.core.registration import form_keys
from eventreg.operations import forgetting
from eventreg.settings import Settings
from eventreg.storage import checks, modes
from eventreg.storage.session import AWAY, db, reading

_MOST_TOLD = 10


def findings() -> Iterator[tuple[str, Finding]]:
    """Every finding, with what it is about. Changes nothing, so that it is safe on a live
    system."""
    settings: Settings = current_app.extensions["settings"]
    now = current_time()
    yield "database", Finding("mode", True, checks.mode())
    lost = checks.lost_file()
    yield (
        "database",
        Finding("file is the one that was last written to", not lost, lost or "in its place"),
    )
    kept = checks.left_over()
    told = f"{kept} is kept; look who is missing in the list, then remove it" if kept else "none"
    yield "database", Finding("no log of a file that was replaced", kept is None, told)
    faults = list(checks.faults())
    yield (
        "database",
        Finding("settings that keep promises", not faults, "; ".join(faults) or "as they must be"),
    )
    found, head = checks.schema()
    yield "database", Finding("tables are those of this program", found == head, f"{found}")
    yield "database", _soundness()
    yield "database", _modes(settings)
    stale = form_keys.count_old(reading(), now=now)
    yield (
        "database",
        Finding(
            "form keys",
            True,
            f"{stale} older than {form_keys.KEPT.days} days, dropped at the next start",
        ),
    )
    yield (
        "server",
        Finding(
            "cookies",
            True,
            "Secure" if settings.https else "not Secure: the public address is plain http",
        ),
    )
    if found != head:
        return
    right = checks.knows_the_key()
    yield (
        "server",
        Finding(
            "secret key", right, "the one of the tickets" if right else "not the one of the tickets"
        ),
    )
    for finding in forgetting.findings(now=now):
        yield "forgetting", finding
    for slug in [event.slug for event in events.all_events(reading())]:
        yield from _of_event(slug, now)


def _of_event(slug: str, now: datetime) -> Iterator[tuple[str, Finding]]:
    """What holds of one event. One that cannot be read is a finding, and does not hide the
    others."""
    try:
        for finding in invariants.of_event(
            reading(), events.get(reading(), slug), now=now
        ).findings:
            yield slug, finding
    except (Busy, *AWAY):
        raise
    except Exception as error:
        reading().rollback()
        yield slug, Finding("the event can be read", False, type(error).__name__)


def _soundness() -> Finding:
    if db.engine.dialect.name != "sqlite":
        return Finding("rows and their owners", True, "kept by PostgreSQL's foreign keys")
    found = checks.sqlite_damage()
    return Finding(
        "file is sound, no row without its owner",
        not found,
        found or "integrity_check, foreign_key_check",
    )


def _modes(settings: Settings) -> Finding:
    """Only the owner may read what is in the instance folder, whatever it is called."""
    open_ = [
        os.path.relpath(path, settings.instance.parent) for path in modes.open_to_others(settings)
    ]
    told = ", ".join(open_[:_MOST_TOLD]) + (
        f", and {len(open_) - _MOST_TOLD} more" if len(open_) > _MOST_TOLD else ""
    )
    return Finding(
        "only the owner may read the instance folder", not open_, told or "modes are closed"
    )
