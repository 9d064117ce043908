"""Migrations of a database with people in it."""

import sqlite3
from typing import Any

import pytest
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from eventreg.core import audit, erasure, invariants
from eventreg.core.desk import attendee_list
from eventreg.core.desk.attendee_list import Selection
from eventreg.core.door import devices
from eventreg.core.registration import lookup
from eventreg.core.staff import pairing, sessions
from eventreg.storage import checks
from eventreg.storage.session import db, reading, transaction
from eventreg.storage.sqlite.file_connection import FileConnection
from tests.support.factories import House, local, toml, with_event
from tests.support.houses import two_seats_and_a_call

on_both_databases = pytest.mark.both_databases
WITH_CHECKS = "2026_12_01_known_browsers"
"""The last state in which the database checked every enum."""
WITHOUT_CHECKS = "2026_12_02_growing_enums"
GROWING = [
    ("registrations", "source"),
    ("outbox_messages", "kind"),
    ("calls", "reason"),
    ("calls", "outcome"),
]
GUARDED = [
    ("registrations", "state"),
    ("outbox_messages", "channel"),
    ("staff_members", "role"),
]


@pytest.fixture
def old(house: House) -> House:
    """A database with the CHECKs: two seats taken, one waiting, one given back, a call made."""
    two_seats_and_a_call(house)
    downgrade(revision=WITH_CHECKS)
    return house


def rows() -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table but Alembic's own."""
    tables = set(inspect(db.engine).get_table_names()) - {"alembic_version"}
    with db.engine.connect() as connection:
        return {
            table: sorted(
                (tuple(row) for row in connection.execute(text(f"SELECT * FROM {table}"))), key=repr
            )
            for table in tables
        }


