"""What a ruling on one act needs and what it is, and what the acts before it say about a person."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from eventreg.core.audit import Actor
from eventreg.core.door.book import Book
from eventreg.core.models.attendance import CheckIn
from eventreg.core.models.door import DoorAct
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Attendee
from eventreg.core.uploads.acts import Act, Kind
from eventreg.core.uploads.sightings import Said


class Result(StrEnum):
    """What became of an act."""

    CHECKED_IN = "checked_in"
    ALREADY_IN = "already_in"
    UNDONE = "undone"
    NOT_IN = "not_in"
    GIFT_GIVEN = "gift_given"
    GIFT_ALREADY = "gift_already"
    GIFT_UNDONE = "gift_undone"
    OWED = "owed"
    WALKED_IN = "walked_in"
    NO_SEAT = "no_seat"
    ADMITTED_CANCELLED = "admitted_cancelled"
    WAITING = "waiting"
    RENAMED = "renamed"
    CONFIRMED = "confirmed"
    SEATED = "seated"
    RESTORED = "restored"
    RELEASED = "released"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    INVALID = "invalid"


class Clash(StrEnum):
    """Why a person has to look at an act."""

    DOUBLE = "double"
    """Two doors saw the same person."""
    ADMITTED_CANCELLED = "admitted-cancelled"
    WAITING = "waiting"
    """A door wanted to let in somebody who has no seat."""
    UNKNOWN = "unknown"
    """The event has no such person."""
    NO_SEAT = "no-seat"
    """A door took down a walk-in without a network, and there was no seat."""
    REFUSED = "refused"
    GIFT_DOUBLE = "gift-double"
    GIFT_NOT_IN = "gift-not-in"
    """A gift for somebody who has not come."""


@dataclass(frozen=True)
class Ruling:
    """What became of one act. ``clash`` says why a person has to look at it; ``more`` is further
    content of the answer."""

    result: Result
    reason: str = ""
    clash: Clash | None = None
    late: bool = False
    person: Attendee | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    def told(self, act: Act) -> dict[str, Any]:
        """The answer to the act."""
        answer: dict[str, Any] = {"key": act.key, "result": self.result.value, **self.more}
        if self.late:
            answer["late"] = True
        if self.reason:
            answer["reason"] = self.reason
        if self.person is not None and self.person.public_id != act.attendee:
            answer["attendee"] = self.person.public_id
        if self.clash:
            answer["clash"] = self.clash.value
        return answer


@dataclass(frozen=True)
class Case:
    """One act to rule on: who did it, when it happened by the server's clock, and for whom."""

    session: Session
    event: Event
    act: Act
    person: Attendee | None
    acted_at: datetime
    order: int
    by: Actor
    now: datetime
    secret_key: str
    known: "Known"

    @property
    def waited_for_answer(self) -> bool:
        """Whether the volunteer still had the person there when the server ruled."""
        return (self.now - self.acted_at).total_seconds() < 60


_CAME = {Kind.CHECK_IN: True, Kind.WALK_IN: True, Kind.UNDO: False}
_GIVEN = {Kind.GIFT: True, Kind.GIFT_UNDO: False}
_NOTHING = {Result.WAITING, Result.NO_SEAT, Result.REFUSED}
"""Acts with these results say nothing about who came."""
_past = (
    select(
        DoorAct.attendee_id,
        DoorAct.act,
        DoorAct.result,
        DoorAct.device,
        DoorAct.seq,
        DoorAct.id,
        DoorAct.acted_at,
        DoorAct.by_staff_id,
    )
    .where(
        DoorAct.event_id == bindparam("event"),
        DoorAct.attendee_id.in_(bindparam("people", expanding=True)),
        DoorAct.act.in_([*_CAME, *_GIVEN]),
    )
    .order_by(DoorAct.id)
)
_settle = (
    update(DoorAct)
    .where(
        DoorAct.event_id == bindparam("event"),
        DoorAct.attendee_id == bindparam("person"),
        DoorAct.clash == bindparam("which"),
        DoorAct.settled_at.is_(None),
    )
    .values(
        settled_at=bindparam("at", type_=DoorAct.received_at.type),
        settled_by_staff_id=bindparam("staff"),
        typed=None,
    )
    .execution_options(synchronize_session=False)
)
_add = insert(DoorAct)
_BATCH = 500


