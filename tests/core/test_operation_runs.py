"""What the program did by itself is noted, on every machine alike."""

from datetime import timedelta

import pytest

from eventreg.core import operation_runs
from eventreg.core.operation_runs import Operation, Run
from eventreg.storage.session import reading, transaction
from tests.support.factories import House

HOUR = timedelta(hours=1)


def last() -> Run:
    """The last backup, as another process sees it."""
    reading().rollback()
    return operation_runs.last(reading(), Operation.BACKUP)


@pytest.mark.both_databases
def test_a_failure_keeps_the_time_of_the_last_success(house: House) -> None:
    assert last() == Run("backup")
    with transaction() as session:
        operation_runs.started(session, Operation.BACKUP, now=house.now)
        operation_runs.succeeded(session, Operation.BACKUP, now=house.now)
    assert not last().is_failing
    with transaction() as session:
        operation_runs.failed(session, Operation.BACKUP, "disk-full", now=house.now + HOUR)
    assert last() == Run("backup", house.now, house.now, house.now + HOUR, "disk-full")
    assert last().is_failing
    with transaction() as session:
        operation_runs.succeeded(session, Operation.BACKUP, now=house.now + 2 * HOUR)
    assert not last().is_failing
    assert last().failed_at == house.now + HOUR, "an operator can see that it failed once"
