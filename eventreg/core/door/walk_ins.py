"""Walk-ins: people who come without having registered. If a seat is free they are in at once;
otherwise they wait at the door with a number.

A number is handed out in person, to at most two people who came together, and however many people
wait already: the waiting list has a size because its people wait at home.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from eventreg.core.audit import Actor
from eventreg.core.door import check_in, present
from eventreg.core.door.check_in import Arrival
from eventreg.core.door.present import Standing
from eventreg.core.event import events
from eventreg.core.models.attendance import CheckIn
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Attendee, RegistrationState, Source
from eventreg.core.registration import lookup, register
from eventreg.core.registration.entries import Entry
from eventreg.core.registration.waitlist import OverReason
from eventreg.core.values import names, phones

MOST = 2
"""The most people of one walk-in."""


@dataclass(frozen=True)
class WalkedIn(Standing):
    """What a walk-in got: seats, and is in; or a number. ``again`` says that the same act came
    before."""

    late: bool
    again: bool


@dataclass(frozen=True)
class Newcomer:
    """Who walked in, as it was typed. ``phone`` may be empty."""

    name: str
    phone: str | None
    at: datetime
    """When the door saw the people."""
    key: str
    """The key of the form or of the act."""
    companion: str = ""
    locale: str = "zh"
    device: str | None = None
    over: OverReason | None = None
    """Adds chairs for them; only an organiser may."""

    def entry(self, event: Event) -> Entry:
        """What was typed, as an entry. Refuses with ``FieldRefused``."""
        line = events.definition(event).phone_line
        party = [names.parse(self.name)]
        if self.companion.strip():
            party.append(names.parse(self.companion, "companion-1"))
        typed = (self.phone or "").strip()
        area_code = line.area_code if line else None
        return Entry(
            names=tuple(party),
            phone=phones.parse(typed, area_code) if typed else phones.NONE,
            locale=self.locale,
            source=Source.WALK_IN,
            form_key=self.key,
            at_door=True,
            over=self.over,
        )


def walk_in(
    session: Session, event: Event, newcomer: Newcomer, *, secret_key: str, by: Actor, now: datetime
) -> WalkedIn:
    """Register people at the door and check them in, or give them a number if no seat is free.
    Whoever waits and can be seated comes first. The same key again gives the same result.

    Refuses with ``FieldRefused`` (name, companion-1, phone), ``AlreadyRegistered``,
    ``PhoneAtLimit``, ``FormKeyReused`` and ``RegistrationClosed``. Raises ``SeatsRaced`` as
    ``register`` does.
    """
    entry = newcomer.entry(event)
    made = register.register(session, event, entry, secret_key=secret_key, by=by, now=now)
    registration = lookup.get(session, made.id)
    session.refresh(registration)
    people = lookup.party(session, registration)
    if not made.again:
        if made.state == RegistrationState.CONFIRMED:
            _come_in(session, event, newcomer, people, by=by, now=now)
        else:
            present.join(session, event, made.id, by=by, now=now, numbered=True)
    found = present.standing(session, event, people[0])
    late = newcomer.at >= event.check_in_closes_at
    return WalkedIn(**vars(found), late=late, again=made.again)


def _come_in(
    session: Session,
    event: Event,
    newcomer: Newcomer,
    people: Sequence[Attendee],
    *,
    by: Actor,
    now: datetime,
) -> None:
    for person in people:
        arrival = Arrival(person.public_id, newcomer.at, now)
        outcome = check_in.check_in(session, event, arrival, anyway=True, by=by)
        session.get_one(CheckIn, outcome.check_in_id).device = newcomer.device
