"""Copy the rows of all tables to another database, and compare them one by one."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

from sqlalchemy import (
    Connection,
    Insert,
    MetaData,
    Select,
    String,
    Table,
    bindparam,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.types import TypeEngine

from eventreg.core.errors import first_line
from eventreg.core.models.base import OneOf
from eventreg.storage.move.refused import MoveRefused

_AT_A_TIME = 500
"""Rows in memory at once."""


def copy(source: Connection, target: Connection, tables: MetaData) -> None:
    """Write every row of the source into the empty tables of the target, parents first.
    ``MoveRefused`` if the target does not take a row."""
    for table in tables.sorted_tables:
        writing = _writing(table)
        for some in _rows(source, table).partitions(_AT_A_TIME):
            try:
                target.execute(writing, [dict(row._mapping) for row in some])
            except (DBAPIError, StatementError) as error:
                raise MoveRefused(
                    f"{table.name}: {first_line(error)}; nothing was moved"
                ) from error
    if target.dialect.name == "postgresql":
        _set_sequences(target, tables)


def _writing(table: Table) -> Insert:
    """An insert of whole rows. A word that a newer version put into a growing enum is kept."""
    return insert(table).values(
        {column.name: bindparam(column.name, type_=_plain(column.type)) for column in table.columns}
    )


def _plain(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    return String() if isinstance(kind, OneOf) else kind


def _set_sequences(target: Connection, tables: MetaData) -> None:
    """Let new rows get the numbers after those that were copied."""
    for table in tables.sorted_tables:
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
    for table in tables.sorted_tables:
        here, there = _values(source, table), _values(target, table)
        count = 0
        for one, other in zip_longest(here, there):
            if one != other:
                raise MoveRefused(
                    f"{table.name}: row {count + 1} is another one there; nothing was moved"
                )
            count += 1
        counts[table.name] = count
    return counts


def is_empty(connection: Connection, tables: MetaData) -> bool:
    """Whether no table has a row."""
    return not any(
        connection.execute(select(table).limit(1)).first() for table in tables.sorted_tables
    )


def _values(connection: Connection, table: Table) -> Iterator[tuple[Any, ...]]:
    return (tuple(row) for row in _rows(connection, table))


def _rows(connection: Connection, table: Table) -> Any:
    return connection.execute(_in_order(table, connection.dialect.name))


def _in_order(table: Table, dialect: str) -> Select[Any]:
    """All rows, in the order of the key, which both databases see alike."""
    keys: Sequence[Any] = list(table.primary_key.columns)
    if dialect == "postgresql":
        keys = [key.collate("C") if isinstance(key.type, String) else key for key in keys]
    return select(table).order_by(*keys).execution_options(yield_per=_AT_A_TIME)
