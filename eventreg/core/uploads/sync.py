"""Apply a batch of acts that a door device uploads, in one transaction, act by act.

Each act is a row of ``door_acts`` under its key, with what was answered. The same key again changes
nothing and gives the same answer, whichever device sends it.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from eventreg.core.audit import Actor
from eventreg.core.door import devices
from eventreg.core.door.devices import Contact
from eventreg.core.door_errors import DeviceRevoked
from eventreg.core.errors import Refusal
from eventreg.core.event import events
from eventreg.core.models.door import DoorAct, DoorDevice
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Attendee
from eventreg.core.uploads import attendance, other_acts
from eventreg.core.uploads.acts import Act, Batch, Kind
from eventreg.core.uploads.rulings import Case, Clash, Known, Result, Ruling

EARLIEST = timedelta(days=4)
"""How long before the event an act can be: nobody pairs a telephone earlier. An older time comes
from a clock that was changed meanwhile, and says nothing."""
_NOW = 2**40
"""The order of the acts of a batch begins here, after that of all stored ones."""
_BATCH = 500
_LARGEST = 2**31 - 1
_RULES = {
    Kind.CHECK_IN: attendance.check_in_person,
    Kind.UNDO: attendance.undo_check_in,
    Kind.GIFT: attendance.give_gift,
    Kind.GIFT_UNDO: attendance.undo_gift,
    Kind.GIFT_OWED: attendance.owe_gift,
    Kind.RENAME: other_acts.correct_name,
    Kind.CONFIRM_NAME: other_acts.correct_name,
    Kind.SEAT: other_acts.seat,
    Kind.RESTORE: other_acts.restore,
    Kind.PRESENT: other_acts.mark_present,
}


@dataclass(frozen=True)
class Applied:
    """The answers in the order of the batch, and the device that sent it."""

    results: Sequence[dict[str, Any]]
    device: DoorDevice


_answers = select(DoorAct.key, DoorAct.answer).where(
    DoorAct.event_id == bindparam("event"), DoorAct.key.in_(bindparam("keys", expanding=True))
)
_walk_ins = (
    select(DoorAct.key, Attendee)
    .join(Attendee, Attendee.id == DoorAct.attendee_id)
    .where(
        DoorAct.event_id == bindparam("event"),
        DoorAct.act == Kind.WALK_IN,
        DoorAct.key.in_(bindparam("keys", expanding=True)),
    )
)
_people = (
    select(Attendee)
    .where(
        Attendee.event_id == bindparam("event"),
        Attendee.public_id.in_(bindparam("ids", expanding=True)),
    )
    .order_by(Attendee.id)
    .with_for_update()
    .execution_options(populate_existing=True)
)
_add = insert(DoorAct)


def apply(
    session: Session,
    event: Event,
    batch: Batch,
    *,
    by: Actor,
    secret_key: str,
    now: datetime,
    session_id: int | None = None,
) -> Applied:
    """Apply a batch. Every act is answered; one that a rule refuses is kept for a person.

    Raises ``DeviceRevoked``, and ``SeatsRaced`` or ``IntegrityError`` if another transaction was
    faster: then the caller rolls back and tries again.
    """
    ahead = None if batch.now is None else round((batch.now - now).total_seconds())
    if ahead is not None:
        ahead = max(-_LARGEST, min(_LARGEST, ahead))
    contact = Contact(session_id=session_id, unsent=batch.unsent, clock_ahead=ahead)
    door = devices.touch(session, event, batch.device, by=by, now=now, contact=contact)
    upload = _Upload(session, event, batch, door.device, by, secret_key, now)
    return Applied(upload.apply(), door)


class _Upload:
    """One batch while it is applied."""

    def __init__(
        self,
        session: Session,
        event: Event,
        batch: Batch,
        device: str,
        by: Actor,
        secret_key: str,
        now: datetime,
    ) -> None:
        self.session, self.event, self.batch, self.device = session, event, batch, device
        self.by, self.secret_key, self.now = by, secret_key, now
        self.known = Known(session, event)
        self.known.names = devices.names(session, event)
        doors = devices.of_event(session, event)
        self.ahead = {one.device: one.clock_ahead for one in doors}
        self.revoked = {one.device for one in doors if one.revoked_at is not None}
        self.answers: dict[str, dict[str, Any]] = {}
        self.people: dict[str, Attendee] = {}

    def apply(self) -> Sequence[dict[str, Any]]:
        """Answer every act; those of one device in the order of its own count."""
        sent = [one for one in self.batch.acts if isinstance(one, Act)]
        self._read(sent)
        for order, act in enumerate(_in_order(sent), start=_NOW):
            if act.key not in self.answers:
                self.answers[act.key] = self._answer(act, order)
        return [
            self.answers[one.key]
            if isinstance(one, Act)
            else {"key": one.key, "result": Result.INVALID.value}
            for one in self.batch.acts
        ]

    def _read(self, sent: Sequence[Act]) -> None:
        """Read at once what the acts need: earlier answers, people, and what is known of them."""
        keys = list({act.key for act in sent})
        named = list({act.attendee for act in sent if act.attendee})
        event = {"event": self.event.id}
        for some in _batches(keys):
            rows = self.session.execute(_answers, {**event, "keys": some})
            self.answers |= {key: json.loads(answer) for key, answer in rows}
        for some in _batches(named):
            for person in self.session.scalars(_people, {**event, "ids": some}):
                self.people[str(person.public_id)] = person
            unknown = [one for one in some if one not in self.people]
            if unknown:
                walked_in = self.session.execute(_walk_ins, {**event, "keys": unknown})
                self.people |= {row.key: row.Attendee for row in walked_in}
        self.known.read(person.id for person in self.people.values())

    def _answer(self, act: Act, order: int) -> dict[str, Any]:
        """Rule on one act in a savepoint of its own, and store it with its answer."""
        device = self.device if act.device == self.batch.device else act.device
        case = self._case(act, device, order)
        ruling = self._ruled(case)
        answer = _told(act, ruling)
        person = ruling.person
        if person is not None and act.kind is Kind.WALK_IN:
            self.people[act.key] = person
        typed = {name: text for name in ("name", "phone") if (text := getattr(act, name))}
        self.session.execute(
            _add,
            {
                "event_id": self.event.id,
                "key": act.key,
                "device": device,
                "uploaded_by": self.device if device != self.device else None,
                "seq": act.seq,
                "act": act.kind,
                "attendee": act.attendee or None,
                "attendee_id": person.id if person else None,
                "device_at": act.at,
                "acted_at": case.acted_at,
                "received_at": self.now,
                "by_staff_id": self.by.staff_id,
                "result": ruling.result,
                "reason": ruling.reason or None,
                "late": ruling.late,
                "answer": json.dumps(answer),
                "typed": json.dumps(typed, ensure_ascii=False)
                if self._may_keep(typed, ruling)
                else None,
                "clash": ruling.clash,
            },
        )
        return answer

    def _may_keep(self, typed: dict[str, str], ruling: Ruling) -> bool:
        """Whether what was typed is kept: only for a person to settle it, and not for ever."""
        is_past = events.is_past_keeping(self.event, self.now)
        return bool(typed) and ruling.clash is not None and not is_past

    def _case(self, act: Act, device: str, order: int) -> Case:
        return Case(
            self.session,
            self.event,
            replace(act, device=device),
            self.people.get(act.attendee),
            self._acted_at(act, device),
            order,
            self.by,
            self.now,
            self.secret_key,
            self.known,
        )

    def _ruled(self, case: Case) -> Ruling:
        """The ruling. If a rule refuses what it should not, the act is kept for a person: one act
        must never stop those that wait behind it."""
        for _ in range(2):
            try:
                with self.session.begin_nested():
                    return self._rule(case)
            except IntegrityError:
                self._read_again()
            except Refusal as refusal:
                self._read_again()
                return other_acts.refused(refusal, case.person)
        return Ruling(Result.REFUSED, "conflict", Clash.REFUSED, person=case.person)

    def _rule(self, case: Case) -> Ruling:
        if case.act.device in self.revoked:
            # Another door brought it. Its time says nothing: that device wrote it.
            return other_acts.refused(DeviceRevoked(), case.person)
        if case.act.kind is Kind.WALK_IN:
            return other_acts.walk_in(case)
        if case.act.kind is Kind.RELEASE:
            return other_acts.release(case)
        if case.person is None:
            return Ruling(Result.UNKNOWN, clash=Clash.UNKNOWN)
        return _RULES[case.act.kind](case, case.person)

    def _read_again(self) -> None:
        """After a rollback, forget what is no longer so."""
        self.session.expire_all()
        self.known.forget()

    def _acted_at(self, act: Act, device: str) -> datetime:
        """When the act happened, by our clock: what the device's clock said, corrected by how much
        that clock is off. Without a clock that can be used, the moment in which we got it."""
        if act.at is None:
            return self.now
        if device != self.device and self.ahead.get(device) is not None:
            off = timedelta(seconds=self.ahead[device] or 0)
        elif self.batch.now is not None:
            off = self.batch.now - self.now
        else:
            return self.now
        try:
            at = act.at - off
        except OverflowError:
            return self.now
        return at if self.event.starts_at - EARLIEST <= at <= self.now else self.now


def _in_order(acts: Sequence[Act]) -> Iterator[Act]:
    """The acts with those of each device in the order of its own count, in the places that the
    device has in the batch."""
    by_device: dict[str, list[Act]] = defaultdict(list)
    for act in acts:
        by_device[act.device].append(act)
    for own in by_device.values():
        if all(act.seq is not None for act in own):
            own.sort(key=lambda act: act.seq or 0)
    in_turn = {device: iter(own) for device, own in by_device.items()}
    for act in acts:
        yield next(in_turn[act.device])


def _told(act: Act, ruling: Ruling) -> dict[str, Any]:
    """The answer to one act."""
    answer: dict[str, Any] = {"key": act.key, "result": ruling.result.value, **ruling.more}
    if ruling.late:
        answer["late"] = True
    if ruling.reason:
        answer["reason"] = ruling.reason
    if ruling.person is not None and ruling.person.public_id != act.attendee:
        answer["attendee"] = ruling.person.public_id
    if ruling.clash:
        answer["clash"] = ruling.clash.value
    return answer


def _batches(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _BATCH):
        yield values[start : start + _BATCH]
