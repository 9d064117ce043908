"""What all tables share: names of constraints, the types of times and of JSON, columns that hold
an enum."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Dialect, MetaData, String, TypeDecorator
from sqlalchemy.orm import DeclarativeBase

from eventreg.core.models.utc import Moment


class Base(DeclarativeBase):
    """The base class of all tables. Constraints have the same names on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: Moment, dict[str, Any]: JSON}  # noqa: RUF012


class OneOf(TypeDecorator[str]):
    """The type of a column that holds one value of an enum that may grow. Refuses any other value
    when it is written; the database has no CHECK, so a new entry needs no migration.

    Reading does not refuse: a newer version of the program may have written a newer value.
    """

    impl = String
    cache_ok = True

    def __init__(self, kinds: type[StrEnum], length: int) -> None:
        super().__init__(length)
        self.kinds = kinds

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Python to database. ``ValueError`` for a value that the enum does not have."""
        return None if value is None else self.kinds(value).value


def one_of(column: str, kinds: type[StrEnum]) -> CheckConstraint:
    """A CHECK that a column holds a value of an enum. For enums on which seats and permissions
    depend: a new entry needs a migration."""
    allowed = ", ".join(f"'{kind.value}'" for kind in kinds)
    return CheckConstraint(f"{column} IN ({allowed})", name=f"{column}_known")
