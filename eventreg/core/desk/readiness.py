"""The self-test of the evening before: what is ready for the morning, and what is not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from eventreg.core.desk import print_history
from eventreg.core.door import device_checks, devices
from eventreg.core.models.door import DoorDevice
from eventreg.core.models.event import Event

SHOWN_BEFORE = timedelta(days=2)
"""How long before the start of an event its self-test is linked."""
LIST_IS_OLD = timedelta(hours=12)
"""The age from which the list on a telephone should be fetched again."""
_BACKUP_IS_OLD = timedelta(hours=24)
_LEAST_FREE = 500
"""Megabytes that should be free on the disk."""


@dataclass(frozen=True)
class Machine:
    """What the server says of itself."""

    https: bool
    backup_at: datetime | None
    free_megabytes: int


@dataclass(frozen=True)
class Point:
    """One thing that was looked at. ``said`` selects its sentence, and ``values`` fill it in; a
    moment among them is shown in the event's zone. ``about`` is what to do something about."""

    about: str
    said: str
    is_good: bool
    values: dict[str, object] = field(default_factory=dict)


def is_shown(event: Event, now: datetime) -> bool:
    """Whether it is time for the self-test: from two days before the start until the end."""
    return event.starts_at - SHOWN_BEFORE <= now < event.ends_at


def points(session: Session, event: Event, machine: Machine, *, now: datetime) -> list[Point]:
    """Everything that was looked at, in the order in which it is put right. The clock is not among
    it: only the browser knows its own."""
    doors = [one for one in devices.of_event(session, event) if one.revoked_at is None]
    return [
        Point("https", "https", True) if machine.https else Point("https", "no_https", False),
        _paper(session, event),
        *_doors(doors, now),
        _camera(doors),
        _backup(machine, now),
        _disk(machine),
    ]


def _paper(session: Session, event: Event) -> Point:
    prints = print_history.latest(session, event)
    if prints.at is None:
        return Point("paper", "paper_none", False)
    new, gone = print_history.count_differences(session, event, prints)
    if new or gone:
        return Point("paper", "paper_old", False, {"time": prints.at, "new": new, "gone": gone})
    return Point("paper", "paper", True, {"time": prints.at})


def _doors(doors: Sequence[DoorDevice], now: datetime) -> Iterator[Point]:
    if not doors:
        yield Point("doors", "doors_none", False)
    for door in doors:
        values: dict[str, object] = {"door": door.name}
        if door.unsent:
            yield Point("doors", "door_unsent", False, {**values, "count": door.unsent})
        elif door.roster_at is None:
            yield Point("doors", "door_no_list", False, values)
        else:
            is_fresh = now - door.roster_at <= LIST_IS_OLD
            said = "door" if is_fresh else "door_old_list"
            yield Point("doors", said, is_fresh, {**values, "time": door.roster_at})


def _camera(doors: Sequence[DoorDevice]) -> Point:
    """One working camera is enough; without any, people are searched for."""
    works = [one.name for one in doors if device_checks.read(one.checks).get("camera") == "ok"]
    if works:
        return Point("camera", "camera", True, {"door": works[0]})
    return Point("camera", "camera_none", False)


def _backup(machine: Machine, now: datetime) -> Point:
    if machine.backup_at is None:
        return Point("backup", "backup_none", False)
    is_fresh = now - machine.backup_at <= _BACKUP_IS_OLD
    said = "backup" if is_fresh else "backup_old"
    return Point("backup", said, is_fresh, {"time": machine.backup_at})


def _disk(machine: Machine) -> Point:
    has_room = machine.free_megabytes >= _LEAST_FREE
    values: dict[str, object] = {"megabytes": machine.free_megabytes}
    return Point("disk", "disk" if has_room else "disk_full", has_room, values)
