"""What a ruling on one act needs and what it is, and what the acts before it say about a person."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from eventreg.core.audit import Actor
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
_check_ins = (
    select(CheckIn)
    .where(
        CheckIn.attendee_id.in_(bindparam("people", expanding=True)), CheckIn.undone_at.is_(None)
    )
    .execution_options(populate_existing=True)
)
_BATCH = 500


class Known:
    """What is known about the people of a batch: read once, and kept as the acts are applied."""

    def __init__(self, session: Session, event: Event) -> None:
        self._session, self._event = session, event
        self.names: Mapping[str, str] = {}
        """The name of each door."""
        self._came: dict[int, list[Said]] = defaultdict(list)
        self._given: dict[int, list[Said]] = defaultdict(list)
        self._check_ins: dict[int, CheckIn | None] = {}
        self.last = 0
        """The order of the latest act."""

    def read(self, people: Iterable[int]) -> None:
        """Read what earlier acts say of these people, and their check-ins that stand."""
        ids = [one for one in dict.fromkeys(people) if one not in self._check_ins]
        for start in range(0, len(ids), _BATCH):
            some = ids[start : start + _BATCH]
            parameters = {"event": self._event.id, "people": some}
            for row in self._session.execute(_past, parameters):
                if row.result not in _NOTHING:
                    what = (row.device, row.seq, row.id, True, row.acted_at, row.by_staff_id)
                    self.add(row.attendee_id or 0, Kind(row.act), Said(*what))
            found = self._session.scalars(_check_ins, {"people": some})
            self._check_ins |= dict.fromkeys(some) | {one.attendee_id: one for one in found}

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
        if person.id not in self._check_ins:
            self.read([person.id])
        return self._check_ins[person.id]

    def set_check_in(self, person: Attendee, made: CheckIn | None) -> None:
        """Note that the person's check-in is now this one."""
        self._check_ins[person.id] = made

    def forget(self) -> None:
        """Read everything again when it is needed, after an act was rolled back."""
        ids = list(self._check_ins)
        self._check_ins.clear()
        self._came.clear()
        self._given.clear()
        self.read(ids)


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


def settle_by_act(case: Case, person: Attendee, clash: Clash) -> None:
    """Settle what stands about the person, because this act has made it right."""
    case.session.execute(
        _settle,
        {
            "event": case.event.id,
            "person": person.id,
            "which": clash,
            "at": case.now,
            "staff": case.by.staff_id,
        },
    )
