"""The printed check-in lists: what was printed, and what has changed since."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.desk import attendee_list
from eventreg.core.desk.attendee_rows import Row
from eventreg.core.models.audit import AuditEntry
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Attendee, Registration

_PAGE_OPEN = timedelta(minutes=10)
"""How long the page may have been open before it was recorded as printed."""
_MOST_KEPT = 2_000
"""Attendees whose ids are stored with a print. Of a longer list, only the number is stored."""


class Part(StrEnum):
    """Which part of the list was printed."""

    ALL = "all"
    NEW = "new"
    CHOSEN = "chosen"


@dataclass(frozen=True)
class Printout:
    """A print: the part of the list, the number of people, and their ids if not too many."""

    part: Part
    people: int
    attendees: Sequence[int]


@dataclass(frozen=True)
class Prints:
    """The last whole list with its supplements: when the whole list was printed, and the attendees
    on all of it in order. ``unknown`` people are on it whose ids were too many to store."""

    at: datetime | None
    people: tuple[int, ...]
    unknown: int = 0

    @property
    def count(self) -> int:
        """The number of people on the paper."""
        return len(self.people) + self.unknown


class Gone(NamedTuple):
    """An attendee on the paper who has no seat any more, and the number on the paper; ``None`` if
    it is unknown."""

    number: int | None
    name: str


@dataclass(frozen=True)
class Differences:
    """What changed since the print: attendees missing on the paper, and those to be crossed out."""

    new: Sequence[Row]
    gone: Sequence[Gone]


class DifferenceCounts(NamedTuple):
    """The numbers of new and gone attendees."""

    new: int
    gone: int


@dataclass(frozen=True)
class PaperRow:
    """A row of the paper; ``row`` is ``None`` if the attendee has no seat any more."""

    number: int
    public_id: str
    name: str
    row: Row | None


def printout(part: Part, people: Sequence[Row]) -> Printout:
    """The ``Printout`` of these people."""
    ids = [row.attendee_id for row in people] if len(people) <= _MOST_KEPT else []
    return Printout(part, len(people), ids)


def record(session: Session, event: Event, made: Printout, *, by: Actor, now: datetime) -> None:
    """Record in the audit trail who printed the list, and the ids of the attendees on it."""
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
    """The last whole list with the supplements printed since, if it is among the last 200 prints.
    Printed selections do not count."""
    printed = (AuditEntry.event_id == event.id, AuditEntry.action == Action.LIST_PRINTED)
    newest = (
        select(AuditEntry.at, AuditEntry.details)
        .where(*printed)
        .order_by(AuditEntry.id.desc())
        .limit(200)
    )
    parts: list[list[int]] = []
    unknown = 0
    for at, details in session.execute(newest):
        if details["part"] == Part.CHOSEN:
            continue
        parts.insert(0, details["attendees"])
        unknown += details["people"] - len(details["attendees"])
        if details["part"] == Part.ALL:
            people = dict.fromkeys(person for part in parts for person in part)
            return Prints(at, tuple(people), unknown)
    return Prints(None, ())


def differences(session: Session, event: Event, prints: Prints) -> Differences:
    """What has changed since the print; nothing if there was none. If ids on the paper are unknown,
    the times of registering, promoting and cancelling tell it."""
    if prints.at is None:
        return Differences((), ())
    seated = attendee_list.confirmed(session, event)
    if prints.unknown:
        return _by_time(session, event, prints, prints.at - _PAGE_OPEN, seated)
    on_paper, seated_ids = set(prints.people), {row.attendee_id for row in seated}
    without_seat = _without_seat(session, prints, seated_ids)
    gone = [
        Gone(number, without_seat[person].name)
        for number, person in enumerate(prints.people, start=1)
        if person in without_seat
    ]
    return Differences([row for row in seated if row.attendee_id not in on_paper], gone)


def _by_time(
    session: Session, event: Event, prints: Prints, since: datetime, seated: Sequence[Row]
) -> Differences:
    """What has changed since that time. Attendees of a supplement whose ids are known are not
    new."""
    of_event, on_paper = Registration.event_id == event.id, set(prints.people)
    promoted = set(
        session.scalars(select(Registration.id).where(of_event, Registration.promoted_at >= since))
    )
    new = [
        row
        for row in seated
        if row.attendee_id not in on_paper
        and (row.created_at >= since or row.registration_id in promoted)
    ]
    cancelled = (
        select(Attendee.name)
        .join(Registration, Registration.id == Attendee.registration_id)
        .where(of_event, Attendee.cancelled_at >= since, Attendee.code.is_not(None))
        .order_by(Attendee.id)
    )
    return Differences(new, [Gone(None, name) for name in session.scalars(cancelled)])


def _without_seat(session: Session, prints: Prints, seated: Collection[int]) -> dict[int, Attendee]:
    """The attendees on the paper who have no seat any more, by id."""
    missing = [person for person in prints.people if person not in seated]
    found = session.scalars(select(Attendee).where(Attendee.id.in_(missing)))
    return {attendee.id: attendee for attendee in found}


def count_differences(session: Session, event: Event, prints: Prints) -> DifferenceCounts:
    """The numbers of new and gone attendees; zero if nothing was printed."""
    changed = differences(session, event, prints)
    return DifferenceCounts(len(changed.new), len(changed.gone))


def paper_rows(session: Session, event: Event) -> Sequence[PaperRow]:
    """The rows of the paper in its order, for typing the ticked sheet back.

    Cancelled attendees keep their row, so that the rows stay aligned. Attendees with a seat who are
    not on the paper come last, in the order of registration. If nothing was printed, or the ids are
    unknown, the rows are everybody with a seat, in the order of the check-in list.
    """
    seated = {row.attendee_id: row for row in attendee_list.confirmed(session, event)}
    prints = latest(session, event)
    known: Mapping[int, Row | Attendee] = {**_without_seat(session, prints, seated), **seated}
    paper = [
        PaperRow(number, known[person].public_id, known[person].name, seated.get(person))
        for number, person in enumerate(prints.people, start=1)
        if person in known
    ]
    on_paper, next_number = set(prints.people), len(prints.people) + 1
    others = [row for row in seated.values() if row.attendee_id not in on_paper]
    if on_paper:
        others.sort(key=lambda row: (row.registration_id, row.place))
    return paper + [
        PaperRow(number, row.public_id, row.name, row)
        for number, row in enumerate(others, next_number)
    ]
