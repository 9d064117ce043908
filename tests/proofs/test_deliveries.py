"""Three doors and two hundred scans each, delivered in any order, several times and in part: the
end is always the same (P6, P7, P8)."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from eventreg.core import invariants
from eventreg.core.models.attendance import CheckIn, Gift
from eventreg.core.models.audit import AuditEntry
from eventreg.core.models.door import DoorAct, DoorDevice
from eventreg.core.models.registration import Attendee
from eventreg.core.registration.arrivals import STANDING
from eventreg.core.uploads import sightings
from eventreg.storage.session import reading, transaction
from tests.core.uploads.doors import Door, hour, to_settle
from tests.proofs.conftest import rounds
from tests.support.factories import House, toml

PEOPLE, SCANS = rounds(20, 150), rounds(25, 200)
SHARES = range(rounds(1, 4))
"""A thousand deliveries in `make proofs`. Several processes take a share each."""
DELIVERIES = rounds(3, 250)


@dataclass(frozen=True)
class End:
    """What is so when everything has been delivered."""

    arrived: frozenset[tuple[str, str]]
    """Who is in, and since when."""
    gifts: frozenset[str]
    open: Sequence[str]


@pytest.fixture
def expected(house: House) -> House:
    """Many people are expected; it is the morning."""
    house.apply(toml(capacity=PEOPLE))
    house.hire()
    for number in range(PEOPLE):
        house.register(f"来宾{chr(0x4E00 + number)}")
    house.now = hour("08:45")
    return house


def everybody() -> list[str]:
    """The random ids of all people."""
    reading().rollback()
    return [str(one) for one in reading().scalars(select(Attendee.public_id))]


def recorded(house: House, dice: random.Random) -> list[tuple[Door, list[dict[str, Any]]]]:
    """What three doors recorded, with clocks that are off by up to three days: check-ins, undos of
    one's own, gifts."""
    found, people = [], everybody()
    for number in range(3):
        ahead = timedelta(seconds=dice.randint(-3 * 86_400, 3 * 86_400))
        door = Door(house, f"door-{number}", ahead)
        acts: list[dict[str, Any]] = []
        mine: list[str] = []
        for step in range(SCANS):
            at = hour("08:45") + timedelta(seconds=4 * step + number)
            if mine and dice.random() < 0.1:
                acts.append(door.act("undo", mine.pop(), at=at))
            elif mine and dice.random() < 0.1:
                acts.append(door.act("gift", dice.choice(mine), at=at))
            else:
                person = dice.choice(people)
                mine.append(person)
                acts.append(door.act("check-in", person, at=at))
        mine.clear()
        found.append((door, acts))
    house.now = hour("09:30")
    return found


def deliver(house: House, made: Sequence[tuple[Door, list[dict[str, Any]]]], seed: int) -> None:
    """Deliver everything in batches of any size and order; each up to five times, as if its answer
    had been lost."""
    dice, waiting = random.Random(seed), []
    for door, acts in made:
        rest = dice.sample(acts, len(acts)) if dice.random() < 0.5 else list(acts)
        while rest:
            size = dice.randint(1, 60)
            batch, rest = rest[:size], rest[size:]
            waiting += [(door, batch)] * dice.choice((1, 1, 1, 2, 5))
    dice.shuffle(waiting)
    for door, batch in waiting:
        door.upload(*batch)


def end(house: House) -> End:
    """What is so now."""
    reading().rollback()
    came = select(Attendee.public_id, CheckIn.arrived_at).join(CheckIn, STANDING)
    gave = select(Attendee.public_id).join(Gift, Gift.attendee_id == Attendee.id)
    found = End(
        frozenset((str(who), at.isoformat()) for who, at in reading().execute(came)),
        frozenset(map(str, reading().scalars(gave.where(Gift.undone_at.is_(None))))),
        sorted(to_settle(house)),
    )
    assert invariants.of_event(reading(), house.event(), now=house.now).holds
    return found


def forget() -> None:
    """Make the event as it was before anything was delivered."""
    with transaction() as session:
        for table in (DoorAct, CheckIn, Gift, DoorDevice):
            session.execute(delete(table))
        at_door = AuditEntry.attendee_id.is_not(None)
        session.execute(delete(AuditEntry).where(at_door, AuditEntry.registration_id.is_not(None)))


def ends_of(house: House) -> Callable[[int], None]:
    """A check that a delivery ends as the first one did, in which each door sent all in order."""
    made = recorded(house, random.Random(2030))
    for door, acts in made:
        door.upload(*acts)
    first = end(house)
    assert len(first.arrived) > PEOPLE // 2
    assert first.gifts

    def same(seed: int) -> None:
        forget()
        deliver(house, made, seed)
        assert end(house).arrived == first.arrived
        assert end(house).gifts == first.gifts

    return same


@pytest.mark.both_databases
@pytest.mark.parametrize("share", SHARES)
def test_the_end_does_not_depend_on_the_order_of_delivery(expected: House, share: int) -> None:
    same = ends_of(expected)

    @seed(share)
    @settings(
        max_examples=DELIVERIES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 2**32))
    def delivered(number: int) -> None:
        same(number)

    delivered()


def test_without_the_count_of_each_device_the_order_would_decide(
    expected: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: acts count in the order in which they arrive."""
    same = ends_of(expected)
    monkeypatch.setattr(sightings.Said, "place", property(lambda said: (said.order, 0)))
    with pytest.raises(AssertionError):
        for seed in range(5):
            same(seed)
