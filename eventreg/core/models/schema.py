"""The table of programs that run on the present tables."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from eventreg.core.models.base import Base


class FittingProgram(Base):
    """A version of this program that runs on the present tables, named by its newest migration.
    Migrations write these rows; see ``migrations/env.py``."""

    __tablename__ = "fitting_programs"

    newest_migration: Mapped[str] = mapped_column(String(32), primary_key=True)
