"""The mark in a PostgreSQL database whose data was moved to another one by the command `move`.

A trigger on each table refuses every write, on all machines at once. The error is that of a
database that is away, so that a running server keeps the guest's form and says so.
"""

from sqlalchemy import Connection, MetaData, text

_FUNCTION = "eventreg_moved"
_TARGET = text(
    "SELECT obj_description(oid, 'pg_proc') FROM pg_proc "
    "WHERE proname = :function AND pronamespace = current_schema()::regnamespace"
)
_WRITES = "INSERT OR UPDATE OR DELETE OR TRUNCATE"
_CANNOT_CONNECT_NOW = "57P03"


def target(connection: Connection) -> str:
    """Where the data was moved; empty if it was not."""
    return connection.execute(_TARGET, {"function": _FUNCTION}).scalar() or ""


def message(where: str) -> str:
    """What a program is told that would use the old tables."""
    return (
        f"the data was moved to {where}: set EVENTREG_DATABASE_URL to that, or run the same move "
        "again if it was interrupted; to go on with the old data, "
        f"run DROP FUNCTION {_FUNCTION}() CASCADE in the old database"
    )


def mark(connection: Connection, tables: MetaData, where: str) -> None:
    """Refuse every write from the end of this transaction on."""
    connection.exec_driver_sql(
        f"CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $moved$ "
        f"BEGIN RAISE EXCEPTION USING MESSAGE = {_quoted(message(where))}, "
        f"ERRCODE = '{_CANNOT_CONNECT_NOW}'; END $moved$"
    )
    connection.exec_driver_sql(f"COMMENT ON FUNCTION {_FUNCTION}() IS {_quoted(where)}")
    for table in tables.sorted_tables:
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {_FUNCTION} ON {table.name}")
        connection.exec_driver_sql(
            f"CREATE TRIGGER {_FUNCTION} BEFORE {_WRITES} ON {table.name} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {_FUNCTION}()"
        )


def _quoted(words: str) -> str:
    """As a literal of SQL. A percent sign is doubled for the driver's sake."""
    return "'" + words.replace("'", "''").replace("%", "%%") + "'"
