"""A write transaction on the driver's own connection, for what a rush of guests does.

It is what ``session.transaction`` is, with the same gate and the same checks of the file, but makes
no session: only constant statements can be executed in it (docs/adr/0017).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError

from eventreg.core.driver import Driver
from eventreg.core.errors import Busy, SeatsRaced
from eventreg.storage.session import (
    AWAY,
    TO_READ,
    TO_WRITE,
    db,
    is_another_try_useful,
    lost_as_operational_error,
    reading,
    sound_file,
    turn,
)

T = TypeVar("T")


@contextmanager
def quick_transaction() -> Iterator[Driver]:
    """It is committed when the block ends, and rolled back if it raises. Raises what
    ``session.transaction`` raises, and also if the request has another one open."""
    session = reading()
    if session.info.get("writing"):
        raise RuntimeError("a transaction inside a transaction would wait for itself at the gate")
    session.rollback()
    with lost_as_operational_error(), turn():
        file = sound_file()
        driver = Driver.lend(db.engine)
        try:
            _begin(driver)
            commit = file.committing(driver.connection) if file else nullcontext()
            yield driver
            with commit:
                driver.run(driver.connection.commit)
        except BaseException:
            if driver.lent.is_valid:
                with suppress(DBAPIError):
                    driver.run(driver.connection.rollback)
            raise
        finally:
            _give_back(driver)


def _begin(driver: Driver) -> None:
    if driver.dialect.name == "sqlite":
        driver.run(lambda: driver.connection.execute("BEGIN IMMEDIATE"))
    else:
        driver.dialect.set_isolation_level(driver.connection, TO_WRITE)


def _give_back(driver: Driver) -> None:
    """Return the connection to the pool as it was lent."""
    if driver.dialect.name == "postgresql" and driver.lent.is_valid:
        driver.dialect.set_isolation_level(driver.connection, TO_READ)
    driver.lent.close()


def write_at_once(act: Callable[[Driver], T]) -> T | None:
    """Run ``act`` in such a transaction. ``None`` if another writer was in the way: then nothing is
    written, and ``session.write`` tries again. Raises ``Busy`` and ``OperationalError`` as that
    does."""
    try:
        with quick_transaction() as driver:
            return act(driver)
    except (SeatsRaced, IntegrityError):
        return None
    except AWAY as error:
        if is_another_try_useful(error):
            return None
        raise Busy from error
