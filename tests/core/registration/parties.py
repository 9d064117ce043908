"""Questions about registrations, as they are in the database now."""

from typing import Any

from eventreg.core import invariants
from eventreg.core.models.registration import Registration
from eventreg.core.registration import lookup, waitlist
from eventreg.storage.session import reading
from tests.support.factories import House


def fresh(made: Registration) -> Registration:
    """A registration as it is now."""
    return lookup.get(reading(), made.id)


def state(made: Registration) -> str:
    """The state of a registration now."""
    return fresh(made).state


def place(made: Registration) -> int:
    """The place of a registration in the waiting list now."""
    return waitlist.position(reading(), fresh(made))


def wait(house: House, *people: str, **entry: Any) -> Registration:
    """Register a party that accepts waiting places."""
    return house.register(*people, waitlist=True, **entry)


def checked_sum(house: House) -> invariants.Sum:
    """The sum of all seats, after checking that all invariants hold."""
    found = invariants.of_event(reading(), house.event(), now=house.now)
    assert found.holds, [finding for finding in found.findings if not finding.holds]
    return found
