"""Lock step: one joins the waiting list while another frees the last seat, on PostgreSQL.

Their statements are run in every possible order. In each of them, the one who waits must get the
seat (docs/adr/0005-the-counter-last-and-the-lock-first.md).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import combinations, islice
from threading import Condition, Thread, current_thread
from typing import Any

import pytest
from sqlalchemy.event import listen, remove

from eventreg.core import invariants
from eventreg.core.registration import seats
from eventreg.storage.session import db, reading
from tests.proofs import faults
from tests.proofs.conftest import rounds
from tests.support.factories import House, toml

STEPS = 5
"""Statements of each that matter: the first read, the lock, the reads of counter and list, and the
change of the counter."""
_MATTERS = re.compile(
    r"FROM event_seats|UPDATE event_seats|state = .*waitlisted|FROM registrations JOIN", re.S
)
_PATIENCE = 0.03
"""A thread that does not reach its next step within so many seconds is taken to wait for a lock."""


class Conductor:
    """Lets two threads go one step at a time in a given order; skips one that waits for a
    lock."""

    def __init__(self, order: tuple[int, ...]) -> None:
        self._order = list(order)
        self._changed = Condition()
        self._waiting: set[int] = set()
        self._let_go: int | None = None
        self._done: set[int] = set()

    def step(self, who: int) -> None:
        """Wait for this thread's turn; it calls this before each statement that matters."""
        with self._changed:
            self._waiting.add(who)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._let_go == who, timeout=20)
            self._let_go = None
            self._waiting.discard(who)
            self._changed.notify_all()

    def finished(self, who: int) -> None:
        """Note that a thread has ended."""
        with self._changed:
            self._done.add(who)
            self._changed.notify_all()

    def _has_come(self, who: int) -> bool:
        return who in self._waiting or who in self._done

    def conduct(self) -> None:
        """Go through the order, then let both run to the end."""
        while len(self._done) < 2:
            with self._changed:
                who = self._order.pop(0) if self._order else next(iter(self._waiting), 0)
                ready = self._changed.wait_for(partial(self._has_come, who), _PATIENCE)
                if not ready or who in self._done:
                    continue  # it waits for a lock, or has ended: the other one goes on
                self._let_go = who
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._let_go is None, 20)


def together(house: House, order: tuple[int, ...], ticket: int) -> None:
    """Let one thread join the list and one cancel, in this order of steps."""
    conductor = Conductor(order)
    names: dict[Any, int] = {}

    def before(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        who = names.get(current_thread())
        if who is not None and _MATTERS.search(statement):
            conductor.step(who)

    def run(who: int) -> None:
        with house.app.app_context():
            if who:
                house.cancel(ticket)
            else:
                house.register("李一", waitlist=True)
        conductor.finished(who)

    threads = [Thread(target=run, args=(who,)) for who in (0, 1)]
    names.update({thread: who for who, thread in enumerate(threads)})
    listen(db.engine, "before_cursor_execute", before)
    try:
        for thread in threads:
            thread.start()
        conductor.conduct()
        for thread in threads:
            thread.join(30)
    finally:
        remove(db.engine, "before_cursor_execute", before)


def orders() -> Iterator[tuple[int, ...]]:
    """Every order in which the steps of two threads can follow each other."""
    for places in combinations(range(2 * STEPS), STEPS):
        yield tuple(int(number in places) for number in range(2 * STEPS))


def some_or_all() -> Iterator[tuple[int, ...]]:
    """Every seventh order in `make test`."""
    return islice(orders(), 0, None, rounds(7, 1))


@contextmanager
def lone_house(database: str, folder: Any) -> Iterator[House]:
    """A house on PostgreSQL."""
    house = House(folder, EVENTREG_DATABASE_URL=database)
    with house.app.app_context():
        yield house
    house.close()


def faults_after(house: House, all_orders: Iterator[tuple[int, ...]]) -> Iterator[str]:
    """Run every order. Yields what does not hold after one of them, with that order."""
    for number, order in enumerate(all_orders):
        slug = f"event{number}"
        house.apply(toml(slug, capacity=1))
        ticket = house.register("王一", slug=slug).id
        house.register = _of_slug(house, slug)  # type: ignore[method-assign]
        reading().rollback()
        try:
            together(house, order, ticket)
        finally:
            del house.register
        reading().rollback()
        found = invariants.of_event(reading(), house.event(slug), now=house.now)
        yield from (f"{order}: {finding.name}" for finding in found.findings if not finding.holds)
        if found.confirmed != 1:
            yield f"{order}: {found.confirmed} seated, {found.free} free, {found.waiting} wait"


def _of_slug(house: House, slug: str) -> Any:
    plain = House.register
    return lambda *people, **wishes: plain(house, *people, slug=slug, **wishes)


def test_whoever_joins_the_list_while_the_last_seat_comes_free_gets_it(
    database: str, tmp_path: Any
) -> None:
    with lone_house(database, tmp_path) as house:
        assert list(faults_after(house, some_or_all())) == []


def test_without_the_lock_the_seat_stays_free_while_somebody_waits(
    database: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seats, "_lock", seats._lock)
    faults.apply("no_row_lock")
    with lone_house(database, tmp_path) as house:
        assert next(faults_after(house, some_or_all()), None) is not None
