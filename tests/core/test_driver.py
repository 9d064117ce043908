"""Constant statements on the driver's own connection, and the transaction for them."""

from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError

from eventreg.core.driver import Driver, _prepare, look
from eventreg.core.errors import Busy, SeatsRaced
from eventreg.core.models.audit import AuditEntry
from eventreg.core.models.event import EventSeats
from eventreg.core.models.registration import Attendee, FormKey
from eventreg.core.registration import availability, lookup, register
from eventreg.storage.quick_transaction import quick_transaction, write_at_once
from eventreg.storage.session import db, reading, transaction
from tests.support.factories import House

on_both = pytest.mark.both_databases
on_postgresql = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
NOON = datetime(2030, 6, 10, 4, 0, 0, 123456, tzinfo=UTC)
_note = insert(AuditEntry)
_notes = select(AuditEntry.at, AuditEntry.action, AuditEntry.details).order_by(AuditEntry.id)
_take = update(EventSeats).values(taken=bindparam("taken")).returning(EventSeats.taken)
_own_key = insert(FormKey)
_people = insert(Attendee)


def note(driver: Driver, action: str = "seats-taken", **details: Any) -> None:
    """Write an entry of the audit trail."""
    row = {"at": NOON, "action": action, "actor_kind": "system", "details": details}
    driver.execute(_note, row)


def notes() -> list[Any]:
    """The entries, read by a session."""
    reading().rollback()
    return [tuple(row) for row in reading().execute(_notes)]


@on_both
def test_moments_and_details_are_stored_as_a_session_stores_them(small: House) -> None:
    before = len(notes())
    with quick_transaction() as driver:
        note(driver, names=["é", 2], none=None)
    assert notes()[before:] == [(NOON, "seats-taken", {"names": ["é", 2], "none": None})]
    assert look(db.engine, None, _notes)[before:] == notes()[before:]


@on_both
def test_nothing_is_written_if_the_act_raises(small: House) -> None:
    before = notes()
    with pytest.raises(SeatsRaced), quick_transaction() as driver:
        note(driver)
        raise SeatsRaced
    assert notes() == before
    assert write_at_once(note) is None
    assert len(notes()) == len(before) + 1


@on_both
def test_an_act_that_another_writer_prevents_can_be_tried_again(small: House) -> None:
    def raced(driver: Driver) -> None:
        note(driver)
        raise SeatsRaced

    def twice(driver: Driver) -> None:
        for _ in range(2):
            row = {"event_id": small.event().id, "fingerprint": "f", "created_at": NOON}
            driver.execute(_own_key, {"key": "k", "registration_id": None, "burst": None, **row})

    before = notes()
    assert write_at_once(raced) is None
    assert write_at_once(twice) is None
    assert notes() == before


@on_both
def test_errors_are_those_of_a_session_without_its_values(small: House) -> None:
    with pytest.raises(IntegrityError) as refused, quick_transaction() as driver:
        driver.execute(_take, {"taken": 1_000_000})
    assert refused.value.params is None


def test_a_transaction_inside_another_is_refused(small: House) -> None:
    inside = pytest.raises(RuntimeError, match="inside a transaction")
    with transaction(), inside, quick_transaction():
        pass


@on_both
def test_the_connection_goes_back_to_the_pool_as_it_was_lent(small: House) -> None:
    for _ in range(20):  # more than the pool has
        with pytest.raises(SeatsRaced), quick_transaction():
            raise SeatsRaced
        with quick_transaction() as driver:
            note(driver)
    if db.engine.dialect.name == "postgresql":
        level = reading().execute(text("SHOW transaction_isolation")).scalar_one()
        assert level == "repeatable read"


@on_postgresql
def test_in_it_a_second_look_sees_what_others_have_committed(house: House) -> None:
    with quick_transaction() as driver:
        seen = driver.execute(_notes, {}).all()
        with db.engine.begin() as other:
            row = {"at": NOON, "action": "seats-taken", "actor_kind": "system", "details": {}}
            other.execute(_note, row)
        assert len(driver.execute(_notes, {}).all()) == len(seen) + 1


@on_postgresql
def test_a_database_that_is_away_is_busy_and_its_connection_is_thrown_away(
    house: House,
) -> None:
    def killed(driver: Driver) -> None:
        with db.engine.connect() as other:
            pid = driver.connection.info.backend_pid
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        note(driver)

    with pytest.raises(Busy):
        write_at_once(killed)
    write_at_once(note)
    with pytest.raises(OperationalError), quick_transaction() as driver:
        driver.connection.close()
        note(driver)


def test_a_statement_that_is_made_anew_each_time_is_refused(
    small: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventreg.core.driver._MOST", 0)
    monkeypatch.setattr("eventreg.core.driver._prepared", {})
    with pytest.raises(RuntimeError, match="only constant statements"):
        look(db.engine, None, select(AuditEntry.id))


def test_an_insert_without_a_value_that_python_fills_in_is_refused(small: House) -> None:
    with pytest.raises(TypeError, match="values are missing"), quick_transaction() as driver:
        driver.execute(_people, {"name": "x"})


def test_each_act_has_its_number_so_that_an_older_copy_is_noticed(small: House) -> None:
    def number() -> Any:
        reading().rollback()
        return reading().execute(text("PRAGMA user_version")).scalar_one()

    before = number()
    with quick_transaction() as driver:
        note(driver)
    assert number() == before + 1


def test_it_waits_at_the_gate_for_its_turn(small: House) -> None:
    gate = small.app.extensions["gate"]
    gate._patience = 0.05
    inside, done = Event(), Event()

    def stay() -> None:
        with gate():
            inside.set()
            done.wait(10)

    other = Thread(target=stay)
    other.start()
    inside.wait(10)
    with pytest.raises(Busy):
        write_at_once(note)
    done.set()
    other.join()
    write_at_once(note)


@pytest.mark.parametrize("statement", [lookup._plain, register._made, availability._current])
def test_what_every_guest_reads_is_found_by_an_index_in_an_event_of_any_size(
    small: House, statement: Any
) -> None:
    given = {"digest": "d", "key": "k", "slug": "s"}
    names = {one.key for one in statement.compile().bind_names} & given.keys()
    prepared = _prepare(statement, db.engine.dialect, {name: given[name] for name in names})
    values = prepared.values({name: given[name] for name in names})
    driver = Driver.lend(db.engine)
    plan = driver.connection.execute(f"EXPLAIN QUERY PLAN {prepared.sql}", values).fetchall()
    driver.lent.close()
    steps = [step[-1] for step in plan]
    assert not [step for step in steps if step.startswith("SCAN") and "CONSTANT" not in step]
    by_event = [step for step in steps if "(event_id=?" in step]
    assert not by_event, "all registrations of the event would be read"
