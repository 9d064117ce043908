"""The cap on seats. Beside the tests that it holds stand runs without the guard, in which it
breaks."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import create_engine, func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import NullPool

from eventreg.core import audit
from eventreg.core.errors import EventFull, SeatsRaced
from eventreg.core.models.event import EventSeats
from eventreg.core.models.registration import Attendee
from eventreg.core.registration import cancellations, lookup, seats
from eventreg.storage.session import db, reading, transaction
from tests.support.factories import House, toml, with_event
from tests.support.forked.programs import FORKS

pytestmark = pytest.mark.both_databases

CAPACITY = 20


def counted(house: House) -> tuple[int, int]:
    """The seats taken by the counter, and the people by the rows, read anew."""
    with house.app.app_context():
        taken = reading().scalar(select(EventSeats.taken)) or 0
        people = reading().scalar(
            select(func.count()).select_from(Attendee).where(Attendee.cancelled_at.is_(None))
        )
        return taken, people or 0


def try_to_register(house: House, name: str) -> bool:
    """Register one person, in a context of its own. Returns whether there was a seat."""
    with house.app.app_context():
        try:
            house.register(f"{name}0")
        except EventFull:
            return False
        return True


def test_eight_threads_get_exactly_the_seats_there_are(house: House) -> None:
    house.apply(toml(capacity=CAPACITY))
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda number: try_to_register(house, f"王{number}号"), range(60)))
    assert sum(got) == CAPACITY
    assert counted(house) == (CAPACITY, CAPACITY)


def race(folder: str, environment: dict[str, str], first: int) -> int:
    """Try twenty times, in a process of its own. Returns how often it got a seat."""
    house = House(Path(folder), **environment)
    got = sum(try_to_register(house, f"李{first + number}号") for number in range(20))
    house.close()
    return got


def test_four_processes_get_exactly_the_seats_there_are(
    house: House, folder: Path, environment: dict[str, str]
) -> None:
    house.apply(toml(capacity=CAPACITY))
    reading().rollback()
    with FORKS.Pool(4) as pool:
        got = pool.starmap(
            race, [(str(folder), environment, start) for start in (0, 100, 200, 300)]
        )
    assert sum(got) == CAPACITY
    assert counted(house) == (CAPACITY, CAPACITY)


def check_then_take(url: str, together: Any) -> None:
    """Take a seat in the naive way: check, let the others check too, and then take. The CHECK of
    the schema, which would stop it, is off."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as database:
        if engine.dialect.name == "sqlite":
            database.execute(text("PRAGMA ignore_check_constraints = ON"))
        taken, capacity = database.execute(text("SELECT taken, capacity FROM event_seats")).one()
        if engine.dialect.name == "sqlite":
            database.commit()  # it checks in one transaction and takes in another
        together.wait()
        if taken < capacity:
            database.execute(text("UPDATE event_seats SET taken = taken + 1"))
            database.commit()


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_checking_first_and_taking_later_gives_one_seat_to_two_people(
    house: House, kind: str
) -> None:
    """The negative control: the same race without the guarded statement and without the CHECK."""
    house.apply(toml(capacity=1))
    reading().rollback()
    if db.engine.dialect.name == "postgresql":
        with db.engine.begin() as database:
            database.execute(
                text(
                    "ALTER TABLE event_seats DROP CONSTRAINT ck_event_seats_never_more_than_allowed"
                )
            )
    together: Any = Barrier(2) if kind == "threads" else FORKS.Barrier(2)
    runner: Any = Thread if kind == "threads" else FORKS.Process
    url = house.app.config["SQLALCHEMY_DATABASE_URI"]
    takers = [runner(target=check_then_take, args=(url, together)) for _ in range(2)]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()
    assert counted(house)[0] == 2, "two people in one seat: this is what the guard prevents"


def test_without_the_guard_the_schema_refuses_to_pass_the_cap(house: House) -> None:
    event = house.apply(toml(capacity=2))
    with pytest.raises(IntegrityError, match="never_more_than_allowed"), transaction() as session:
        session.execute(update(EventSeats).where(EventSeats.event_id == event.id).values(taken=3))


def test_a_party_of_two_does_not_get_the_one_seat_left(house: House) -> None:
    house.apply(toml(capacity=3))
    house.register("王一", "王二")
    with pytest.raises(EventFull) as full:
        house.register("李一", "李二")
    assert full.value.left == 1
    assert house.seats().left == 1
    house.register("李一")
    assert house.seats().left == 0


def test_a_refused_party_leaves_nothing_behind(house: House) -> None:
    house.apply(toml(capacity=1))
    with pytest.raises(EventFull):
        house.register("王一", "王二")
    assert counted(house) == (0, 0)
    assert house.register("王一").state == "confirmed"


def test_while_a_party_waits_no_seat_is_taken_without_the_lock(house: House) -> None:
    event = house.apply(toml(capacity=3))
    seen = house.seats()
    with transaction() as session:
        session.execute(update(EventSeats).values(waiting=2))
    with pytest.raises(SeatsRaced), transaction() as session:
        seats.take(session.connection(), event.id, 1, seen=seen)


def test_seats_given_back_over_the_capacity_are_not_given_out_again(house: House) -> None:
    house.apply(toml(capacity=3))
    first = [house.register(f"王{number}号") for number in range(3)]
    house.apply(toml(capacity=1))
    with transaction() as session:
        cancellations.cancel(
            session,
            *with_event(session, lookup.get(session, first[0].id)),
            by=audit.SYSTEM,
            now=house.now,
        )
    with pytest.raises(EventFull):
        house.register("李一")
    assert house.seats().over == 1


def test_moving_seats_past_the_cap_is_refused(house: House) -> None:
    house.apply(toml(capacity=2))
    with transaction() as session:
        counted = seats.lock(session, house.event().id, now=house.now)
        with pytest.raises(EventFull):
            seats.move(session, house.event().id, counted, taken=3)
