"""After a restore of any backup, erased people stay erased, and no one else is erased."""

from datetime import timedelta
from pathlib import Path

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


def backup(house: House, file: Path) -> Path:
    """Make a backup."""
    assert house.run("backup", "create", str(file)).exit_code == 0
    return file


def restore(house: House, file: Path) -> None:
    """Restore a backup, a second later."""
    house.now += timedelta(seconds=1)
    done = house.run("backup", "restore", str(file))
    assert done.exit_code == 0, done.output


def press_erase(client: FlaskClient, number: int) -> None:
    """Erase the people of one registration on their page."""
    form = get(client, f"{DESK}/registrations/{number}/erase").form()
    assert client.post(f"{DESK}/registrations/{number}/erase", data=form.fields).status_code == 303


def names() -> set[str]:
    """The names in the database."""
    reading().rollback()
    return set(reading().execute(text("SELECT name FROM attendees")).scalars())


def log_file(house: House) -> Path:
    """The erasure log."""
    return house.settings.instance / "forgotten.txt"


def doctor(house: House) -> str:
    """The line of doctor about the erasure log."""
    lines: list[str] = house.run("doctor").output.splitlines()
    return next(line for line in lines if "is known by ticket" in line)


def test_a_guest_with_the_row_number_of_someone_erased_is_not_erased(
    small: House, tmp_path: Path
) -> None:
    nobody = backup(small, tmp_path / "nobody.zip")
    anna = small.register(ANNA).id
    with_anna = backup(small, tmp_path / "anna.zip")
    press_erase(small.signed_in("olga"), anna)
    restore(small, nobody)
    carl = small.register(CARL).id
    assert carl == anna, "the row number is used again"
    with_carl = backup(small, tmp_path / "carl.zip")
    for _ in range(2):
        restore(small, with_carl)
        assert names() == {CARL}
        assert lookup.get(reading(), carl).state == "confirmed"
    small.run("purge")
    assert names() == {CARL}
    restore(small, with_anna)
    assert names() == {erasure.NOBODY}, "she stays erased"
    assert lookup.get(reading(), anna).state == "cancelled"
    restore(small, with_carl)
    assert names() == {CARL}


def write_old_log(house: House, *numbers: int) -> None:
    """Write the log as an older version did, with row numbers."""
    log_file(house).write_text("".join(f"{number}\n" for number in numbers))


@pytest.mark.parametrize("started_before", [True, False])
def test_a_row_number_in_an_older_log_is_used_if_it_is_certain(
    small: House, tmp_path: Path, started_before: bool
) -> None:
    anna = small.register(ANNA).id
    with_anna = backup(small, tmp_path / "anna.zip")
    press_erase(small.signed_in("olga"), anna)
    write_old_log(small, anna)
    if started_before:
        assert small.run("purge").exit_code == 0
        assert doctor(small).startswith("ok")
    restore(small, with_anna)
    assert ANNA not in names()
    assert doctor(small).startswith("ok")


def test_a_row_number_in_an_older_log_erases_no_one_by_itself(
    small: House, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    carl = small.register(CARL).id
    with_carl = backup(small, tmp_path / "carl.zip")
    write_old_log(small, carl, 77)
    assert small.run("purge").exit_code == 0
    restore(small, with_carl)
    assert names() == {CARL}
    said = doctor(small)
    assert said.startswith("NO")
    assert "names 2 registrations by number alone" in caplog.text
    assert f"registrations {carl}, 77 by number alone" in said
    write_old_log(small)
    assert doctor(small).startswith("ok"), "the operator has deleted the lines"


def test_a_guest_erased_only_by_an_older_log_can_be_restored(small: House, tmp_path: Path) -> None:
    """After a restore, an older version erased everyone whose row number was in the log."""
    carl = small.register(CARL).id
    with_carl = backup(small, tmp_path / "carl.zip")
    write_old_log(small, carl)
    with transaction() as session:
        erasure.erase(
            session, *with_event(session, lookup.get(session, carl)), by=audit.SYSTEM, now=small.now
        )
    small.run("purge")
    assert doctor(small).startswith("NO")
    restore(small, with_carl)
    assert names() == {CARL}, "the backup restores him"
    press_erase(small.signed_in("olga"), carl)
    assert doctor(small).startswith("ok"), "an organiser has erased him"
    restore(small, with_carl)
    assert CARL not in names()


def test_a_lost_log_is_written_again_from_the_database(small: House, tmp_path: Path) -> None:
    """Also if another machine has erased them."""
    anna = small.register(ANNA).id
    with_anna = backup(small, tmp_path / "anna.zip")
    press_erase(small.signed_in("olga"), anna)
    log_file(small).unlink()
    restore(small, with_anna)
    assert ANNA not in names()
    log_file(small).unlink()
    with transaction() as session:
        (mark,) = session.scalars(db.select(Registration.ticket_digest))
    small.run("purge")
    assert mark in log_file(small).read_text()


def test_after_a_restore_by_hand_the_hourly_job_erases_again(
    small: House,
) -> None:
    anna = small.register(ANNA)
    erasure_log.remember([anna.ticket_digest])
    small.run("purge")
    assert names() == {erasure.NOBODY}


def test_a_purged_guest_stays_erased_if_the_restored_event_has_a_longer_retention(
    small: House, tmp_path: Path
) -> None:
    small.apply(toml(more="[privacy]\nkeep_days = 365"))
    small.register(ANNA)
    with_anna = backup(small, tmp_path / "anna.zip")
    small.apply(toml(more="[privacy]\nkeep_days = 0"))
    small.now = small.event().ends_at
    assert small.run("purge").exit_code == 0
    restore(small, with_anna)
    assert names() == {erasure.NOBODY}


def test_the_log_opens_no_ticket_has_no_names_and_only_its_owner_may_read_it(small: House) -> None:
    anna, olga = small.register(ANNA), small.signed_in("olga")
    form = get(olga, f"{DESK}/registrations/{anna.id}/erase").form()
    press_erase(olga, anna.id)
    (line,) = log_file(small).read_text().split()
    assert line == anna.ticket_digest
    assert small.client().get(f"/T/{line}").status_code == 404
    assert log_file(small).stat().st_mode & 0o077 == 0
    olga.post(f"{DESK}/registrations/{anna.id}/erase", data=form.fields)
    assert log_file(small).read_text().split() == [line], "it is noted once"
    log_file(small).write_text(f"{line}\nhalf a li")
    erasure_log.remember(["0" * 64])
    assert erasure_log.erased_digests() == {line, "0" * 64}, (
        "a line that was cut short does not spoil the next"
    )
