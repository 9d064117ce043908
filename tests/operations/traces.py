"""The people of an event, and what can still be found of them in the database and in the files."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from eventreg import background
from eventreg.storage.session import reading
from tests.support.factories import House, toml
from tests.support.pages import Page, get

DESK = "/staff/events/small"
PEOPLE = {
    "name": "慕容翠花",
    "companion": "端木阿根",
    "phone": "13711112222",
    "email": "cuihua@example.org",
    "contact": "澹台小妹",
    "waiting": "闻人三",
    "cancelled": "公孙四",
}
SOUGHT = [
    PEOPLE["name"],
    PEOPLE["companion"],
    PEOPLE["phone"],
    PEOPLE["email"],
    PEOPLE["contact"],
    "murong",
    "11112222",
]
"""Everything that identifies the people of the first registration."""


def register_couple(house: House, **wishes: str) -> None:
    """Register the first two of them."""
    house.register(
        PEOPLE["name"],
        PEOPLE["companion"],
        phone=PEOPLE["phone"],
        email=PEOPLE["email"],
        contact=PEOPLE["contact"],
        **wishes,
    )


@pytest.fixture
def four_people(house: House) -> House:
    """Two confirmed, one waiting and one cancelled person, and staff."""
    house.apply(toml(capacity=2))
    house.hire()
    register_couple(house, wishes="wheelchair")
    house.register(PEOPLE["waiting"], phone="13711113333", waitlist=True)
    gone = house.register(PEOPLE["cancelled"], phone="13711114444", waitlist=True)
    house.cancel(gone)
    return house


def purge(house: House) -> list[tuple[str, int]]:
    """Run the background job. Returns what it has erased."""
    reading().rollback()
    return [(one.stage.value, one.registrations) for one in background.purge().found]


def names_left(house: House) -> set[str]:
    """The names in the database."""
    reading().rollback()
    return set(reading().execute(text("SELECT name FROM attendees")).scalars())


def bytes_of(folder: Path) -> bytes:
    """The content of all files in the instance folder."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def churn(house: House) -> None:
    """Write, free and write again some pages of the database file."""
    for number in range(40):
        house.cancel(house.register(f"临时{number}", waitlist=True))


def left_of(sought: list[str], searched: bytes) -> list[str]:
    """Those texts that are still in these bytes."""
    return [one for one in sought if one.encode() in searched]


def press_erase(client: FlaskClient, registration_id: int) -> Page:
    """Erase the people of one registration. Returns the page that follows."""
    page = get(client, f"{DESK}/registrations/{registration_id}/erase")
    answer = client.post(f"{DESK}/registrations/{registration_id}/erase", data=page.form().fields)
    return get(client, answer.headers["Location"])
