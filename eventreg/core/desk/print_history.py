"""What was printed last, and what has changed since: paper does not correct itself."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.desk import attendee_list
from eventreg.core.desk.attendee_list import Row
from eventreg.core.models.audit import AuditEntry
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Attendee

_MOST_KEPT = 2_000
"""People of one print whose ids are kept; a longer list is printed anew."""


class Part(StrEnum):
    """Which part of the list was printed."""

    ALL = "all"
    NEW = "new"
    CHOSEN = "chosen"


@dataclass(frozen=True)
class Printout:
    """What one print holds: which part of the list, how many people, and who, unless they are too
    many to be kept."""

    part: Part
    people: int
    attendees: Sequence[int]


@dataclass(frozen=True)
class Prints:
    """The last whole list and the supplements to it: when, and who stands on them, in the order of
    the paper."""

    at: datetime | None
    people: tuple[int, ...]


@dataclass(frozen=True)
class Differences:
    """What the paper does not know: people who are new, and those on it who have gone, with their
    number on it."""

    new: Sequence[Row]
    gone: Sequence[tuple[int, str]]


@dataclass(frozen=True)
class Line:
    """One line of the paper, with its number there; ``row`` is ``None`` where the person's seat was
    cancelled since."""

    number: int
    public_id: str
    name: str
    row: Row | None


def printout(part: Part, people: Sequence[Row]) -> Printout:
    """What a print of these people would hold."""
    ids = [row.attendee_id for row in people] if len(people) <= _MOST_KEPT else []
    return Printout(part, len(people), ids)


def record(session: Session, event: Event, made: Printout, *, by: Actor, now: datetime) -> None:
    """Write down who printed the list, and who is on it."""
    audit.record(
        session,
        Action.LIST_PRINTED,
        by,
        now=now,
        event_id=event.id,
        part=made.part,
        people=made.people,
        attendees=list(made.attendees),
    )


def latest(session: Session, event: Event) -> Prints:
    """The paper as it lies on the table: the last whole list, and what was added to it since."""
    printed = (AuditEntry.event_id == event.id, AuditEntry.action == Action.LIST_PRINTED)
    newest = (
        select(AuditEntry.at, AuditEntry.details)
        .where(*printed)
        .order_by(AuditEntry.id.desc())
        .limit(200)
    )
    since: list[list[int]] = []
    for at, details in session.execute(newest):
        if details["part"] == Part.CHOSEN:
            continue
        since.insert(0, details["attendees"])
        if details["part"] == Part.ALL:
            return Prints(at, tuple(dict.fromkeys(person for part in since for person in part)))
    return Prints(None, ())


def differences(session: Session, event: Event, prints: Prints) -> Differences:
    """What has changed since it was printed; nothing where nothing was."""
    if prints.at is None:
        return Differences((), ())
    seated = attendee_list.confirmed(session, event)
    known, here = set(prints.people), {row.attendee_id for row in seated}
    called = _called(session, prints, here)
    gone = [
        (number, called[person][1])
        for number, person in enumerate(prints.people, start=1)
        if person in called
    ]
    return Differences([row for row in seated if row.attendee_id not in known], gone)


def _called(session: Session, prints: Prints, here: Collection[int]) -> dict[int, tuple[str, str]]:
    """Random id and name of those on the paper who are not ``here`` any more."""
    missing = [person for person in prints.people if person not in here]
    asked = select(Attendee.id, Attendee.public_id, Attendee.name).where(Attendee.id.in_(missing))
    return {row: (public_id, name) for row, public_id, name in session.execute(asked)}


def is_outdated(session: Session, event: Event, prints: Prints) -> tuple[int, int]:
    """How many people the paper lacks, and how many on it have gone; none where it is too long to
    be known."""
    if not prints.people:
        return 0, 0
    changed = differences(session, event, prints)
    return len(changed.new), len(changed.gone)


def lines(session: Session, event: Event) -> Sequence[Line]:
    """The paper line by line, so that nobody who types it back slips by one: who has gone since
    keeps the line, and who has a seat but is not on the paper comes last, as they came."""
    seated = {row.attendee_id: row for row in attendee_list.confirmed(session, event)}
    prints = latest(session, event)
    called = _called(session, prints, seated) | {
        person: (row.public_id, row.name) for person, row in seated.items()
    }
    paper = [
        Line(number, *called[person], seated.get(person))
        for number, person in enumerate(prints.people, start=1)
        if person in called
    ]
    known, first = set(prints.people), len(prints.people) + 1
    others = [row for row in seated.values() if row.attendee_id not in known]
    if known:
        others.sort(key=lambda row: (row.registration_id, row.place))
    return paper + [
        Line(number, row.public_id, row.name, row) for number, row in enumerate(others, first)
    ]
