"""Constant statements on the driver's own connection, for what every guest of a rush needs.

SQLAlchemy writes the SQL and knows the types, as always. But each statement is prepared only once,
and neither a session nor a transaction object is made. This is the one place that converts values
and turns the driver's errors into those of SQLAlchemy (docs/adr/0017).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Dialect, Engine, Executable, Insert
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

_MOST = 500
Parameters = Mapping[str, object]
Convert = Callable[[Any], Any]


class Rows:
    """The rows of a statement, with the methods of SQLAlchemy's results that are used here."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self._rows = rows

    def all(self) -> Sequence[Any]:
        """All rows, as tuples."""
        return self._rows

    def first(self) -> Any:
        """The first row; ``None`` if there is none."""
        return self._rows[0] if self._rows else None

    def one(self) -> Any:
        """The only row."""
        (row,) = self._rows
        return row

    def scalar_one(self) -> Any:
        """The first value of the only row."""
        return self.one()[0]


class _Prepared:
    """A statement in the SQL of one kind of database."""

    def __init__(self, statement: Any, dialect: Dialect, given: Parameters) -> None:
        columns = list(given) if isinstance(statement, Insert) else None
        compiled: Any = statement.compile(dialect=dialect, column_keys=columns)
        if columns and compiled.insert_prefetch:
            raise TypeError(f"values are missing: {compiled.insert_prefetch}")
        state = compiled.construct_expanded_state(dict(given))  # writes lists out
        self.sql: str = state.statement
        self._order: Sequence[str] | None = state.positiontup
        self._to_driver: dict[str, Convert] = {
            name: convert
            for bound, name in compiled.bind_names.items()
            if (convert := bound.type.dialect_impl(dialect).bind_processor(dialect))
        }
        self._values = {
            name: self._converted(name, value)
            for name, value in state.parameters.items()
            if name not in given
        }
        results = getattr(statement, "exported_columns", ())
        self._from_driver: list[Convert | None] = [
            column.type.dialect_impl(dialect).result_processor(dialect, None) for column in results
        ]
        self._is_plain = not any(self._from_driver)

    def _converted(self, name: str, value: object) -> object:
        convert = self._to_driver.get(name)
        return convert(value) if convert else value

    def values(self, given: Parameters) -> Any:
        """The parameters as the driver takes them: by position or by name."""
        named = {
            **self._values,
            **{name: self._converted(name, value) for name, value in given.items()},
        }
        return named if self._order is None else [named[name] for name in self._order]

    def rows(self, cursor: Any) -> Sequence[Any]:
        """The rows that the cursor has."""
        if not self._from_driver:
            return ()
        found: Sequence[Any] = cursor.fetchall()
        if self._is_plain:
            return found
        if len(cursor.description) != len(self._from_driver):
            raise TypeError("select columns, not plain texts of SQL")
        return [
            tuple(
                convert(value) if convert else value
                for value, convert in zip(row, self._from_driver, strict=True)
            )
            for row in found
        ]


_prepared: dict[tuple[int, str], tuple[Executable, _Prepared]] = {}


def _prepare(statement: Executable, dialect: Dialect, given: Parameters) -> _Prepared:
    key = (id(statement), dialect.name)
    if key not in _prepared:
        if len(_prepared) >= _MOST:
            raise RuntimeError("only constant statements may be prepared")
        # The statement is kept, too, so that no other one gets its id.
        _prepared[key] = (statement, _Prepared(statement, dialect, given))
    return _prepared[key][1]


@dataclass
class Driver:
    """The driver's connection, lent by the pool."""

    engine: Engine
    lent: Any
    """The pool's own object for the connection."""

    @staticmethod
    def lend(engine: Engine) -> "Driver":
        """A connection of the pool. Raises ``OperationalError`` if there is no database."""
        try:
            return Driver(engine, engine.raw_connection())
        except engine.dialect.loaded_dbapi.Error as error:
            raise OperationalError("connecting", None, error) from error

    @property
    def dialect(self) -> Dialect:
        """The kind of database."""
        return self.engine.dialect

    @cached_property
    def connection(self) -> Any:
        """The connection itself."""
        return self.lent.dbapi_connection

    def execute(self, statement: Executable, parameters: Parameters) -> Rows:
        """Execute a constant statement of the module that calls. An insert always gets the same
        columns. Raises the errors of SQLAlchemy."""
        prepared = _prepare(statement, self.dialect, parameters)
        return Rows(self.run(lambda: self._rows(prepared, parameters)))

    def _rows(self, prepared: _Prepared, parameters: Parameters) -> Sequence[Any]:
        cursor = self.connection.cursor()
        cursor.execute(prepared.sql, prepared.values(parameters))
        return prepared.rows(cursor)

    def run(self, act: Callable[[], Any]) -> Any:
        """Call ``act``. An error of the driver becomes the one that SQLAlchemy has for it. If the
        connection is broken, the pool throws it away."""
        errors = self.dialect.loaded_dbapi.Error
        try:
            return act()
        except errors as error:
            is_lost = self.dialect.is_disconnect(error, self.connection, None)
            if is_lost and self.lent.is_valid:
                self.lent.invalidate(error)
            raise DBAPIError.instance(
                "a statement of the hot path",
                None,
                error,
                errors,
                hide_parameters=True,
                connection_invalidated=is_lost,
                dialect=self.dialect,
            ) from error


def look(
    engine: Engine, session: Session | None, statement: Executable, **parameters: object
) -> Sequence[Any]:
    """The rows of one constant select, without a transaction. Raises ``OperationalError`` if the
    database cannot be read.

    Uses the connection of ``session`` if one is open already: a thread that held one connection
    while it waited for a second could block all others.
    """
    driver = Driver(engine, session.connection().connection) if session else Driver.lend(engine)
    try:
        return driver.execute(statement, parameters).all()
    except DBAPIError as error:
        if driver.lent.is_valid:
            driver.lent.invalidate()
        raise OperationalError("a look", None, error.orig or error) from error.orig
    finally:
        if session is None:
            driver.lent.close()


def within(session: Session, statement: Executable, **parameters: object) -> Sequence[Any]:
    """The rows of one constant select of columns, in the transaction of the session. It does not
    see what the session has not flushed. Raises the errors of SQLAlchemy."""
    connection = session.connection()
    return Driver(connection.engine, connection.connection).execute(statement, parameters).all()
