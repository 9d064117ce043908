"""The cap. Beside each proof that it holds stands the run without the guard, in which it does
not."""

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
from tests.support.servers import FORKS

pytestmark = pytest.mark.both_databases

CAPACITY = 20


def counted(house: House) -> tuple[int, int]:
    """Seats taken by the counter, and people with a seat by the rows, as a fresh look finds
    them."""
    with house.app.app_context():
        taken = reading().scalar(select(EventSeats.taken)) or 0
        people = reading().scalar(
            select(func.count()).select_from(Attendee).where(Attendee.cancelled_at.is_(None))
        )
        return taken, people or 0


def try_to_register(house: House, name: str, party: int = 1) -> bool:
    """One try, in a context of its own as each request has."""
    with house.app.app_context():
        try:
            house.register(*(f"{name}{place}" for place in range(party)))
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
    """What one of several processes does: try twenty times. Returns how often it got a seat."""
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


def look_and_take(url: str, together: Any) -> None:
    """The naive taker: it looks, others look too, and then it takes. Without the CHECK, which would
    stop it."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as database:
        if engine.dialect.name == "sqlite":
            database.execute(text("PRAGMA ignore_check_constraints = ON"))
        taken, capacity = database.execute(text("SELECT taken, capacity FROM event_seats")).one()
        if engine.dialect.name == "sqlite":
            database.commit()  # it looked in one transaction and takes in another
        together.wait()
        if taken < capacity:
            database.execute(text("UPDATE event_seats SET taken = taken + 1"))
            database.commit()


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_a_taker_that_looks_first_and_takes_later_does_oversell(house: House, kind: str) -> None:
    """The negative control: the same race, without the guarded statement and without the CHECK
    behind it."""
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
    takers = [runner(target=look_and_take, args=(url, together)) for _ in range(2)]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()
    assert counted(house)[0] == 2, "two people in one seat: this is what the guard prevents"


def test_behind_a_forgotten_guard_stands_the_schema(house: House) -> None:
    event = house.apply(toml(capacity=2))
    with pytest.raises(IntegrityError, match="never_more_than_allowed"), transaction() as session:
        session.execute(update(EventSeats).where(EventSeats.event_id == event.id).values(taken=3))


def test_a_party_of_two_does_not_take_one_seat(house: House) -> None:
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


def test_no_seat_is_taken_past_a_waiting_party(house: House) -> None:
    """The quick way in is shut while anybody waits: then the list is asked, behind the lock."""
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


def test_moving_seats_past_the_cap_is_refused_behind_every_other_wall(house: House) -> None:
    house.apply(toml(capacity=2))
    with transaction() as session:
        counted = seats.lock(session, house.event().id, now=house.now)
        with pytest.raises(EventFull):
            seats.move(session, house.event().id, counted, taken=3)
