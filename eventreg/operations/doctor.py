"""The findings of ``doctor`` about the database, its files, and every invariant.

It changes nothing, so it is safe on a live system.
"""

import os
from collections.abc import Iterator
from datetime import datetime

from flask import current_app

from eventreg.app_clock import current_time
from eventreg.core import invariants
from eventreg.core.errors import Busy
from eventreg.core.event import events
from eventreg.core.invariants import Finding
from eventreg.core.registration import sent_forms
from eventreg.operations import forgetting
from eventreg.settings.table import Settings
from eventreg.storage import checks, modes
from eventreg.storage.session import AWAY, db, reading
from eventreg.version import VERSION

_MOST_PATHS = 10
"""How many paths that others may read are named. The rest are counted."""


def findings() -> Iterator[tuple[str, Finding]]:
    """Every finding, with its area. Events are only looked at if this program runs on the
    tables."""
    now = current_time()
    for finding in _of_database(now):
        yield "database", finding
    has_our_tables = checks.has_usable_tables()
    for finding in _of_server(has_our_tables):
        yield "server", finding
    if not has_our_tables:
        return
    for finding in forgetting.findings(now=now):
        yield "forgetting", finding
    for slug in [event.slug for event in events.all_events(reading())]:
        for finding in _of_event(slug, now):
            yield slug, finding


def _of_database(now: datetime) -> Iterator[Finding]:
    yield Finding("mode", True, checks.mode())
    lost = checks.lost_file()
    yield Finding("file is the one that was last written to", not lost, lost or "in its place")
    kept = checks.left_over()
    told = f"{kept} is kept; look who is missing in the list, then remove it" if kept else "none"
    yield Finding("no log of a file that was replaced", kept is None, told)
    faults = "; ".join(checks.wrong_settings())
    yield Finding("settings that keep promises", not faults, faults or "as they must be")
    found, _ = checks.schema()
    yield Finding("this program runs on the tables", checks.has_usable_tables(), f"{found}")
    yield _soundness()
    yield _modes()
    stale = sent_forms.count_old(reading(), now=now)
    kept_days = sent_forms.KEPT.days
    told = f"{stale} older than {kept_days} days, dropped at the next start"
    yield Finding("form keys", True, told)


def _soundness() -> Finding:
    if db.engine.dialect.name != "sqlite":
        return Finding("rows and their owners", True, "kept by PostgreSQL's foreign keys")
    found = checks.sqlite_damage()
    told = found or "integrity_check, foreign_key_check"
    return Finding("file is sound, no row without its owner", not found, told)


def _modes() -> Finding:
    """Only the owner may read what is in the instance folder."""
    settings: Settings = current_app.extensions["settings"]
    above = settings.instance.parent
    paths = [os.path.relpath(path, above) for path in modes.open_to_others(settings)]
    told = ", ".join(paths[:_MOST_PATHS])
    if len(paths) > _MOST_PATHS:
        told += f", and {len(paths) - _MOST_PATHS} more"
    name = "only the owner may read the instance folder"
    return Finding(name, not paths, told or "modes are closed")


def _of_server(has_our_tables: bool) -> Iterator[Finding]:
    is_secure = current_app.extensions["settings"].https
    told = "Secure" if is_secure else "not Secure: the public address is plain http"
    yield Finding("version", True, VERSION)
    yield Finding("cookies", True, told)
    if has_our_tables:
        is_right = checks.has_our_key()
        told = "the one of the tickets" if is_right else "not the one of the tickets"
        yield Finding("secret key", is_right, told)


def _of_event(slug: str, now: datetime) -> Iterator[Finding]:
    """The invariants of one event. An event that cannot be read is a finding and does not hide the
    others."""
    try:
        event = events.get(reading(), slug)
        yield from invariants.of_event(reading(), event, now=now).findings
    except (Busy, *AWAY):
        raise
    except Exception as error:
        reading().rollback()
        yield Finding("the event can be read", False, type(error).__name__)
