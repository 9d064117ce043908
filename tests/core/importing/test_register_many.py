"""Registering a list at once: it ends as if each party had registered by itself."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from eventreg.core import audit
from eventreg.core.audit import SYSTEM
from eventreg.core.errors import (
    AlreadyRegistered,
    FieldRefused,
    FormKeyReused,
    PhoneAtLimit,
    SeatsRaced,
)
from eventreg.core.event import events
from eventreg.core.importing import imports, register_many
from eventreg.core.importing.register_many import Outcome
from eventreg.core.models.audit import AuditEntry
from eventreg.core.models.outbox import OutboxMessage
from eventreg.core.models.registration import Attendee, FormKey, Registration, Source
from eventreg.core.registration import check_in_codes, seats
from eventreg.core.registration.entries import Entry
from eventreg.storage.session import Session, reading, transaction
from tests.support.factories import SECRET, House, make_entry, toml

RANDOM = {"id", "registration_id", "ticket_seed", "ticket_digest", "code", "public_id"}
HELD = "held_seats = 1\nheld_until = 2030-06-05T12:00:00"
TABLES = (Registration, Attendee, FormKey, AuditEntry, OutboxMessage)


class _Undone(Exception):
    """Rolls a transaction back."""


def party(*people: str, phone: str, key: str, **more: Any) -> Entry:
    """A row of a list."""
    return make_entry(*people, phone=phone, key=key, source=Source.IMPORT, **more)


def outcome(house: House, entries: Sequence[Entry], seat: Callable[..., Outcome]) -> Any:
    """What comes of it, but for what is drawn at random; afterwards it is undone."""
    with pytest.raises(_Undone) as undone, transaction() as session:
        event = events.get(session, "small")
        counted = seats.lock(session, event.id, now=house.now)
        assert register_many.is_usual(counted, entries)
        made = seat(session, event, entries, counted, secret_key=SECRET, by=SYSTEM, now=house.now)
        raise _Undone(
            [(place, type(refusal), str(refusal)) for place, refusal in made.refused],
            made.again,
            [] if made.refused else rows(session),
            None if made.refused else seats.count(session, event.id, now=house.now),
        )
    return undone.value.args


def rows(session: Session) -> list[list[dict[str, Any]]]:
    """The rows of all tables, in the order in which they were written."""
    return [
        [
            {
                column: value
                for column, value in vars(row).items()
                if column not in RANDOM and not column.startswith("_")
            }
            for row in session.scalars(select(table).order_by(*table.__table__.primary_key))
        ]
        for table in TABLES
    ]


GOOD = [
    party("张桂芳", "李秀英", phone="13900000001", key="a", email="zhang@example.org"),
    party("王建国", phone="13900000002", key="b", wishes="front", contact="女儿"),
    party("Anna O'Neil", phone="057487654321", key="c", beyond_limit=True),
]


@pytest.mark.parametrize(
    ("entries", "refused"),
    [
        (GOOD, []),
        ([*GOOD, party("王建国", phone="13900000002", key="d")], [AlreadyRegistered]),
        ([*GOOD, party("赵一", "赵一", phone="13900000003", key="d")], [FieldRefused]),
        (
            [*GOOD, *(party(f"赵{n}", phone="13900000009", key=n) for n in "一二三四五六")],
            [PhoneAtLimit] * 2,
        ),
        ([party("老客人", phone="13800000000", key="d")], [AlreadyRegistered]),
        ([party("新客人", phone="13800000000", key="old")], [FormKeyReused]),
        ([party("老客人", phone="13800000000", key="old"), *GOOD], []),
    ],
)
def test_it_ends_as_if_each_party_had_registered_by_itself(
    house: House, entries: list[Entry], refused: list[type[Exception]]
) -> None:
    house.apply(toml(capacity=40))
    house.register("老客人", phone="13800000000", key="old", source="import")
    at_once = outcome(house, entries, register_many.seat_all)
    one_by_one = outcome(house, entries, imports._one_by_one)
    assert [kind for _, kind, _ in at_once[0]] == refused
    assert at_once == one_by_one


@pytest.mark.parametrize(
    ("more", "capacity", "usual"),
    [
        ("", 4, True),
        ("", 3, False),
        (HELD, 5, False),
    ],
)
def test_a_list_is_usual_only_if_there_is_a_seat_for_everybody(
    house: House, more: str, capacity: int, usual: bool
) -> None:
    event = house.apply(toml(capacity=capacity, more=more))
    counted = seats.count(reading(), event.id, now=house.now)
    assert register_many.is_usual(counted, GOOD) is usual


def test_a_list_is_not_usual_while_somebody_waits(house: House) -> None:
    event = house.apply(toml(capacity=2))
    house.register("张一", "张二")
    house.register("张三", waitlist=True)
    house.apply(toml(capacity=2))
    counted = seats.count(reading(), event.id, now=house.now)
    assert counted.waiting
    assert not register_many.is_usual(counted, [])


def test_a_list_is_tried_again_if_the_event_was_changed(house: House) -> None:
    event = house.apply(toml(capacity=40))
    counted = replace(seats.count(reading(), event.id, now=house.now), event_stamp="another")
    with pytest.raises(SeatsRaced), transaction() as session:
        register_many.seat_all(
            session, event, GOOD, counted, secret_key=SECRET, by=SYSTEM, now=house.now
        )


def test_codes_drawn_together_are_nobodys_code_or_number(house: House) -> None:
    event = house.apply(toml(capacity=290, more="[waitlist]\nsize = 0"))
    short = [code for code in map(str, range(1000, 10_000)) if check_in_codes.is_code(code)]
    for number in range(10):
        house.register(f"客人{number}", phone=f"1380000{short[number]}")
    tails = short[100:390]
    with transaction() as session:
        codes = check_in_codes.draw_many(session.connection(), event, 290, tails)
        given = [*session.scalars(select(Attendee.code)), *short[:10]]
    assert len(set(codes)) == len(tails) == 290
    assert not {*codes} & {*tails, *given}
    assert all(map(check_in_codes.is_code, codes))


def test_codes_drawn_together_grow_longer_if_there_are_none_left(house: House) -> None:
    event = house.apply(toml(capacity=290, more="[waitlist]\nsize = 0"))
    with transaction() as session:
        codes = check_in_codes.draw_many(session.connection(), event, 290, ["0000"] * 700)
    assert len(set(codes)) == 700
    assert {len(code) for code in codes} == {4, 5}


def test_the_trail_has_an_entry_for_each_party(house: House) -> None:
    house.apply(toml(capacity=40))
    with transaction() as session:
        event = events.get(session, "small")
        counted = seats.lock(session, event.id, now=house.now)
        register_many.seat_all(
            session, event, GOOD, counted, secret_key=SECRET, by=SYSTEM, now=house.now
        )
    trail = audit.of_event(reading(), house.event().id, most=10)
    taken = [entry for entry in trail if entry.action == audit.Action.SEATS_TAKEN]
    assert [entry.details["seats"] for entry in reversed(taken)] == [2, 1, 1]
    assert house.seats().taken == 4
