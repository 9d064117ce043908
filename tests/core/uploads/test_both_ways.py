"""Acts of a batch are applied together or each alone. Both ways give the same answers and rows."""

import json
import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Table, event, select, text
from sqlalchemy.orm import Session

from eventreg.core.event import events
from eventreg.core.models.base import Base
from eventreg.core.models.door import DoorAct
from eventreg.core.models.registration import Attendee
from eventreg.core.uploads import acts, attendance, sync
from eventreg.core.uploads.acts import Kind
from eventreg.core.uploads.rulings import Result
from eventreg.storage.session import db, reading, transaction
from tests.core.uploads.doors import Door, attendee, hour
from tests.proofs.conftest import rounds
from tests.support.factories import SECRET, House, toml

NAMES = ("张桂芳", "王建国", "曾秀英", "周小兰", "吴大伟", "孙月仙", "李大海", "钱七", "赵六")
GONE, WAITS = "李大海", "赵六"
GIFTS = {
    "no gifts": "",
    "gifts": '[gift]\ntext = { zh = "书", en = "Book" }\nstock = 3',
    "gifts at check-in": '[gift]\ntext = { zh = "书", en = "Book" }\nstock = 3\nat_check_in = true',
}
OFTEN = ("check-in",) * 12 + ("undo", "gift") * 4 + ("gift-undo", "gift-owed") * 2
SELDOM = ("rename", "confirm-name", "seat", "restore", "present", "walk-in", "release", "dance")
RANDOM = {"public_id", "code", "ticket_seed", "ticket_digest"}
"""Columns that differ in each run: ids and codes of people who walk in."""
ROUNDS = range(rounds(4, 60))


class _Undone(Exception):
    """Rolls a transaction back."""


@pytest.fixture
def morning(house: House) -> House:
    """It is 8:47; seven people are expected, one waits, and one has cancelled."""
    house.hire()
    house.now = hour("08:47")
    return house


def expect_people(house: House, gift: str) -> None:
    """Register them, for an event with or without a gift."""
    today, house.now = house.now, hour("08:47") - timedelta(days=6)
    house.apply(toml(capacity=8, more=f"[waitlist]\nopen = true\n{gift}"))
    house.cancel([house.register(name) for name in NAMES[:7]][-1])
    house.register("钱七")
    house.register("周八")
    house.register(WAITS, waitlist=True)
    house.now = today


def made_up(house: House, dice: random.Random, people: Sequence[str]) -> list[tuple[Door, bytes]]:
    """Uploads of three doors: mixed acts, some of them sent again, or brought by another door."""
    doors = [Door(house, f"door-{one}", timedelta(minutes=7 * one)) for one in range(3)]
    sent: list[dict[str, Any]] = []
    uploads = []
    for _ in range(6):
        door, batch = dice.choice(doors), []
        for _ in range(dice.randint(1, 24)):
            kind = dice.choice(OFTEN if dice.random() < 0.85 else SELDOM)
            whom = dice.choice([*people, "f" * 32, *(one["key"] for one in sent[-3:])])
            at = house.now - timedelta(seconds=dice.randint(0, 900))
            act = door.act(kind, whom, at=at, key=f"key-{len(sent)}")
            if kind in {"rename", "walk-in"}:
                act["name"] = dice.choice(("章桂芳", "郑九", "曾秀英"))
            if dice.random() < 0.1:
                act["device"] = dice.choice(doors).device
            sent.append(act)
            batch.append(act if dice.random() < 0.9 else dice.choice(sent))
        uploads.append((door, door.body(*batch)))
    return uploads


def restart_ids(session: Session) -> None:
    """On PostgreSQL, a rollback does not take back the numbers that ids come from."""
    if db.engine.dialect.name != "postgresql":
        return
    for table in Base.metadata.sorted_tables:
        if "id" in table.columns:
            sequence = f"pg_get_serial_sequence('{table.name}', 'id')"
            last = f"(SELECT max(id) FROM {table.name})"
            session.execute(text(f"SELECT setval({sequence}, greatest(1, {last}))"))


def rows(session: Session, table: Table) -> list[list[str]]:
    """What stands in a table."""
    session.flush()
    known = [column for column in table.columns if column.name not in RANDOM]
    found = session.connection().execute(select(*known).order_by(*table.primary_key.columns))
    return [[str(value) for value in row] for row in found]


def played(house: House, uploads: Sequence[tuple[Door, bytes]]) -> list[Any]:
    """The answers to these uploads, and all tables after them. Nothing is kept."""
    answers: list[Any] = []
    after: dict[str, Any] = {}
    with pytest.raises(_Undone), transaction() as session:
        restart_ids(session)
        for number, (_, body) in enumerate(uploads):
            now = house.now + timedelta(minutes=number)
            at = events.get(session, "small")
            batch = acts.parse(body)
            done = sync.apply(session, at, batch, by=house.dora, secret_key=SECRET, now=now)
            answers.append(done.results)
        after = {one.name: rows(session, one) for one in Base.metadata.sorted_tables}
        found = session.execute(select(Attendee.id, Attendee.public_id, Attendee.code)).all()
        raise _Undone
    said = json.dumps([answers, after])
    for number, public_id, code in found:
        said = said.replace(public_id, f"person {number}").replace(code or "-", f"code {number}")
    told: list[Any] = json.loads(said)
    return told


def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Apply every act alone."""
    monkeypatch.setattr(attendance, "is_plain", lambda *_: False)


@pytest.mark.both_databases
@pytest.mark.parametrize("gift", GIFTS)
def test_together_and_alone_give_the_same_answers_and_rows(
    morning: House, gift: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expect_people(morning, GIFTS[gift])
    people = [attendee(name) for name in (*NAMES[:7], "周八", WAITS)]
    seen: set[str] = set()
    for chance in ROUNDS:
        uploads = made_up(morning, random.Random(f"{gift} {chance}"), people)
        together = played(morning, uploads)
        with monkeypatch.context() as patch:
            alone(patch)
            assert together == played(morning, uploads), chance
        seen |= {one["result"] for batch in together[0] for one in batch}
    assert seen >= {Result.CHECKED_IN, Result.ALREADY_IN, Result.UNDONE, Result.UNKNOWN}


def statements(act: Callable[[], object]) -> int:
    """How many statements an act sends."""
    sent: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    act()
    event.remove(db.engine, "before_cursor_execute", note)
    return len(sent)


def test_a_batch_needs_no_more_statements_than_a_few(morning: House) -> None:
    expect_people(morning, GIFTS["gifts at check-in"])
    door, people = Door(morning), [attendee(name) for name in NAMES[:6]]
    few = statements(lambda: door.upload(*(door.act("check-in", one) for one in people[:2])))
    many = [door.act(kind, one) for one in people for kind in ("undo", "check-in") * 9]
    assert statements(lambda: door.upload(*many)) <= few + 4


def test_if_acts_cannot_be_written_together_each_is_applied_alone(
    morning: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    expect_people(morning, "")
    door = Door(morning)
    once = attendance.check_in_person

    def broken(case: Any, person: Attendee) -> Any:
        if person.name == "王建国":
            reading().execute(text("INSERT INTO events (id) VALUES (1)"))
        return once(case, person)

    monkeypatch.setitem(sync._RULES, Kind.CHECK_IN, broken)
    answers = door.upload(*(door.act("check-in", attendee(name)) for name in NAMES[:3]))
    assert [one["result"] for one in answers] == ["checked_in", "refused", "checked_in"]
    assert len(reading().scalars(select(DoorAct)).all()) == 3
