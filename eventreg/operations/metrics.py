"""The figures of this server for monitoring, as Prometheus reads them. No label names a person.

What the processes have counted is in the tally. Everything else is read at the moment of asking.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from flask import Flask, current_app
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from eventreg.clock import utc_now
from eventreg.core import deliveries, figures, operation_runs
from eventreg.core.operation_runs import Operation
from eventreg.operations import readiness
from eventreg.server.tally import WAITS, Tally
from eventreg.storage.session import db, reading

CONTENT_TYPE = CONTENT_TYPE_LATEST
_CLOCKS = {
    "postgresql": "SELECT extract(epoch FROM clock_timestamp())",
    "sqlite": "SELECT (julianday('now') - 2440587.5) * 86400",
}
"""What the time is by the clock of the database, in seconds since 1970."""


def page(app: Flask, now: datetime) -> bytes:
    """All figures. If the database is away, those that come from it are missing, and its fault is
    among the faults."""
    codes = {fault.code for fault in readiness.faults(app, now)}
    with app.app_context():
        found = [*_of_processes(), *_of_machine(), _of_faults(codes)]
        if not codes & {"database", "schema"}:
            found += _of_database(now)
    registry = CollectorRegistry()
    registry.register(_Found(found))
    return generate_latest(registry)


class _Found(Collector):
    def __init__(self, found: Sequence[Metric]) -> None:
        self._found = found

    def describe(self) -> Sequence[Metric]:
        """The names need not be checked: this is the only collector."""
        return []

    def collect(self) -> Sequence[Metric]:
        return self._found


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(f"eventreg_{name}", told, value=value)


def _of_processes() -> Iterator[Metric]:
    tally: Tally = current_app.extensions["tally"]
    answered = CounterMetricFamily(
        "eventreg_requests", "Answered requests by page and status.", labels=("route", "status")
    )
    for route, status, count in tally.requests():
        answered.add_metric((route, status), count)
    yield answered
    yield CounterMetricFamily(
        "eventreg_sign_in_failures",
        "Sign-ins with a wrong name, password or code.",
        value=tally.sign_in_failures(),
    )
    counts = tally.waits()
    yield HistogramMetricFamily(
        "eventreg_writer_wait_seconds",
        "How long writers waited for their turn.",
        buckets=list(zip([*map(str, WAITS), "+Inf"], counts, strict=True)),
        sum_value=tally.seconds_waited(),
    )


def _of_machine() -> Iterator[Metric]:
    free = readiness.free_megabytes() * readiness.MEGABYTE
    yield _gauge("disk_free_bytes", "Free space where the database is.", free)


def _of_faults(codes: set[str]) -> Metric:
    faults = GaugeMetricFamily(
        "eventreg_fault", "1 if this keeps the server from being ready.", labels=("code",)
    )
    for code in readiness.CODES:
        faults.add_metric((code,), code in codes)
    return faults


def _of_database(now: datetime) -> Sequence[Metric]:
    """Empty if the database has gone away meanwhile."""
    try:
        return [*_of_events(now), *_of_doors(now), *_of_outbox(now), *_of_backup(now), _offset()]
    except SQLAlchemyError:
        return []


def _of_events(now: datetime) -> Iterator[Metric]:
    seats = GaugeMetricFamily(
        "eventreg_seats", "Seats of an event by their state.", labels=("event", "state")
    )
    capacity = GaugeMetricFamily("eventreg_capacity", "Seats of an event.", labels=("event",))
    waiting = GaugeMetricFamily("eventreg_waiting", "People who wait.", labels=("event",))
    for slug, count in figures.seat_counts(reading(), now=now):
        for state, number in (
            ("confirmed", count.taken),
            ("free", count.left),
            ("held", count.held),
            ("over", count.over),
        ):
            seats.add_metric((slug, state), number)
        capacity.add_metric((slug,), count.capacity)
        waiting.add_metric((slug,), count.waiting)
    sources = GaugeMetricFamily(
        "eventreg_registrations",
        "Registrations that were not cancelled, by how they were made.",
        labels=("event", "source"),
    )
    for one in figures.source_counts(reading(), now=now):
        sources.add_metric((one.slug, one.source), one.registrations)
    yield from (seats, capacity, waiting, sources)


def _of_doors(now: datetime) -> Iterator[Metric]:
    unsent = GaugeMetricFamily(
        "eventreg_door_unsent_acts",
        "Acts that a door had not uploaded when it was last in contact.",
        labels=("event", "door"),
    )
    seen = GaugeMetricFamily(
        "eventreg_door_last_contact_seconds",
        "How long ago a door was in contact.",
        labels=("event", "door"),
    )
    for door in figures.doors(reading(), now=now):
        labels = (door.slug, str(door.number))
        unsent.add_metric(labels, door.unsent)
        if door.seen_at is not None:
            seen.add_metric(labels, _seconds(now - door.seen_at))
    yield from (unsent, seen)


def _of_outbox(now: datetime) -> Iterator[Metric]:
    since = deliveries.oldest_owed(reading())
    age = _seconds(now - since) if since else 0
    yield _gauge("outbox_mails", "Mails that are still to be sent.", deliveries.owed(reading()))
    yield _gauge("outbox_oldest_seconds", "The age of the oldest of them, or 0.", age)


def _of_backup(now: datetime) -> Iterator[Metric]:
    made = operation_runs.last(reading(), Operation.BACKUP).succeeded_at
    if made is not None:
        told = "The age of the last good backup; missing if there is none."
        yield _gauge("backup_age_seconds", told, _seconds(now - made))


def _offset() -> Metric:
    before = utc_now().timestamp()
    found = float(reading().execute(text(_CLOCKS[db.engine.dialect.name])).scalar_one())
    between = (before + utc_now().timestamp()) / 2
    told = "How far the database's clock is ahead of this machine's."
    return _gauge("clock_offset_seconds", told, found - between)


def _seconds(age: timedelta) -> float:
    return max(0.0, age.total_seconds())
