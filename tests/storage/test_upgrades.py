"""Upgrades of the tables keep all rows, also if they are cut short, and refuse newer tables."""

import re

import pytest
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, text
from sqlalchemy.event import listen, remove

from eventreg.storage import backups, checks
from eventreg.storage.session import db, reading
from tests.support.factories import ROOT, House

pytestmark = pytest.mark.both_databases
FIRST = "2026_11_22_first"
WHOLE = {
    found
    for path in (ROOT / "migrations" / "versions").glob("*.py")
    for found in re.findall(r'^revision = "(.*)"', path.read_text(), re.M)
}
"""Every state between two upgrades."""


def test_an_upgrade_keeps_all_rows_and_makes_a_backup_first(small: House) -> None:
    downgrade(revision=FIRST)
    db.session.remove()
    checks.make_tables()
    assert checks.schema()[0] == checks.schema()[1]
    assert (small.seats().taken, small.seats().waiting) == (2, 1)
    ids = reading().execute(text("SELECT public_id FROM attendees")).scalars().all()
    assert len(ids) == len(set(ids)) == 4
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in ids), (
        "each has a random id in the present form"
    )
    (kept,) = (small.settings.instance / "backups").glob(f"before-upgrade-{FIRST}-*.zip")
    assert backups.verify(kept).schema == FIRST


class Cut(Exception):
    """The program ends at once."""


def upgrade_cut_after(statements: int) -> bool:
    """Upgrade, and stop after this many statements. Returns whether the upgrade was completed."""
    left = iter(range(statements))

    def cut(*_: object) -> None:
        if next(left, None) is None:
            raise Cut

    listen(db.engine, "before_cursor_execute", cut)
    try:
        upgrade()
    except Cut:
        return False
    finally:
        remove(db.engine, "before_cursor_execute", cut)
    return True


def test_an_upgrade_that_was_cut_short_is_completed_by_the_next(small: House) -> None:
    """Cut at each statement in turn. No migration is left half-done; the next upgrade succeeds."""
    downgrade(revision=FIRST)
    cuts = 0
    while not upgrade_cut_after(cuts):
        cuts += 1
        assert checks.schema()[0] in WHOLE, "each migration is done completely or not at all"
    assert cuts > 10
    assert checks.schema()[0] == checks.schema()[1]
    assert "outbox_messages" in inspect(db.engine).get_table_names()
    assert (small.seats().taken, small.seats().waiting) == (2, 1)


def made_by_a_newer_program() -> None:
    """Let the tables have a schema that this program does not know."""
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '2031_01_01_future'"))


def test_tables_of_a_newer_program_that_only_added_to_them_are_used(small: House) -> None:
    made_by_a_newer_program()
    checks.require_usable_database()
    checks.make_tables()
    assert checks.schema()[0] == "2031_01_01_future"
    reading().rollback()
    assert small.run("doctor").exit_code == 0
    small.register("赵一", waitlist=True)


def test_tables_of_a_newer_program_that_took_something_away_are_refused(small: House) -> None:
    made_by_a_newer_program()
    with db.engine.begin() as connection:
        connection.execute(text("DELETE FROM fitting_programs"))
    with pytest.raises(checks.Unsafe, match="newer eventreg"):
        checks.require_usable_database()
    with pytest.raises(checks.Unsafe, match="newer eventreg"):
        checks.make_tables()
    reading().rollback()
    assert small.app.test_cli_runner().invoke(args=["doctor"]).exit_code == 1


def test_the_version_before_can_write_into_the_tables_of_this_one(small: House) -> None:
    """It writes rows without the new columns."""
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE event_seats SET capacity = 3, taken = taken + 1"))
        connection.execute(
            text(
                "INSERT INTO registrations (event_id, ticket_seed, ticket_digest, state, source, "
                "locale, phone_number, phone_typed, phone_tail, version, created_at) "
                "SELECT event_id, 'x', 'x', state, source, "
                "locale, '+8613900000000', phone_typed, '0000', 1, created_at "
                "FROM registrations WHERE id = 1"
            )
        )
        for _ in range(2):
            connection.execute(
                text(
                    "INSERT INTO attendees (event_id, registration_id, place, name, name_folded, "
                    "sort_key, search_key, letter, phone_number, phone_tail, cancelled_at) "
                    "SELECT event_id, registration_id, place, name, name_folded, "
                    "sort_key, search_key, letter, phone_number, phone_tail, '2030-06-01 00:00:00' "
                    "FROM attendees WHERE id = 1"
                )
            )
        ids = connection.execute(text("SELECT public_id FROM attendees")).scalars().all()
        assert len(set(ids)) == 6
        assert all(re.fullmatch("[0-9a-f]{32}", str(one)) for one in ids), (
            "the database makes their ids"
        )
    assert small.seats().taken == 3
