"""A morning at the door: what the door does with people, without its pages."""

from collections.abc import Callable
from typing import TypeVar
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.core import invariants
from eventreg.core.audit import Actor
from eventreg.core.door import check_in, present, walk_ins
from eventreg.core.door.check_in import Arrival
from eventreg.core.door.present import Line, Standing
from eventreg.core.door.walk_ins import Newcomer, WalkedIn
from eventreg.core.event import events
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Attendee
from eventreg.storage.session import reading, write
from tests.support.factories import SECRET, House

T = TypeVar("T")


def act(house: House, rule: Callable[[Session, Event], T], slug: str = "small") -> T:
    """Run a rule in a transaction of its own."""
    done = write(lambda session: rule(session, events.get(session, slug)))
    reading().rollback()
    return done


def id_of(name: str) -> str:
    """The random id of the person of that name who registered last."""
    found = select(Attendee.public_id).where(Attendee.name == name).order_by(Attendee.id.desc())
    return str(reading().scalars(found.limit(1)).one())


def arrive(house: House, *people: str, by: Actor | None = None) -> None:
    """These people come, and Dora checks them in."""
    for name in people:
        arrival = Arrival(id_of(name), house.now, house.now)
        act(
            house,
            lambda session, event, arrival=arrival: check_in.check_in(
                session, event, arrival, anyway=True, by=by or house.dora
            ),
        )


def walk_in(house: House, name: str, phone: str = "", key: str = "", **typed: str) -> WalkedIn:
    """Somebody walks in."""
    newcomer = Newcomer(name, phone, house.now, key or uuid4().hex, **typed)
    return act(
        house,
        lambda session, event: walk_ins.walk_in(
            session, event, newcomer, secret_key=SECRET, by=house.dora, now=house.now
        ),
    )


def waits_here(house: House, name: str) -> Standing:
    """A waiting person says "I wait here"."""
    attendee = id_of(name)
    return act(
        house,
        lambda session, event: present.mark_present(
            session, event, attendee, by=house.dora, now=house.now
        ),
    )


def line(house: House) -> Line:
    """Who is at the door."""
    return present.listed(reading(), house.event())


def names(parties: object) -> list[list[str]]:
    """The names of parties."""
    return [[name for _, name in party.people] for party in parties]  # type: ignore[attr-defined]


def check_sum(house: House) -> None:
    """Everything that must hold, holds."""
    found = invariants.of_event(reading(), house.event(), now=house.now)
    assert found.holds, [one for one in found.findings if not one.holds]
