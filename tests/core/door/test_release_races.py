"""A release while others check in and register: nobody who has come loses a seat, and the capacity
is never passed. Beside it stands the run without the lock, in which somebody does."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session

from eventreg.core import invariants
from eventreg.core.door import check_in
from eventreg.core.door.check_in import Arrival
from eventreg.core.errors import AttendeeCancelled, EventFull
from eventreg.core.event import events
from eventreg.core.models.attendance import CheckIn
from eventreg.core.models.registration import Attendee
from eventreg.storage.session import reading, transaction
from tests.core.door.mornings import arrive, check_sum, id_of, release, walk_in
from tests.support.factories import House, local, toml

CAPACITY = 12


def fill(house: House) -> None:
    """9:00. Twelve people have seats, and six of them have come."""
    house.apply(toml(capacity=CAPACITY))
    house.hire()
    for number in range(CAPACITY):
        house.register(f"王{number}号")
    house.now = local("2030-06-10 09:00")
    arrive(house, *(f"王{number}号" for number in range(6)))
    reading().rollback()


def released_in_the_room() -> int:
    """How many people are checked in and have no seat."""
    reading().rollback()
    both = select(Attendee.id).join(CheckIn, CheckIn.attendee_id == Attendee.id)
    gone = both.where(CheckIn.undone_at.is_(None), Attendee.cancelled_at.is_not(None))
    return len(reading().scalars(gone).all())


@pytest.mark.both_databases
def test_release_check_ins_and_registrations_at_once_keep_every_promise(house: House) -> None:
    fill(house)
    ids = [id_of(f"王{number}号") for number in range(6, CAPACITY)]
    reading().rollback()

    def act(number: int) -> None:
        with house.app.app_context():
            if number % 4 == 0:
                release(house)
            elif number % 4 == 1:
                walk_in(house, f"李{number}号")
            elif number % 4 == 2:
                try:
                    house.register(f"孙{number}号", source="phone")
                except EventFull:
                    return
            else:
                _come(house, ids[number % len(ids)])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(act, range(24)))
    assert released_in_the_room() == 0
    assert house.seats().taken <= CAPACITY
    check_sum(house)


def _come(house: House, attendee: str) -> None:
    """Somebody comes whose seat may just have been given away."""
    arrival = Arrival(attendee, house.now, house.now)
    try:
        with transaction() as session:
            event = events.get(session, "small")
            check_in.check_in(session, event, arrival, anyway=True, by=house.dora)
    except AttendeeCancelled:
        return


def until_it_waits(session: Session, thread: Thread) -> None:
    """Go on when the thread waits for this transaction: on PostgreSQL until the server says so,
    because a busy machine may take long to bring it there; on SQLite for half a second."""
    if session.get_bind().dialect.name == "sqlite":
        thread.join(0.5)
        return
    ends = time.monotonic() + 20
    while not session.scalar(text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")):
        assert thread.is_alive() and time.monotonic() < ends, "it did not wait"
        thread.join(0.02)


def release_beside_a_check_in(house: House, *, locked: bool) -> int:
    """One door has begun to check Wang 6 in; another one releases. Returns how many people are in
    the room without a seat afterwards."""
    fill(house)
    arrival = Arrival(id_of("王6号"), house.now, house.now)
    reading().rollback()
    begun = Event()

    def other_door() -> None:
        with house.app.app_context(), pytest.MonkeyPatch.context() as patch:
            if not locked:
                plain: Any = lambda self, **_: self  # noqa: E731 - one statement, no lock
                patch.setattr(Select, "with_for_update", plain)
            begun.set()
            release(house)

    thread = Thread(target=other_door)
    with transaction() as session:
        event = events.get(session, "small")
        check_in.check_in(session, event, arrival, anyway=True, by=house.dora)
        thread.start()
        begun.wait(10)
        until_it_waits(session, thread)  # with the lock for that, or later without it
    thread.join(20)
    return released_in_the_room()


@pytest.mark.both_databases
def test_a_release_waits_for_a_check_in_that_has_begun(house: House) -> None:
    assert release_beside_a_check_in(house, locked=True) == 0
    check_sum(house)


def test_without_the_lock_somebody_in_the_room_would_lose_the_seat(
    database: str, folder: Any
) -> None:
    house = House(folder, EVENTREG_DATABASE_URL=database)
    with house.app.app_context():
        assert release_beside_a_check_in(house, locked=False) == 1
        found = invariants.of_event(reading(), house.event(), now=house.now)
        assert [one.name for one in found.findings if not one.holds] == [
            "nobody in the room lost the seat by a release"
        ]
    house.close()
