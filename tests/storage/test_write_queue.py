"""The queue of writers has a bound: if it stands still, only a few wait, and the others are told at
once."""

import fcntl
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from eventreg.core.errors import Busy
from eventreg.storage import write_queue
from eventreg.storage.write_queue import Gate

WRITERS, MAY_WAIT = 12, 4


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """A gate that counts as standing still after a tenth of a second."""
    monkeypatch.setattr(write_queue, "STILL", 0.1)
    made = Gate(tmp_path / "lock", patience=60)
    made.most_waiting = MAY_WAIT
    yield made


def writes(gate: Gate) -> bool:
    """Whether a writer passes."""
    try:
        with gate():
            return True
    except Busy:
        return False


def test_while_another_program_holds_the_file_only_a_few_wait(gate: Gate, tmp_path: Path) -> None:
    descriptor = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with ThreadPoolExecutor(WRITERS) as crowd:
        waiting = [crowd.submit(writes, gate) for _ in range(WRITERS)]
        while sum(one.done() for one in waiting) < WRITERS - 1 - MAY_WAIT:
            Event().wait(0.01)
        assert not writes(gate), "whoever comes now is told at once"
        assert sum(one.done() for one in waiting) == WRITERS - 1 - MAY_WAIT
        os.close(descriptor)
        answers = [one.result() for one in waiting]
    assert sum(answers) == 1 + MAY_WAIT, "the one at the lock, and those behind"
    assert writes(gate), "the queue works as before"


def test_in_a_rush_nobody_is_refused_however_long_the_queue_is(gate: Gate) -> None:
    gate.most_waiting = 0

    def writes_slowly(_: int) -> bool:
        with gate():
            Event().wait(0.02)
            return True

    with ThreadPoolExecutor(30) as crowd:
        assert all(crowd.map(writes_slowly, range(30))), "it takes six times as long as STILL"