class Known:
    """What is known about the people of a batch: read once, and kept as the acts are applied. It
    also writes the acts, with their rulings."""

    def __init__(self, session: Session, event: Event) -> None:
        self._session, self._event = session, event
        self.book = Book(session, event)
        self.names: Mapping[str, str] = {}
        """The name of each door."""
        self._came: dict[int, list[Said]] = defaultdict(list)
        self._given: dict[int, list[Said]] = defaultdict(list)
        self._people: dict[int, None] = {}
        self._acts: list[dict[str, Any]] = []

    def read(self, people: Iterable[int]) -> None:
        """Read what earlier acts say of these people."""
        ids = [one for one in dict.fromkeys(people) if one not in self._people]
        self._people |= dict.fromkeys(ids)
        self.book.read(ids)
        for start in range(0, len(ids), _BATCH):
            some = ids[start : start + _BATCH]
            parameters = {"event": self._event.id, "people": some}
            for row in self._session.execute(_past, parameters):
                if row.result not in _NOTHING:
                    what = (row.device, row.seq, row.id, True, row.acted_at, row.by_staff_id)
                    self.add(row.attendee_id or 0, Kind(row.act), Said(*what))

    def add(self, person: int, kind: Kind, said: Said) -> None:
        """Note one more act; others than those of check-in and gift say nothing here."""
        for kinds, acts in ((_CAME, self._came), (_GIVEN, self._given)):
            if kind in kinds:
                acts[person].append(
                    Said(said.device, said.seq, said.order, kinds[kind], said.at, said.staff_id)
                )

    def came(self, person: Attendee) -> list[Said]:
        """What the acts say about the person's arrival."""
        return self._came[person.id]

    def came_of(self, person: int) -> list[Said]:
        """The same, by the row's id."""
        return self._came[person]

    def given(self, person: Attendee) -> list[Said]:
        """What the acts say about the person's gift."""
        return self._given[person.id]

    def check_in(self, person: Attendee) -> CheckIn | None:
        """The person's check-in that stands."""
        return self.book.check_in(person.id)

    def forget(self) -> None:
        """Read everything again, after an act was rolled back."""
        ids = list(self._people)
        for read in (self._people, self._came, self._given, self._acts):
            read.clear()
        self.book.forget()
        self.read(ids)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Write everything that is ruled within at its end, in a few statements; nothing if it
        raises."""
        with self.book.together():
            yield
        self.write_acts()

    def keep_act(self, row: dict[str, Any]) -> None:
        """Keep an act, with its ruling, for ``write_acts``."""
        self._acts.append({**row, "settled_at": None, "settled_by_staff_id": None})

    def write_acts(self) -> None:
        """Write the acts that were kept."""
        if self._acts:
            self._session.connection().execute(_add, self._acts)
        self._acts.clear()

    def settle(self, person: Attendee, clash: Clash, *, by: Actor, now: datetime) -> None:
        """Settle what stands about the person, because an act has made it right."""
        settled = {"settled_at": now, "settled_by_staff_id": by.staff_id, "typed": None}
        for row in self._acts:
            if (row["attendee_id"], row["clash"], row["settled_at"]) == (person.id, clash, None):
                row.update(settled)
        same = {"event": self._event.id, "person": person.id, "which": clash}
        self._session.execute(_settle, {**same, "at": now, "staff": by.staff_id})


def settle_by_act(case: Case, person: Attendee, clash: Clash) -> None:
    """Settle what stands about the person, because this act has made it right."""
    case.known.settle(person, clash, by=case.by, now=case.now)
