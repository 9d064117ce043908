"""One thread answers after the other, but a request that takes long holds up nobody."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from threading import Event, Semaphore, get_ident

import pytest

from eventreg.server.turns import Turns

THREADS = 8
LONG = 10.0
"""Seconds after which a test gives up."""


@dataclass
class Task:
    """A request: ``service`` answers it."""

    service: Callable[[], None]


@pytest.fixture
def turns() -> Iterator[Turns]:
    """Threads that answer, and that all end."""
    made = Turns()
    made.set_thread_count(THREADS)
    yield made
    made.shutdown(timeout=LONG)
    assert not made.threads


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No request counts as long."""
    monkeypatch.setattr("eventreg.server.turns.PATIENCE", 2 * LONG)


@pytest.mark.usefixtures("patient")
def test_requests_are_answered_in_their_order_and_never_two_together(turns: Turns) -> None:
    order, together, inside, all_done = list[int](), list[int](), list[int](), Event()

    def answer(number: int) -> None:
        inside.append(number)
        Event().wait(0.001)  # lets another thread run
        together.append(len(inside))
        order.append(number)
        inside.remove(number)
        if number == 99:
            all_done.set()

    for number in range(100):
        turns.add_task(Task(partial(answer, number)))
    assert all_done.wait(LONG)
    assert order == list(range(100))
    assert set(together) == {1}


@pytest.mark.parametrize("stuck", [1, THREADS - 1])
def test_requests_that_take_long_hold_up_nobody(turns: Turns, stuck: int) -> None:
    begun, go_on, answered = Semaphore(0), Event(), Semaphore(0)

    def takes_long() -> None:
        begun.release()
        go_on.wait(LONG)

    for _ in range(stuck):
        turns.add_task(Task(takes_long))
    for _ in range(stuck):
        assert begun.acquire(timeout=LONG)
    for _ in range(50):
        turns.add_task(Task(answered.release))
    for _ in range(50):
        assert answered.acquire(timeout=LONG)
    assert not go_on.is_set()
    go_on.set()


@pytest.mark.usefixtures("patient")
def test_while_a_thread_is_on_watch_the_next_request_is_begun_at_once(turns: Turns) -> None:
    begun, go_on, answered = Event(), Event(), Semaphore(0)

    def waits() -> None:
        begun.set()
        go_on.wait(LONG)

    turns.add_task(Task(waits))
    begun.wait(LONG)
    turns.add_task(Task(answered.release))
    assert any(turns._is_watched or Event().wait(0.001) for _ in range(10_000))
    go_on.set()
    assert answered.acquire(timeout=LONG)
    turns.add_task(Task(answered.release))
    assert answered.acquire(timeout=LONG)


def test_a_thread_goes_on_after_an_error(turns: Turns) -> None:
    answered, who = Semaphore(0), set[int]()

    def fails() -> None:
        who.add(get_ident())
        raise RuntimeError

    for _ in range(3 * THREADS):
        turns.add_task(Task(fails))
    turns.add_task(Task(answered.release))
    assert answered.acquire(timeout=LONG)
    assert who
