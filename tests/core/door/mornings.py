"""A morning at the door: what the door does with people, without its pages."""

from collections.abc import Callable
from typing import TypeVar
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.core import invariants
from eventreg.core.audit import Actor
from eventreg.core.door import calling, check_in, present, restoring, walk_ins
from eventreg.core.door import release as rules
from eventreg.core.door.check_in import Arrival, Outcome
from eventreg.core.door.present import Line, Standing
from eventreg.core.door.release import Released
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


def arrive(house: House, *people: str) -> None:
    """These people come, and Dora checks them in."""
    for name in people:
        came(house, id_of(name))


def came(house: House, attendee: str) -> Outcome:
    """The person of this id comes, and Dora checks in."""
    arrival = Arrival(attendee, house.now, house.now)
    return act(
        house,
        lambda session, event: check_in.check_in(
            session, event, arrival, anyway=True, by=house.dora
        ),
    )


def walk_in(
    house: House, name: str, phone: str = "", key: str = "", companion: str = ""
) -> WalkedIn:
    """Somebody walks in."""
    newcomer = Newcomer(name, phone, house.now, key or uuid4().hex, companion)
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


def release(house: House, *absent: str, by: Actor | None = None) -> Released:
    """Olga gives away the seats of these people, or of all who have not come."""
    ids = [id_of(name) for name in absent] or None
    return act(
        house,
        lambda session, event: rules.release(
            session, event, ids, by=by or house.olga, now=house.now
        ),
    )


def restore(house: House, attendee: str) -> Standing:
    """Dora gives somebody a seat again."""
    return act(
        house,
        lambda session, event: restoring.restore(
            session, event, attendee, secret_key=SECRET, by=house.dora, now=house.now
        ),
    )


def no_answer(house: House, name: str, calls: int) -> None:
    """Dora called, and nobody of the party answered; the page showed so many calls."""
    attendee = id_of(name)
    act(
        house,
        lambda session, event: calling.not_answering(
            session, event, attendee, calls=calls, by=house.dora, now=house.now
        ),
    )
