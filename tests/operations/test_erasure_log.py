"""Who was erased stays erased whatever backup is brought back, and nobody else is erased in their
place."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from eventreg.core import audit, erasure
from eventreg.core.models.registration import Registration
from eventreg.core.registration import lookup
from eventreg.operations import erasure_log
from eventreg.storage.session import db, reading, transaction
from tests.support.factories import House, toml, with_event
from tests.support.pages import get

pytestmark = pytest.mark.both_databases
DESK = "/staff/events/small"
ANNA, CARL = "慕容翠花", "闻人三"


@pytest.fixture
def small(house: House) -> House:
    """Nobody has registered yet, and everybody is hired."""
    house.apply(toml())
    house.hire()
    return house


def run(house: House, *words: str) -> Any:
    """A command, as the operator types it."""
    reading().rollback()
    return house.app.test_cli_runner().invoke(args=list(words))


def backup(house: House, file: Path) -> Path:
    """A backup of this moment."""
    assert run(house, "backup", "create", str(file)).exit_code == 0
    return file


def restore(house: House, file: Path) -> None:
    """Bring a backup back, a second later."""
    house.now += timedelta(seconds=1)
    done = run(house, "backup", "restore", str(file))
    assert done.exit_code == 0, done.output


def press_erase(client: FlaskClient, number: int) -> None:
    """Erase one registration's people on their page."""
    form = get(client, f"{DESK}/registrations/{number}/erase").form()
    assert client.post(f"{DESK}/registrations/{number}/erase", data=form.fields).status_code == 303


def names() -> set[str]:
    """The names that stand in the database."""
    reading().rollback()
    return set(reading().execute(text("SELECT name FROM attendees")).scalars())


def the_list(house: House) -> Path:
    """The file that remembers."""
    return house.settings.instance / "forgotten.txt"


def doctor(house: House) -> str:
    """What doctor says of the list."""
    lines: list[str] = run(house, "doctor").output.splitlines()
    return next(line for line in lines if "is known by ticket" in line)


def test_a_guest_who_gets_the_number_of_somebody_erased_is_not_erased(
    small: House, tmp_path: Path
) -> None:
    nobody = backup(small, tmp_path / "nobody.zip")
    anna = small.register(ANNA).id
    with_anna = backup(small, tmp_path / "anna.zip")
    press_erase(small.signed_in("olga"), anna)
    restore(small, nobody)
    carl = small.register(CARL).id
    assert carl == anna, "the number came again"
    with_carl = backup(small, tmp_path / "carl.zip")
    for _ in range(2):
        restore(small, with_carl)
        assert names() == {CARL}
        assert lookup.get(reading(), carl).state == "confirmed"
    run(small, "purge")
    assert names() == {CARL}
    restore(small, with_anna)
    assert names() == {erasure.NOBODY}, "and she stays erased"
    assert lookup.get(reading(), anna).state == "cancelled"
    restore(small, with_carl)
    assert names() == {CARL}


def old_list(house: House, *numbers: int) -> None:
    """The list as the version before wrote it."""
    the_list(house).write_text("".join(f"{number}\n" for number in numbers))


@pytest.mark.parametrize("started_before", [True, False])
def test_an_older_list_is_understood_where_it_is_certain(
    small: House, tmp_path: Path, started_before: bool
) -> None:
    anna = small.register(ANNA).id
    with_anna = backup(small, tmp_path / "anna.zip")
    press_erase(small.signed_in("olga"), anna)
    old_list(small, anna)
    if started_before:
        assert run(small, "purge").exit_code == 0
        assert doctor(small).startswith("ok")
    restore(small, with_anna)
    assert ANNA not in names()
    assert doctor(small).startswith("ok")


def test_an_older_list_erases_nobody_who_only_has_the_number(
    small: House, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    carl = small.register(CARL).id
    with_carl = backup(small, tmp_path / "carl.zip")
    old_list(small, carl, 77)
    assert run(small, "purge").exit_code == 0
    restore(small, with_carl)
    assert names() == {CARL}
    said = doctor(small)
    assert said.startswith("NO")
    assert "names 2 registrations by number alone" in caplog.text
    assert f"registrations {carl}, 77 by number alone" in said
    old_list(small)
    assert doctor(small).startswith("ok"), "the operator has taken the lines out"


def test_whom_only_an_older_list_erased_may_be_a_stranger(small: House, tmp_path: Path) -> None:
    """What the version before did at a restore: it erased whoever had the number, as the system."""
    carl = small.register(CARL).id
    with_carl = backup(small, tmp_path / "carl.zip")
    old_list(small, carl)
    with transaction() as session:
        erasure.erase(
            session, *with_event(session, lookup.get(session, carl)), by=audit.SYSTEM, now=small.now
        )
    run(small, "purge")
    assert doctor(small).startswith("NO")
    restore(small, with_carl)
    assert names() == {CARL}, "a backup brings him back"
    press_erase(small.signed_in("olga"), carl)
    assert doctor(small).startswith("ok"), "an organiser has said so"
    restore(small, with_carl)
    assert CARL not in names()


def test_what_the_database_knows_makes_up_for_a_list_that_was_lost(
    small: House, tmp_path: Path
) -> None:
    """Or that another machine has written."""
    anna = small.register(ANNA).id
    with_anna = backup(small, tmp_path / "anna.zip")
    press_erase(small.signed_in("olga"), anna)
    the_list(small).unlink()
    restore(small, with_anna)
    assert ANNA not in names()
    the_list(small).unlink()
    with transaction() as session:
        (mark,) = session.scalars(db.select(Registration.ticket_digest))
    run(small, "purge")
    assert mark in the_list(small).read_text()


def test_a_database_that_was_brought_back_by_hand_is_looked_through_within_the_hour(
    small: House,
) -> None:
    anna = small.register(ANNA)
    erasure_log.remember([anna.ticket_digest])
    run(small, "purge")
    assert names() == {erasure.NOBODY}


def test_whoever_was_purged_is_not_brought_back_by_an_event_that_was_kept_longer_then(
    small: House, tmp_path: Path
) -> None:
    small.apply(toml(more="[privacy]\nkeep_days = 365"))
    small.register(ANNA)
    with_anna = backup(small, tmp_path / "anna.zip")
    small.apply(toml(more="[privacy]\nkeep_days = 0"))
    small.now = small.event().ends_at
    assert run(small, "purge").exit_code == 0
    restore(small, with_anna)
    assert names() == {erasure.NOBODY}


def test_the_list_opens_no_ticket_names_nobody_and_is_closed_to_others(small: House) -> None:
    anna = small.register(ANNA)
    press_erase(small.signed_in("olga"), anna.id)
    (line,) = the_list(small).read_text().split()
    assert line == anna.ticket_digest
    assert small.client().get(f"/T/{line}").status_code == 404
    assert the_list(small).stat().st_mode & 0o077 == 0
    press_erase(small.signed_in("olga"), anna.id)
    assert the_list(small).read_text().split() == [line], "noted once"
    the_list(small).write_text(f"{line}\nhalf a li")
    erasure_log.remember(["0" * 64])
    assert erasure_log.everybody() == {line, "0" * 64}, (
        "a line that was cut short swallows no other"
    )
