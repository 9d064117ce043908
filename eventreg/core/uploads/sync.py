"""Apply a batch of acts that a door device uploads, in one transaction, in their order.

Each act is a row of ``door_acts`` under its key, with what was answered. The same key again changes
nothing and gives the same answer, whichever device sends it.

Plain acts that follow each other are ruled on from what was read at once, and written together.
Every other act is applied alone, in a savepoint. Both ways follow the same rules.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile
from typing import Any

from sqlalchemy import bindparam, select
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
from eventreg.core.uploads.clocks import Clocks, in_order
from eventreg.core.uploads.rulings import Case, Clash, Known, Result, Ruling

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
        doors = devices.of_event(session, event)
        self.known = Known(session, event)
        self.known.names = {one.device: one.name for one in doors}
        self.clocks = Clocks(event, doors, sender=device, sent_at=batch.now, now=now)
        self.revoked = {one.device for one in doors if one.revoked_at is not None}
        self.answers: dict[str, dict[str, Any]] = {}
        self.people: dict[str, Attendee] = {}
        self.is_alone = False
        """Whether each act is applied alone, since they could not be written together."""

    def apply(self) -> Sequence[dict[str, Any]]:
        """Answer every act; those of one device in the order of its own count."""
        sent = [one for one in self.batch.acts if isinstance(one, Act)]
        self._read_answers(sent)
        new: dict[str, tuple[int, Act]] = {}
        for order, act in enumerate(in_order(sent), start=_NOW):
            if act.key not in self.answers:
                new.setdefault(act.key, (order, act))
        self._read_people([act for _, act in new.values()])
        self._apply_all(list(new.values()))
        return [
            self.answers[one.key]
            if isinstance(one, Act)
            else {"key": one.key, "result": Result.INVALID.value}
            for one in self.batch.acts
        ]

    def _read_answers(self, sent: Sequence[Act]) -> None:
        """Read at once what was answered to these acts before."""
        for some in _batches(list({act.key for act in sent})):
            rows = self.session.execute(_answers, {"event": self.event.id, "keys": some})
            self.answers |= {key: json.loads(answer) for key, answer in rows}

    def _read_people(self, new: Sequence[Act]) -> None:
        """Read at once the people of these acts, and what is known of them."""
        event = {"event": self.event.id}
        for some in _batches(list({act.attendee for act in new if act.attendee})):
            for person in self.session.scalars(_people, {**event, "ids": some}):
                self.people[str(person.public_id)] = person
            unknown = [one for one in some if one not in self.people]
            if unknown:
                walked_in = self.session.execute(_walk_ins, {**event, "keys": unknown})
                self.people |= {row.key: row.Attendee for row in walked_in}
        self.known.read(person.id for person in self.people.values())

    def _apply_all(self, new: Sequence[tuple[int, Act]]) -> None:
        """Apply the acts in this order: the plain ones together, each other one alone."""
        done = self._apply_together(new)
        while done < len(new):
            self._apply_alone(*new[done])
            done += 1
            done += self._apply_together(new[done:])

    def _apply_together(self, new: Sequence[tuple[int, Act]]) -> int:
        """Apply the plain acts at the beginning, and write them in few statements. Returns how many
        they are; 0 if they can only be applied alone."""
        plain = list(takewhile(lambda one: self._is_plain(one[1]), new))
        if not plain or self.is_alone:
            return 0
        answers = {}
        try:
            with self.session.begin_nested(), self.known.together():
                for order, act in plain:
                    case = self._case(act, order)
                    answers[act.key] = self._answer(case, self._rule(case))
        except (IntegrityError, Refusal):
            self._read_again()
            self.is_alone = True
            return 0
        self.answers |= answers
        return len(plain)

    def _is_plain(self, act: Act) -> bool:
        return attendance.is_plain(act.kind, self.people.get(act.attendee))

    def _apply_alone(self, order: int, act: Act) -> None:
        """Apply one act in a savepoint of its own."""
        case = self._case(act, order)
        self.answers[act.key] = self._answer(case, self._ruled(case))
        self.known.write_acts()
        self.known.book.recount()

    def _answer(self, case: Case, ruling: Ruling) -> dict[str, Any]:
        """The answer to an act, which is kept to be written."""
        act, device, person = case.act, case.act.device, ruling.person
        answer = ruling.told(act)
        if person is not None and act.kind is Kind.WALK_IN:
            self.people[act.key] = person
        typed = {name: text for name in ("name", "phone") if (text := getattr(act, name))}
        self.known.keep_act(
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
        is_kept = bool(typed) and ruling.clash is not None
        return is_kept and not events.is_past_keeping(self.event, self.now)

    def _case(self, act: Act, order: int) -> Case:
        device = self.device if act.device == self.batch.device else act.device
        return Case(
            self.session,
            self.event,
            act if act.device == device else replace(act, device=device),
            self.people.get(act.attendee),
            self.clocks.acted_at(act, device),
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


def _batches(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _BATCH):
        yield values[start : start + _BATCH]
