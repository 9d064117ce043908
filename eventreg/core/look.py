"""Reads that go to the driver itself, for the pages that every guest opens.

They cost a fifth of a query through the session, which begins and ends a transaction. In return,
each is a single statement, and its values come as the driver returns them: only whole numbers,
texts and conditions may be selected.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import Dialect, Engine, Select
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.engine.interfaces import Compiled
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session


class Look:
    """One such read."""

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        """Its parameters are those of ``bindparam`` in the statement, each with a default."""
        self._statement = statement

    @cached_property
    def _compiled(self) -> dict[str, Compiled]:
        targets: dict[str, Dialect] = {
            "sqlite": sqlite.dialect(),
            "postgresql": psycopg.dialect(),  # type: ignore[no-untyped-call]
        }
        return {
            name: self._statement.compile(
                dialect=target, compile_kwargs={"render_postcompile": True}
            )
            for name, target in targets.items()
        }

    def rows(self, engine: Engine, session: Session | None, **parameters: object) -> Sequence[Any]:
        """The rows. Raises ``OperationalError`` if the database cannot be read.

        Uses the connection of ``session`` if one is open already: a thread that held one connection
        while it waited for a second could block all others.
        """
        compiled: Any = self._compiled[engine.dialect.name]
        values: Any = {**compiled.params, **parameters}
        if compiled.positional:
            values = [values[name] for name in compiled.positiontup]
        driver = None
        try:
            driver = session.connection().connection if session else engine.raw_connection()
            cursor = driver.cursor()
            cursor.execute(compiled.string, values)
            return cursor.fetchall()
        except engine.dialect.loaded_dbapi.Error as error:
            if driver is not None:
                driver.invalidate()
            # The same exception as from a statement that goes through the session.
            raise OperationalError("the look", None, error) from error
        finally:
            if driver is not None and session is None:
                driver.close()
