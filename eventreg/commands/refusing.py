"""For commands that use the core: its refusals end them in words, with exit code 1."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from sqlalchemy import inspect

from eventreg.commands.upkeep import refuse
from eventreg.core.errors import FieldRefused, Refusal
from eventreg.i18n import sentence
from eventreg.storage.checks import make_tables
from eventreg.storage.session import AWAY, db

P = ParamSpec("P")
R = TypeVar("R")


def _with_tables() -> None:
    """A command may be the first thing anybody does here, before any start: then it makes the tables."""
    if not inspect(db.engine).has_table("events"):
        make_tables()


def refusing(command: Callable[P, R]) -> Callable[P, R]:
    """For commands that need the database: a refusal of the core ends them in words."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            _with_tables()
            return command(*args, **kwargs)
        except FieldRefused as refusal:
            refuse(sentence("en", refusal.reason, **refusal.values))
        except UnicodeEncodeError:
            refuse("An argument is no text in UTF-8")
        except Refusal as refusal:
            refuse(sentence("en", f"refused_{refusal.code}") + (f" ({refusal})" if str(refusal) else ""))
        except AWAY as error:
            refuse(f"the database cannot be asked: {str(error.__cause__ or error).splitlines()[0]}")

    return wrapped
