"""The table of operations that the program repeats by itself, such as the backup."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from eventreg.core.models.base import Base


class OperationRun(Base):
    """When one operation last began, succeeded and failed. One row for each operation."""

    __tablename__ = "operation_runs"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    started_at: Mapped[datetime | None]
    succeeded_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(String(40))
    """The code of the last failure, such as ``disk-full``. Empty after a success."""
