"""Fairness: in the histories of eight clients, no waiting party is overtaken.

Overtaken means: a party that registered later, and needed at least as many seats, was seated first.
"""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from eventreg.core.audit import Action
from eventreg.core.models.audit import AuditEntry
from eventreg.core.models.registration import Registration
from eventreg.storage.session import reading
from tests.proofs.conftest import on_one_database, rounds, seeds
from tests.proofs.crowd import Act, Crowd, Place
from tests.support.factories import House, toml

_END = float("inf")


def history(house: House, place: Place, seed: str, tries: int) -> list[dict[str, Any]]:
    """What eight clients did: when each registration began and was answered, how long it surely
    waited, whether it was promoted, and at which audit entry its waiting ended."""
    crowd = Crowd(place, seed, Act(tries, cancels=4, couples=3, waits=9), 8)
    crowd.finish()
    reading().rollback()
    promoted_at = dict(list(reading().execute(select(Registration.id, Registration.promoted_at))))
    trail = reading().execute(
        select(AuditEntry.registration_id, func.min(AuditEntry.id))
        .where(AuditEntry.action.in_([Action.PROMOTED, Action.WAITLIST_LEFT]))
        .group_by(AuditEntry.registration_id)
    )
    ended = dict(list(trail))
    left = {
        promise["cancelled"]: promise["began"]
        for promise in crowd.promises()
        if "cancelled" in promise
    }
    seen = []
    for promise in crowd.promises():
        if "id" in promise:
            who = promise["id"]
            promoted = promoted_at[who]
            # Until the promotion began, or the party cancelled, it surely waited for a seat.
            until = min(promoted.timestamp() if promoted else _END, left.get(who, _END))
            seen.append(
                {
                    **promise,
                    "waits_until": until,
                    "ended": ended.get(who, _END),
                    "promoted": promoted is not None,
                }
            )
    return seen


def overtaken(seen: list[dict[str, Any]]) -> list[str]:
    """Pairs in which the later party was seated first: at once, or by an earlier promotion.

    Audit entries about the waiting list are written under the lock, so they are in the order of
    what happened.
    """
    waited = [one for one in seen if one["state"] == "waitlisted"]
    pairs = [
        (early, later)
        for early in waited
        for later in seen
        if later["began"] > early["done"] and later["seats"] >= early["seats"]
    ]
    at_once = [
        (early, later)
        for early, later in pairs
        if later["state"] == "confirmed" and later["done"] < early["waits_until"]
    ]
    promoted = [
        (early, later)
        for early, later in pairs
        if later["promoted"] and later["ended"] < early["ended"]
    ]
    return [f"{later['id']} before {early['id']}" for early, later in at_once + promoted]


@pytest.mark.both_databases
@pytest.mark.parametrize("seed", seeds(1, 20))
def test_no_waiting_party_is_overtaken(house: House, place: Place, seed: str) -> None:
    house.apply(toml(capacity=30, more="[waitlist]\nsize = 500"))
    seen = history(house, place, seed, rounds(30, 125))
    assert sum(one["state"] == "waitlisted" for one in seen) > 30
    assert sum(one["promoted"] for one in seen) > 10
    assert overtaken(seen) == []


@on_one_database("newcomers_pass", "last_first")
def test_without_the_guard_a_waiting_party_is_overtaken_and_it_is_noticed(
    house: House, place: Place, fault: str
) -> None:
    house.apply(toml(capacity=30, more="[waitlist]\nsize = 500"))
    assert overtaken(history(house, replace(place, fault=fault), fault, rounds(40, 60))) != []
