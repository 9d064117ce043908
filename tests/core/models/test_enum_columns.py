"""Columns that hold an enum: what the program refuses to write, and what it reads."""

from collections.abc import Iterator
from enum import StrEnum

import pytest
from sqlalchemy import insert, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import StatementError

from eventreg.core.models.base import Base, OneOf
from eventreg.core.models.calls import Call
from eventreg.core.models.outbox import Channel, MessageKind, OutboxMessage
from eventreg.core.models.registration import Registration, Source
from eventreg.storage.session import db, reading, transaction
from tests.support import shared
from tests.support.factories import House

GROWING = [
    (Registration, "source"),
    (OutboxMessage, "kind"),
    (Call, "reason"),
    (Call, "outcome"),
]


@pytest.mark.parametrize(("table", "column"), GROWING)
@pytest.mark.usefixtures("house")
def test_an_unknown_value_is_refused_before_the_database_sees_it(
    table: type[Base], column: str
) -> None:
    with pytest.raises(StatementError, match="is not a valid"), transaction() as session:
        session.execute(insert(table), {column: "unheard-of"})


def test_an_unknown_value_is_refused_on_an_object_too(small: House) -> None:
    guest = small.register("王一")
    with pytest.raises(StatementError, match="is not a valid Source"), transaction() as session:
        found = session.get(Registration, guest.id)
        assert found is not None
        found.source = "unheard-of"


def test_a_value_of_a_newer_program_can_be_read(small: House) -> None:
    guest = small.register("王一")
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE registrations SET source = 'pigeon'"))
    reading().rollback()
    found = reading().get(Registration, guest.id)
    assert found is not None
    assert found.source == "pigeon"


@pytest.fixture
def newly_compiled() -> Iterator[None]:
    """The test's house compiles its SQL itself, and no later one uses that."""
    shared.forget()
    yield
    shared.forget()


def test_a_new_entry_is_written_without_a_migration(
    newly_compiled: None, small: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    class GrownKind(StrEnum):
        REGISTERED = "registered"
        ROOM_CHANGED = "room-changed"

    guest = small.register("王一")
    monkeypatch.setattr(OutboxMessage.__table__.c.kind.type, "kinds", GrownKind)
    with transaction() as session:
        session.add(
            OutboxMessage(
                event_id=guest.event_id,
                registration_id=guest.id,
                kind=GrownKind.ROOM_CHANGED,
                channel=Channel.CALL,
                event_version=1,
                created_at=small.now,
            )
        )
    kinds = reading().execute(text("SELECT kind FROM outbox_messages")).scalars()
    assert "room-changed" in list(kinds)


def test_an_empty_value_stays_empty() -> None:
    assert OneOf(Source, 16).process_bind_param(None, sqlite.dialect()) is None
    assert OneOf(MessageKind, 20).process_bind_param("promoted", sqlite.dialect()) == "promoted"
