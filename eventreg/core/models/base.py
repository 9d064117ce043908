"""The ground the tables stand on: names of constraints, and how a moment is stored."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, MetaData
from sqlalchemy.orm import DeclarativeBase

from eventreg.core.models.utc import Moment


class Base(DeclarativeBase):
    """Common ground of the tables: constraint names that read the same on both databases."""

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


def one_of(column: str, kinds: type[StrEnum]) -> CheckConstraint:
    """A column that holds one of the values of an enum, and nothing else."""
    allowed = ", ".join(f"'{kind.value}'" for kind in kinds)
    return CheckConstraint(f"{column} IN ({allowed})", name=f"{column}_known")
