"""Fixtures that several files start from. A file gives them the names by which its tests ask for
them: ``small = with_seats(5)``."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from eventreg.core.models.calls import Call, CallOutcome, CallReason
from eventreg.storage.session import reading, transaction
from tests.support import cast
from tests.support.factories import House, local, toml

ZHANG = {"name": "张桂芳", "phone": "138 0013 8000"}
"""What Zhang Guifang types to register, and later to find her ticket."""


def with_seats(capacity: int, *party: str, staff: bool = False) -> object:
    """A fixture: a house with one event of that many seats. ``party`` has registered; with
    ``staff``, everybody is hired."""

    @pytest.fixture
    def opened(house: House) -> House:
        house.apply(toml(capacity=capacity))
        if staff:
            house.hire()
        if party:
            house.register(*party)
        return house

    return opened


@pytest.fixture
def one_of_each(house: House) -> House:
    """Two seats taken, one person waiting, one cancelled."""
    house.apply(toml(capacity=2))
    house.register("王一", "王二")
    gone = house.register("李一", waitlist=True)
    house.register("李二", waitlist=True)
    house.cancel(gone)
    return house


@pytest.fixture
def a_couple_and_two_who_wait(house: House) -> House:
    """Two seats taken by a couple, two parties waiting."""
    house.apply(toml(capacity=2))
    house.hire()
    house.couple = house.register("王建国", "李秀英", phone="13800138000")  # type: ignore[attr-defined]
    house.next = house.register("张桂芳", phone="13800138001", waitlist=True)  # type: ignore[attr-defined]
    house.last = house.register("陈阿宝", "陈阿根", phone="057487651234", waitlist=True)  # type: ignore[attr-defined]
    return house


@pytest.fixture(scope="module")
def monday_morning(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """All events of the cast, on Monday morning at eight; for reading only."""
    folder = tmp_path_factory.mktemp("cast")
    shutil.copy(migrated, folder / "eventreg.sqlite3")
    paths = cast.prepare(folder)
    house = House(folder, EVENTREG_PUBLIC_URL="https://lecture.example.org")
    house.now = local("2030-06-10 08:00")
    house.app.extensions["paths"] = paths
    yield house
    house.close()


@pytest.fixture
def guest_without_cookies(small: House) -> FlaskClient:
    """A browser that drops every cookie, as those inside chat apps do."""
    return small.app.test_client(use_cookies=False)


def two_seats_and_a_call(house: House) -> None:
    """Fill a house: two seats taken, one waiting, one given back, a call made."""
    house.apply(toml(capacity=2))
    house.hire()
    guest = house.register("王一", "王二", source="phone", email="wang@example.org")
    gone = house.register("李一", waitlist=True)
    house.register("李二", waitlist=True)
    house.cancel(gone)
    with transaction() as session:
        session.add(
            Call(
                event_id=guest.event_id,
                registration_id=guest.id,
                registration_version=guest.version,
                reason=CallReason.REGISTERED,
                outcome=CallOutcome.REACHED,
                called_at=house.now,
            )
        )
    reading().rollback()
