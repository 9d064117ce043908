"""A crowd: processes that register and cancel as fast as they can, and log what they were promised.

They are forked from a process that has imported everything, so one can be killed and replaced
quickly.
"""

import json
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Event, Thread
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from eventreg.clock import utc_now
from eventreg.core.errors import (
    AlreadyCancelled,
    Busy,
    EventFull,
    NothingToUndo,
    SeatGivenAway,
    WaitlistFull,
)
from eventreg.storage.session import db, reading
from tests.proofs import faults
from tests.support.factories import House
from tests.support.forked.programs import FORKS

_REFUSED = (EventFull, WaitlistFull, AlreadyCancelled, NothingToUndo, SeatGivenAway)


@dataclass(frozen=True)
class Place:
    """The database to register in, and the fault to seed in the program, if any."""

    folder: str
    environment: dict[str, str] = field(default_factory=dict)
    fault: str = ""

    def house(self) -> House:
        """The program over that database."""
        return House(Path(self.folder), **self.environment)


@dataclass(frozen=True)
class Act:
    """What a writer does: the number of tries; and how often out of ten it cancels, registers a
    couple, accepts to wait, and undoes what it has cancelled."""

    tries: int
    cancels: int = 2
    couples: int = 3
    waits: int = 5
    undoes: int = 0


def write_down(log: int, **promise: Any) -> None:
    """Log one promise in a single write, so that it is there completely or not at all."""
    os.write(log, (json.dumps(promise) + "\n").encode())


def writer(place: Place, number: int, seed: str, act: Act, log_path: str) -> None:
    """Register again and again, and sometimes cancel; the body of one process."""
    faults.apply(place.fault)
    house, chance = place.house(), random.Random(f"{seed}/{number}")
    log = os.open(log_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    mine: list[int] = []
    with house.app.app_context():
        for turn in range(act.tries):
            house.now = utc_now()
            try:
                if mine and chance.randrange(10) < act.cancels:
                    chosen = mine.pop(chance.randrange(len(mine)))
                    house.cancel(chosen)
                    write_down(
                        log,
                        cancelled=chosen,
                        began=house.now.timestamp(),
                        done=utc_now().timestamp(),
                    )
                    if chance.randrange(10) < act.undoes:
                        house.undo(chosen)
                        write_down(log, undone=chosen)
                        mine.append(chosen)
                else:
                    mine.append(_register(house, log, chance, act, f"{seed} {number} {turn}"))
            except (*_REFUSED, Busy, DBAPIError):
                db.session.rollback()
    house.close()


def _register(house: House, log: int, chance: random.Random, act: Act, who: str) -> int:
    people = [f"{who} one", f"{who} two"][: 1 + (chance.randrange(10) < act.couples)]
    phone = f"13{chance.randrange(10**9):09d}"
    made = house.register(*people, phone=phone, waitlist=chance.randrange(10) < act.waits)
    write_down(
        log,
        id=made.id,
        seed=made.ticket_seed,
        state=made.state,
        seats=len(people),
        began=house.now.timestamp(),
        done=utc_now().timestamp(),
    )
    return made.id


class Crowd:
    """Several writers, and the promises that they logged."""

    def __init__(self, place: Place, seed: str, act: Act, writers: int) -> None:
        self.place, self.seed, self.act = place, seed, act
        self.log = Path(place.folder) / f"promises-{seed}"
        self._started = 0
        self._read, self._promises = 0, list[dict[str, Any]]()
        self.running: list[Any] = []
        for _ in range(writers):
            self.start_one()

    def start_one(self) -> None:
        """Start one more writer."""
        arguments = (self.place, self._started, self.seed, self.act, str(self.log))
        process: BaseProcess = FORKS.Process(target=writer, args=arguments, daemon=True)
        process.start()
        self._started += 1
        self.running.append(process)

    def kill_one(self, chance: random.Random) -> None:
        """Kill one writer at whatever it is doing, and start another one."""
        victim = self.running.pop(chance.randrange(len(self.running)))
        victim.kill()
        victim.join()
        self.start_one()

    def kill(self) -> None:
        """Kill all writers."""
        for process in self.running:
            process.kill()
        for process in self.running:
            process.join()

    def wait_for(self, promises: int) -> None:
        """Wait until so many promises were made, or all writers have finished."""
        while len(self.promises()) < promises and any(
            process.is_alive() for process in self.running
        ):
            Event().wait(0.01)

    def finish(self) -> None:
        """Wait until all writers have finished."""
        for process in self.running:
            process.join(300)
            assert process.exitcode == 0, "a writer must end without an error"

    def promises(self) -> list[dict[str, Any]]:
        """The promises made so far, in the order in which they were logged."""
        if self.log.exists():
            with self.log.open("rb") as log:
                log.seek(self._read)
                whole, _, _ = log.read().rpartition(b"\n")
            self._read += len(whole) + (1 if whole else 0)
            self._promises += [json.loads(line) for line in whole.split(b"\n") if line]
        return list(self._promises)


_WATCHED = text("""
    SELECT s.capacity, s.taken,
      (SELECT count(*) FROM attendees a JOIN registrations r ON r.id = a.registration_id
       WHERE r.event_id = s.event_id AND r.state = 'confirmed' AND a.cancelled_at IS NULL),
      (SELECT count(*) FROM (
         SELECT r.id, count(*) AS people
         FROM registrations r JOIN attendees a ON a.registration_id = r.id
         WHERE r.state = 'waitlisted' AND a.cancelled_at IS NULL GROUP BY r.id) w
       WHERE w.people <= s.capacity - s.taken)
    FROM event_seats s
""")


@contextmanager
def watched(house: House) -> Iterator[list[str]]:
    """Read the counter every 5 ms on a separate connection. Yields the list of all states that must
    never be seen."""
    seen: list[str] = []
    stop = Event()

    def watch() -> None:
        with house.app.app_context():
            while not stop.wait(0.005):
                with db.engine.connect() as connection:
                    capacity, taken, people, fitting = connection.execute(_WATCHED).one()
                if not taken == people <= capacity:
                    seen.append(f"{taken} taken, {people} people, {capacity} seats")
                if fitting:
                    seen.append(f"{fitting} parties wait that fit")

    watcher = Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        stop.set()
        watcher.join()


def broken_promises(house: House, promises: list[dict[str, Any]]) -> list[str]:
    """The promises that are broken: registrations that are missing, cancellations that were
    lost."""
    reading().rollback()
    rows = reading().execute(text("SELECT id, ticket_seed, state FROM registrations")).all()
    reading().rollback()  # PostgreSQL ends idle transactions
    stored = {row.id: row for row in rows}
    undone = {promise["undone"] for promise in promises if "undone" in promise}
    broken = []
    for promise in promises:
        if "undone" in promise or promise.get("cancelled") in undone:
            continue
        if "id" in promise:
            row = stored.get(promise["id"])
            if row is None or row.ticket_seed != promise["seed"]:
                broken.append(f"registration {promise['id']} is gone")
            continue
        row = stored.get(promise["cancelled"])
        if row is None or row.state != "cancelled":
            broken.append(f"cancellation of {promise['cancelled']} is gone")
    return broken
