"""Everything that is looked at, as points that are good or bad, and what the program does next.

The status page shows all points. An alarm is sent for those that can turn bad by themselves.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flask import Flask, current_app

from eventreg.core import operation_runs
from eventreg.core.backups import times
from eventreg.core.errors import Busy
from eventreg.core.event import events
from eventreg.core.operation_runs import Operation, Run
from eventreg.operations import doctor, readiness
from eventreg.operations.backing_up import running
from eventreg.operations.readiness import Fault
from eventreg.settings.table import Settings
from eventreg.storage.session import AWAY, reading

_SET_UP = frozenset({"https", "alarm"})
"""Points that a person sets once. They raise no alarm: they never turn bad by themselves."""
_IN_AREA = {"database": "file", "server": "key", "forgetting": "forgetting"}
_OF_NAME = {"only the owner may read the instance folder": "modes"}
_SUMS = "sums"
"""The point of the invariants of all events."""


@dataclass(frozen=True)
class Point:
    """One thing that was looked at. ``code`` and ``said`` select its sentence, and ``values`` fill
    it in. ``details`` are lines of ``doctor`` for who mends it."""

    code: str
    is_good: bool
    values: dict[str, object] = field(default_factory=dict)
    details: Sequence[str] = ()
    said: str = ""

    @property
    def sentence(self) -> str:
        """The key of its sentence, without its beginning."""
        return f"{self.code}_{self.said or ('good' if self.is_good else 'bad')}"

    @property
    def raises_alarm(self) -> bool:
        """Whether somebody is told if it turns bad."""
        return self.code not in _SET_UP


@dataclass(frozen=True)
class Due:
    """What the program does next by itself, and when."""

    code: str
    at: datetime


def points(app: Flask, *, now: datetime) -> list[Point]:
    """Everything, in the order in which it is mended. ``doctor`` looks at every row, which may take
    seconds in a large house."""
    return [*quick(app, now=now), *of_doctor(), *_of_setting_up()]


def quick(app: Flask, *, now: datetime) -> list[Point]:
    """What can be looked at every minute."""
    settings: Settings = app.extensions["settings"]
    found = {fault.code: fault for fault in readiness.faults(app, now)}
    with app.app_context():
        made = [_of_fault("database", found, "schema"), _of_fault("disk", found)]
        if settings.smtp_url:
            made.append(_of_fault("outbox", found))
        try:
            made += _of_backups(settings, now)
        except (Busy, *AWAY):  # the point about the database is bad already
            reading().rollback()
    return made


def _of_fault(code: str, found: dict[str, Fault], *others: str) -> Point:
    faults = [found[one] for one in (code, *others) if one in found]
    amount = next((one.amount for one in faults if one.amount is not None), 0)
    return Point(code, not faults, {"amount": amount}, [one.detail for one in faults])


def _of_backups(settings: Settings, now: datetime) -> Iterator[Point]:
    if settings.backups is None:
        yield Point("backup_off", False)
        return
    failing = {one.name: one for one in running.failing()}
    last = operation_runs.last(reading(), Operation.BACKUP)
    is_old = last.succeeded_at is not None and now - last.succeeded_at > readiness.OLDEST_BACKUP
    yield _of_run("backup", last, is_bad=Operation.BACKUP in failing or is_old)
    for code, operation in (("copy", Operation.COPY), ("drill", Operation.DRILL)):
        run = operation_runs.last(reading(), operation)
        if run.started_at is not None:
            yield _of_run(code, run, is_bad=operation in failing)
    reading().rollback()


def _of_run(code: str, run: Run, *, is_bad: bool) -> Point:
    """A point about an operation. A first run that is still to come is good."""
    if run.succeeded_at is None and not is_bad:
        return Point(code, True, said="to_come")
    reason = [f"{run.name}: {run.reason}"] if run.reason else []
    if run.succeeded_at is None:
        return Point(code, False, {}, reason, said="never")
    return Point(code, not is_bad, {"at": run.succeeded_at}, reason)


def of_doctor() -> list[Point]:
    """What ``doctor`` finds, gathered into a few points."""
    codes = dict.fromkeys(("file", "modes", "key", "forgetting", _SUMS))
    wrong: dict[str, list[str]] = {code: [] for code in codes}
    try:
        for area, finding in doctor.findings():
            if not finding.holds:
                code = _OF_NAME.get(finding.name) or _IN_AREA.get(area, _SUMS)
                wrong[code].append(f"{area}: {finding.name} ({finding.detail})")
    except (Busy, *AWAY):  # the point about the database is bad already
        reading().rollback()
        return []
    return [Point(code, not details, {}, details) for code, details in wrong.items()]


def _of_setting_up() -> Iterator[Point]:
    settings: Settings = current_app.extensions["settings"]
    yield Point("https", settings.https)
    yield Point("alarm", bool(settings.alarm_mail or settings.alarm_webhook or settings.ping_url))


def coming(*, now: datetime) -> list[Due]:
    """What the program does next by itself, the earliest first."""
    settings: Settings = current_app.extensions["settings"]
    found = [
        Due("purge", ends)
        for event in events.all_events(reading())
        if (ends := events.kept_until(event)) > now
    ][:1]
    if settings.backups is not None:
        found += _of_interval("backup", Operation.BACKUP, times.HOURLY, now)
        found += _of_interval("drill", Operation.DRILL, times.DRILLED, now)
    return sorted(found, key=lambda due: due.at)


def _of_interval(code: str, operation: str, interval: timedelta, now: datetime) -> Iterator[Due]:
    last = operation_runs.last(reading(), operation).succeeded_at
    if last is not None:
        yield Due(code, max(last + interval, now))


def bad(found: Iterable[Point]) -> list[Point]:
    """Those that need somebody."""
    return [one for one in found if not one.is_good]
