"""What a person has to settle: acts of door devices that contradict the list, or each other.

An act stays in the list until somebody has settled it. Then what was typed with it is forgotten.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Update, func, select, update
from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import Action, Actor
from eventreg.core.door import check_in, devices, present, walk_ins
from eventreg.core.door.check_in import Arrival
from eventreg.core.door.walk_ins import Newcomer
from eventreg.core.door_errors import ActUnknown
from eventreg.core.models.door import DoorAct
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Attendee
from eventreg.core.registration import arrivals, cancellations, lookup
from eventreg.core.uploads.acts import Kind
from eventreg.core.uploads.rulings import Clash, Known


class How(StrEnum):
    """How a person settles an act."""

    KEEP = "keep"
    """It is right as it stands."""
    MISTAKE = "mistake"
    """The person is not here: the seat is given back."""
    SEAT = "seat"
    """The waiting person gets a seat and is in."""
    CAME = "came"
    """The person did come, although the act was refused."""
    FOUND = "found"
    """It was this person on the list."""
    WALK_IN = "walk-in"
    """The person is registered as a walk-in."""
    SEEN = "seen"
    """Nothing is to be done."""


_OFFERED: Mapping[Clash, Sequence[How]] = {
    Clash.DOUBLE: (How.KEEP,),
    Clash.ADMITTED_CANCELLED: (How.KEEP, How.MISTAKE),
    Clash.WAITING: (How.SEAT, How.SEEN),
    Clash.UNKNOWN: (How.FOUND, How.WALK_IN, How.SEEN),
    Clash.NO_SEAT: (How.SEAT, How.SEEN),
    Clash.REFUSED: (How.SEEN,),
    Clash.GIFT_DOUBLE: (How.SEEN,),
    Clash.GIFT_NOT_IN: (How.SEEN,),
}


@dataclass(frozen=True)
class Open:
    """One act that nobody has settled. ``key`` names it in forms."""

    key: str
    act: str
    clash: str
    reason: str
    acted_at: datetime
    door: str
    name: str
    """Of the person, or as it was typed."""
    typed_name: str
    phone: str
    """As it was typed."""
    attendee: str
    registration_id: int | None
    first_at: datetime | None
    """When the person's check-in was."""
    other_doors: Sequence[str] = field(default_factory=tuple)
    """The other doors that saw the person."""

    @property
    def offered(self) -> Sequence[How]:
        """The ways to settle it, one button each."""
        if self.clash == Clash.REFUSED and self.act == Kind.WALK_IN:
            return (How.FOUND, How.WALK_IN, How.SEEN)
        if self.clash == Clash.REFUSED and self.act == Kind.CHECK_IN and self.attendee:
            return (How.CAME, How.SEEN)
        return _OFFERED.get(Clash(self.clash), (How.SEEN,)) if self.is_known else (How.SEEN,)

    @property
    def is_known(self) -> bool:
        """Whether this version of the program knows the clash."""
        return self.clash in list(Clash)


def _open(event: Event) -> tuple[ColumnElement[bool], ...]:
    return DoorAct.event_id == event.id, DoorAct.clash.is_not(None), DoorAct.settled_at.is_(None)


def nothing_typed(registrations: Collection[int]) -> Update:
    """The statement that erases what was typed with acts about these registrations."""
    people = select(Attendee.id).where(Attendee.registration_id.in_(registrations))
    return update(DoorAct).where(DoorAct.attendee_id.in_(people)).values(typed=None)


def forget(session: Session, event: Event, everybody: bool) -> None:
    """If ``everybody`` is to be forgotten, erase what was typed with any act of the event, also
    about people who are on no list."""
    if everybody:
        typed = update(DoorAct).where(DoorAct.event_id == event.id, DoorAct.typed.is_not(None))
        session.execute(typed.values(typed=None).execution_options(synchronize_session=False))


def count(session: Session, event: Event) -> int:
    """How many acts a person has to settle."""
    return session.execute(select(func.count(DoorAct.id)).where(*_open(event))).scalar_one()


def listed(session: Session, event: Event) -> Sequence[Open]:
    """The acts that nobody has settled, in the order in which they arrived."""
    doors = devices.names(session, event)
    rows = select(DoorAct, Attendee).outerjoin(Attendee, Attendee.id == DoorAct.attendee_id)
    found = session.execute(rows.where(*_open(event)).order_by(DoorAct.id)).all()
    known = Known(session, event)
    known.read(person.id for _, person in found if person is not None)
    return [_shown(row, person, known, doors) for row, person in found]


