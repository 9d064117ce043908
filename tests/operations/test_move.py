"""All data moves from a file to PostgreSQL and back, or nothing does."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eventreg.core import invariants
from eventreg.core.models.registration import Registration
from eventreg.core.registration import tickets
from eventreg.storage.move import copying
from eventreg.storage.session import db, reading
from tests.commands.test_commands import run
from tests.operations import every_table
from tests.operations.test_migrations import constraints, indexes_and_triggers
from tests.support.factories import SECRET, House
from tests.support.pages import get


def rows(house: House) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, as the program reads them."""
    reading().rollback()
    with db.engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in copying._rows(connection, table)]
            for table in db.metadata.sorted_tables
        }


@pytest.fixture
def empty(cluster: Any) -> Iterator[str]:
    """The address of a PostgreSQL database without any table."""
    yield cluster.create("to_move")
    cluster.drop("to_move")


@pytest.fixture
def lively(house: House) -> House:
    """A file in which every table has rows."""
    every_table.fill(house)
    return house


def ticket_of_the_first(house: House) -> str:
    """The path of a guest's ticket."""
    made = reading().get_one(Registration, 1)
    return f"/T/{tickets.token(SECRET, made.ticket_seed)}"


def test_everything_moves_to_postgresql_and_back(lively: House, empty: str, tmp_path: Path) -> None:
    olga, ticket = lively.signed_in("olga"), ticket_of_the_first(lively)
    cookie = olga.get_cookie("s")
    assert cookie
    before = rows(lively)
    assert all(before.values()), "every table has rows"
    tables = constraints(), {name for name, _ in indexes_and_triggers()}
    said = run(lively, "move", "--to", empty)
    assert (said.exit_code, said.stderr) == (0, ""), said.output
    assert "4 registrations, 6 attendees" in said.output
    there = House(tmp_path / "other", EVENTREG_DATABASE_URL=empty)
    there.now = lively.now
    with there.app.app_context():
        assert rows(there) == before
        assert run(there, "doctor").output.endswith("all holds\n")
        browser = there.client()
        assert "张桂芳" in get(browser, ticket).text, "the links of the tickets open"
        browser.set_cookie("s", cookie.value)
        assert get(browser, "/staff/events/small").status == 200, "who signed in is signed in"
        there.register("钱一", waitlist=True)  # new rows get new numbers
        after = rows(there)
        file = tmp_path / "back.sqlite3"
        said = run(there, "move", "--to", f"sqlite:///{file}")
        assert (said.exit_code, said.stderr) == (0, ""), said.output
    there.close()
    back = House(tmp_path / "third", EVENTREG_DATABASE_URL=f"sqlite:///{file}")
    back.now = lively.now
    with back.app.app_context():
        assert rows(back) == after
        assert (constraints(), {name for name, _ in indexes_and_triggers()}) == tables
        assert run(back, "doctor").output.endswith("all holds\n")
        back.register("钱二", waitlist=True)
        assert invariants.of_event(reading(), back.event(), now=back.now).holds
    back.close()
