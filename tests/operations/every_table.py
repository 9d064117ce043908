"""A database in which every table has rows: people, staff, their day, and one made-up row where no
one has left any."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Integer, String, insert, select

from eventreg.core.door.check_in import Arrival, check_in
from eventreg.core.models.base import OneOf
from eventreg.core.models.registration import Attendee
from eventreg.core.models.utc import Moment
from eventreg.storage.session import db, reading, transaction
from tests.support.factories import House, toml

A_MOMENT = datetime(2030, 6, 10, 0, 50, 7, 123456, tzinfo=UTC)
"""With microseconds, which both databases keep."""


def fill(house: House) -> None:
    """Guests with seats, one waiting, one cancelled, one arrived; staff; and the other tables."""
    house.apply(toml(capacity=4, more="[waitlist]\nsize = 5"))
    house.hire()
    house.register(
        "张桂芳", "李建国", phone="13800138000", wishes="wheelchair", email="a@b.example"
    )
    house.register("O'Brien 100% 🙂", source="phone", contact='女儿, "小芳"')
    gone = house.register("王小明")
    house.register("赵一", "赵二", waitlist=True)
    house.cancel(gone)
    with transaction() as session:
        event = house.event()
        guest = session.scalars(select(Attendee.public_id).order_by(Attendee.id)).first()
        arrival = Arrival(str(guest), house.now, house.now)
        check_in(session, event, arrival, anyway=True, by=house.dora)
    _fill_the_rest()


def _fill_the_rest() -> None:
    with transaction() as session:
        for table in db.metadata.sorted_tables:
            if session.execute(select(table).limit(1)).first() is None:
                session.execute(insert(table), {one.name: _value(one) for one in table.columns})
    reading().rollback()


def _value(column: Column[Any]) -> Any:
    """A value that tells apart what is easily mixed up: times with microseconds, quotes, Han."""
    match column.type:
        case _ if column.primary_key and isinstance(column.type, Integer):
            return 7
        case _ if column.foreign_keys:
            return 1
        case Moment():
            return A_MOMENT
        case OneOf():
            return next(iter(column.type.kinds))
        case Boolean():
            return True
        case JSON():
            return {"z": 1, "a": ["'", "桂", None]}
        case Integer():
            return 3
        case String():
            return f"'{column.name}\" \\ 桂"[: column.type.length or 100]
    raise AssertionError(column)