def _shown(row: DoorAct, person: Attendee | None, known: Known, doors: Mapping[str, str]) -> Open:
    typed = json.loads(row.typed or "{}")
    made = known.check_in(person) if person else None
    seen = {one.device for one in known.came(person)} if person else set()
    others = [doors.get(one, "") for one in sorted(seen - {row.device})]
    return Open(
        key=row.key,
        act=row.act,
        clash=row.clash or "",
        reason=row.reason or "",
        acted_at=row.acted_at,
        door=doors.get(row.device, ""),
        name=person.name if person else typed.get("name", ""),
        typed_name=typed.get("name", ""),
        phone=typed.get("phone", ""),
        attendee=person.public_id if person else "",
        registration_id=person.registration_id if person else None,
        first_at=made.arrived_at if made else None,
        other_doors=[one for one in others if one],
    )


@dataclass(frozen=True)
class Decision:
    """How somebody settles one act: ``attendee`` is whom it was, ``name`` and ``phone`` whom to
    register as a walk-in."""

    key: str
    how: How
    attendee: str = ""
    name: str = ""
    phone: str = ""


def settle(
    session: Session,
    event: Event,
    decision: Decision,
    *,
    secret_key: str,
    by: Actor,
    now: datetime,
) -> None:
    """Settle one act. A second time changes nothing.

    Refuses with ``ActUnknown`` if the event has no such act or it cannot be settled so, and as the
    rule does that carries it out: ``AttendeeUnknown``, ``EventFull``, ``FieldRefused`` and so on.
    """
    row = _to_settle(session, event, decision.key)
    if row is None:
        return
    person = session.get(Attendee, row.attendee_id) if row.attendee_id else None
    context = _Context(session, event, row, person, secret_key, by, now)
    context.carry_out(decision)
    row.settled_at, row.settled_by_staff_id, row.typed = now, by.staff_id, None
    session.flush()
    audit.record(
        session,
        Action.CLASH_SETTLED,
        by,
        now=now,
        event_id=event.id,
        registration_id=person.registration_id if person else None,
        attendee_id=row.attendee_id,
        clash=row.clash,
        how=decision.how,
    )


def _to_settle(session: Session, event: Event, key: str) -> DoorAct | None:
    """The act, locked; ``None`` if it is settled."""
    same = DoorAct.event_id == event.id, DoorAct.key == key, DoorAct.clash.is_not(None)
    row = session.scalar(
        select(DoorAct).where(*same).with_for_update().execution_options(populate_existing=True)
    )
    if row is None:
        raise ActUnknown
    return row if row.settled_at is None else None


@dataclass(frozen=True)
class _Context:
    """One act while it is settled, and the person it is about."""

    session: Session
    event: Event
    row: DoorAct
    person: Attendee | None
    secret_key: str
    by: Actor
    now: datetime

    def carry_out(self, decision: Decision) -> None:
        """Do what was decided."""
        match decision.how:
            case How.MISTAKE if self.person is not None:
                self._send_away(self.person)
            case How.SEAT if self.person is not None:
                self._seat(self.person)
            case How.CAME if self.person is not None:
                self._come_in(self.person.public_id)
            case How.FOUND:
                self._come_in(decision.attendee)
                found = present.person_of(self.session, self.event, decision.attendee)
                self.row.attendee_id = found.id
            case How.WALK_IN:
                self._register(decision)
            case How.MISTAKE | How.SEAT | How.CAME:
                raise ActUnknown

    def _come_in(self, attendee: str) -> None:
        """Check the person in, at the time at which the door saw the person."""
        came = Arrival(attendee, self.row.acted_at, self.now, device=self.row.device)
        check_in.check_in(self.session, self.event, came, anyway=True, by=self.by)

    def _seat(self, person: Attendee) -> None:
        session, event, by, now = self.session, self.event, self.by, self.now
        if person.code is None:
            present.seat(session, event, person.public_id, by=by, now=now)
        self._come_in(person.public_id)

    def _register(self, decision: Decision) -> None:
        key = f"settled:{self.row.key}"
        newcomer = Newcomer(decision.name, decision.phone, self.row.acted_at, key)
        walk_ins.walk_in(
            self.session,
            self.event,
            newcomer,
            secret_key=self.secret_key,
            by=self.by,
            now=self.now,
        )

    def _send_away(self, person: Attendee) -> None:
        """Take back the check-in of somebody who had cancelled, and the seat with it."""
        session, event, by, now = self.session, self.event, self.by, self.now
        made = arrivals.standing(session, person.id)
        if made is not None:
            check_in.undo(session, event, made.id, by=by, now=now)
        registration = lookup.get(session, person.registration_id)
        if person.is_live:
            cancellations.cancel(session, event, registration, [person.id], by=by, now=now)
