"""Copy the rows of all tables to another database, and compare them one by one."""

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Any

from sqlalchemy import (
    Connection,
    CursorResult,
    Insert,
    MetaData,
    Row,
    Select,
    String,
    Table,
    bindparam,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.exc import StatementError
from sqlalchemy.types import TypeEngine

from eventreg.core.errors import first_line
from eventreg.core.models.base import OneOf
from eventreg.core.models.schema import FittingProgram
from eventreg.storage.move.refused import MoveRefused

_AT_A_TIME = 500
"""Rows in memory at once."""


def copy(source: Connection, target: Connection, tables: MetaData) -> None:
    """Write every row of the source into the empty tables of the target, parents first.
    ``MoveRefused`` if the target does not take a row."""
    for table in _moved(tables):
        writing = _writing(table)
        with _rows(source, table) as rows:
            for some in rows.mappings().partitions(_AT_A_TIME):
                _write(target, table, writing, [dict(row) for row in some])
    if target.dialect.name == "postgresql":
        _set_sequences(target, tables)


def _write(target: Connection, table: Table, writing: Insert, rows: list[dict[str, Any]]) -> None:
    try:
        target.execute(writing, rows)
    except StatementError as error:
        raise MoveRefused(f"{table.name}: {first_line(error)}; nothing was moved") from error


def _writing(table: Table) -> Insert:
    """An insert of whole rows. A word that a newer version put into a growing enum is kept."""
    return insert(table).values(
        {column.name: bindparam(column.name, type_=_plain(column.type)) for column in table.columns}
    )


def _plain(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    return String() if isinstance(kind, OneOf) else kind


def _set_sequences(target: Connection, tables: MetaData) -> None:
    """Let new rows get the numbers after those that were copied."""
    for table in _moved(tables):
        column = table.autoincrement_column
        name = (
            column is not None
            and target.execute(
                select(func.pg_get_serial_sequence(table.name, column.name))
            ).scalar()
        )
        if column is not None and name:
            last = target.execute(select(func.max(column))).scalar()
            target.execute(
                text("SELECT setval(:name, :value, :used)"),
                {"name": name, "value": last or 1, "used": last is not None},
            )


def compare(source: Connection, target: Connection, tables: MetaData) -> dict[str, int]:
    """Compare all rows of both, in the order of their keys. Returns how many there are of each
    table. ``MoveRefused`` if one differs."""
    counts = {}
    for table in _moved(tables):
        with _rows(source, table) as here, _rows(target, table) as there:
            counts[table.name] = _count_equal(table, here, there)
    return counts


def _count_equal(table: Table, here: Iterable[Row[Any]], there: Iterable[Row[Any]]) -> int:
    count = 0
    for one, other in zip_longest(here, there):
        count += 1
        if one != other:
            raise MoveRefused(f"{table.name}: row {count} is another one there; nothing was moved")
    return count


def is_empty(connection: Connection, tables: MetaData) -> bool:
    """Whether no table has a row."""
    return not any(connection.execute(select(table).limit(1)).first() for table in _moved(tables))


def _moved(tables: MetaData) -> list[Table]:
    """All tables, parents first, without the one that the migrations of the target fill."""
    return [table for table in tables.sorted_tables if table.name != FittingProgram.__tablename__]


def _rows(connection: Connection, table: Table) -> CursorResult[Any]:
    return connection.execute(_in_order(table, connection.dialect.name))


def _in_order(table: Table, dialect: str) -> Select[Any]:
    """All rows, in the order of the key, which both databases see alike."""
    keys: Sequence[Any] = list(table.primary_key.columns)
    if dialect == "postgresql":
        keys = [key.collate("C") if isinstance(key.type, String) else key for key in keys]
    return select(table).order_by(*keys).execution_options(yield_per=_AT_A_TIME)