def indexes_and_triggers() -> set[tuple[str, str]]:
    """By name, with the text of each as the database keeps it."""
    query = {
        "sqlite": "SELECT name, coalesce(sql, '') FROM sqlite_master "
        "WHERE type IN ('index', 'trigger')",
        "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    }[db.engine.dialect.name]
    with db.engine.connect() as connection:
        return {(name, words) for name, words in connection.execute(text(query))}


def constraints() -> set[tuple[str, str]]:
    """Every constraint with a name, and its table."""
    found = inspect(db.engine)
    return {
        (table, str(one["name"]))
        for table in found.get_table_names()
        for kind in (
            found.get_check_constraints(table),
            found.get_foreign_keys(table),
            found.get_unique_constraints(table),
            [found.get_pk_constraint(table)],
        )
        for one in kind
    }


def columns() -> dict[str, list[tuple[str, str, bool, object]]]:
    """Every column with its type, and whether it may be empty."""
    found = inspect(db.engine)
    return {
        table: [
            (one["name"], str(one["type"]), one["nullable"], str(one["default"]).strip("()"))
            for one in found.get_columns(table)
        ]
        for table in found.get_table_names()
    }


@on_both_databases
def test_dropping_the_checks_of_growing_enums_keeps_everything_else(old: House) -> None:
    before = rows(), indexes_and_triggers(), columns()
    known = constraints()
    assert before[0]["calls"]
    assert any("WHERE" in words for _, words in before[1]), "there are partial indexes to keep"
    upgrade(revision=WITHOUT_CHECKS)
    assert (rows(), indexes_and_triggers(), columns()) == before
    assert known - constraints() == {
        (table, f"ck_{table}_{column}_known") for table, column in GROWING
    }
    assert constraints() <= known
    upgrade()
    assert invariants.of_event(reading(), old.event(), now=old.now).holds


@on_both_databases
def test_the_downgrade_brings_the_checks_back(old: House) -> None:
    before = rows(), indexes_and_triggers(), columns(), constraints()
    upgrade(revision=WITHOUT_CHECKS)
    downgrade(revision=WITH_CHECKS)
    assert (rows(), indexes_and_triggers(), columns(), constraints()) == before


def set_unknown(table: str, column: str) -> None:
    """Write a value that no enum has, past the program."""
    with db.engine.begin() as connection:
        statement = f"UPDATE {table} SET {column} = 'x' WHERE id = 1"
        assert connection.execute(text(statement)).rowcount == 1


@on_both_databases
@pytest.mark.parametrize(("table", "column"), GROWING)
@pytest.mark.usefixtures("old")
def test_a_growing_enum_needs_no_migration(table: str, column: str) -> None:
    with pytest.raises(IntegrityError):
        set_unknown(table, column)
    upgrade()
    set_unknown(table, column)


@on_both_databases
@pytest.mark.parametrize(("table", "column"), GUARDED)
@pytest.mark.usefixtures("old")
def test_states_roles_and_channels_keep_their_checks(table: str, column: str) -> None:
    upgrade()
    with pytest.raises(IntegrityError):
        set_unknown(table, column)


@pytest.fixture
def foreign_keys_stay_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what the migrations' environment switches off."""

    def execute(connection: FileConnection, statement: str, *values: Any) -> Any:
        if statement == "PRAGMA foreign_keys=OFF":
            statement = "SELECT 1"
        return sqlite3.Connection.execute(connection, statement, *values)

    monkeypatch.setattr(FileConnection, "execute", execute)


@pytest.mark.usefixtures("old", "foreign_keys_stay_on")
def test_with_foreign_keys_on_sqlite_cannot_change_a_table() -> None:
    before = rows()
    with pytest.raises(IntegrityError):
        upgrade()
    assert checks.schema()[0] == WITH_CHECKS
    assert rows() == before


@pytest.mark.usefixtures("old")
def test_a_migration_that_leaves_a_row_without_its_parent_is_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    driver: Any = db.engine.raw_connection()
    driver.execute("PRAGMA foreign_keys=OFF")
    driver.execute("DELETE FROM registrations WHERE id = 1")
    driver.execute("PRAGMA foreign_keys=ON")
    driver.close()
    with pytest.raises(SystemExit):
        upgrade()
    assert "without parents" in caplog.text
    assert checks.schema()[0] == WITH_CHECKS


@on_both_databases
@pytest.mark.usefixtures("old")
def test_after_the_upgrade_foreign_keys_are_on_again() -> None:
    upgrade()
    for fault in checks.wrong_settings():
        pytest.fail(fault)
    with pytest.raises(IntegrityError), db.engine.begin() as connection:
        connection.execute(text("DELETE FROM registrations WHERE id = 1"))


KEYS_BEFORE = {
    "诸葛明": ("zhuge ming 诸葛明", "zhugeming zm"),
    "歐陽淑芬": ("ou yang shu fen 歐陽淑芬", "ouyangshufen oysf"),
    "乐嘉音": ("le jia yin 乐嘉音", "lejiayin ljy"),
    "Anna Lin": ("anna lin anna lin", "annalin al anna lin"),
}
"""Sort key and search key as the version before wrote them. Staff typed that 乐 is read le."""


@on_both_databases
def test_the_search_keys_of_people_who_registered_before_are_computed_again(house: House) -> None:
    house.apply(toml(capacity=20))
    for name in (*KEYS_BEFORE, "周忘"):
        house.register(name)
    with transaction() as session:
        gone = with_event(session, lookup.get(session, len(KEYS_BEFORE) + 1))
        erasure.erase(session, *gone, by=audit.SYSTEM, now=house.now)
    downgrade(revision=WITHOUT_CHECKS)
    set_keys = text("UPDATE attendees SET sort_key = :sort, search_key = :keys WHERE name = :name")
    with db.engine.begin() as connection:
        for name, (sort_key, keys) in KEYS_BEFORE.items():
            connection.execute(set_keys, {"name": name, "sort": sort_key, "keys": keys})
    before = rows()

    def found(query: str) -> list[str]:
        reading().rollback()
        rows_found = attendee_list.listed(reading(), house.event(), Selection(query=query))
        reading().rollback()
        return [row.name for row in rows_found]

    assert not any("zgm" in keys for _, keys in KEYS_BEFORE.values())
    upgrade(revision="2026_12_03_search_keys")
    assert {name: kept for name, kept in rows().items() if name != "attendees"} == {
        name: kept for name, kept in before.items() if name != "attendees"
    }
    upgrade()
    queries = {"zgm": "诸葛明", "欧阳淑芬": "歐陽淑芬", "jiayin": "乐嘉音", "lejy": "乐嘉音"}
    for query, name in {**queries, "lin anna": "Anna Lin"}.items():
        assert found(query) == [name], query
    kept = reading().execute(text("SELECT sort_key, search_key FROM attendees ORDER BY id")).all()
    assert [row.sort_key for row in kept] == [*(sort for sort, _ in KEYS_BEFORE.values()), "~"]
    assert kept[-1].search_key == "~", "who was erased stays erased"


@on_both_databases
def test_a_telephone_that_was_paired_before_becomes_a_door_and_keeps_working(house: House) -> None:
    """It was good until midnight. Now it is good until twelve hours after its event."""
    house.now = local("2030-06-10 08:00")
    house.apply(toml())
    event, midnight = house.event(), local("2030-06-11 00:00")
    with transaction() as session:
        made = [pairing.account(session, event, None, by=audit.SYSTEM, now=house.now) for _ in "ab"]
        tokens = [sessions.open_for(session, one, now=house.now, until=midnight) for one in made]
    reading().rollback()
    downgrade(revision="2026_12_04_put_first")
    upgrade()
    reading().rollback()
    doors = devices.of_event(reading(), house.event())
    assert [one.name for one in doors] == ["1 号台", "2 号台"]
    assert [one.paired_at for one in doors] == [house.now] * 2
    for token, door in zip(tokens, doors, strict=True):
        found = sessions.find(reading(), token, now=local("2030-06-10 22:59"))
        assert found is not None
        assert found.door_device == door.device
        assert sessions.find(reading(), token, now=local("2030-06-10 23:00")) is None
