"""Entries: filled-in forms on their way to seats or waiting places.

This is what a rush goes through, so it asks in one statement, writes with constants on the
connection itself, and touches the counter last (PERFORMANCE.md 7.1).
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, insert, or_, select
from sqlalchemy.orm import Session

from eventreg.core import audit, outbox
from eventreg.core.audit import Action, Actor
from eventreg.core.errors import (
    EventFull,
    FormKeyReused,
    RegistrationClosed,
    SeatsRaced,
)
from eventreg.core.event import events
from eventreg.core.models.event import Event, EventSeats
from eventreg.core.models.outbox import MessageKind
from eventreg.core.models.people import LIVE
from eventreg.core.models.registration import (
    Attendee,
    FormKey,
    Registration,
    RegistrationState,
    Source,
)
from eventreg.core.registration import check_in_codes, party_rules, seats, tickets, waitlist
from eventreg.core.registration.seats import SeatCount
from eventreg.core.registration.waitlist import OverReason
from eventreg.core.values import tokens
from eventreg.core.values.names import Name
from eventreg.core.values.phones import Phone


@dataclass(frozen=True)
class Entry:
    """What was filled in, already understood: everybody's names in the order given, and the number
    to reach them."""

    names: tuple[Name, ...]
    phone: Phone
    locale: str
    source: Source
    form_key: str
    waitlist: bool = False
    """Waiting places will do, if there are no seats."""
    split: bool = False
    """One seat now and waiting places for the rest will do, if there are too few seats for all."""
    email: str | None = None
    contact: str | None = None
    """Whose number it is, where that is not a guest's own."""
    wishes: str = ""
    """As ``requests.join`` makes them."""
    name_unsure: bool = False
    beyond_limit: bool = False
    """The desk has seen the warning about ``max_per_phone`` and goes on."""
    over: OverReason | None = None
    """Why an organiser registers somebody although there is no seat."""
    burst: str | None = None
    """The number that registrations from one address share for an hour; see ``bursts``."""

    @property
    def fingerprint(self) -> str:
        """Equal for two sendings of one form; whether waiting would do is no other form."""
        body = json.dumps([[name.typed for name in self.names], self.phone.number, self.source])
        return hashlib.sha256(body.encode()).hexdigest()


@dataclass(frozen=True)
class Made:
    """The registration that an entry became."""

    id: int
    ticket_seed: str
    state: str
    again: bool = False
    """Whether this form had made it before."""


_made = (
    select(
        FormKey.event_id,
        FormKey.fingerprint,
        Registration.id,
        Registration.ticket_seed,
        Registration.state,
    )
    .join(Registration, Registration.id == FormKey.registration_id)
    .where(FormKey.key == bindparam("key"))
)
_of_number = (
    Attendee.event_id == bindparam("event"),
    Attendee.phone_number == bindparam("phone"),
    LIVE,
)
_add_registration = insert(Registration).returning(Registration.id)
_add_attendee = insert(Attendee)
_add_key = insert(FormKey)


@cache
def _look(people: int) -> Select[*tuple[Any, ...]]:
    """All there is to know before writing, in one question: was this form here, are the people, how
    many share the number."""
    names = [Attendee.name_folded == bindparam(f"name_{place}") for place in range(people)]
    key = select(FormKey.registration_id).where(FormKey.key == bindparam("key"))
    same = select(func.min(Attendee.registration_id)).where(*_of_number, or_(*names))
    under_number = select(func.count(Attendee.id)).where(*_of_number)
    return (
        select(
            key.scalar_subquery(),
            same.scalar_subquery(),
            under_number.scalar_subquery(),
            *seats.COUNTED,
        )
        .join(Event, Event.id == EventSeats.event_id)
        .where(EventSeats.event_id == bindparam("event"))
    )


def made_by(session: Session, event: Event, entry: Entry) -> Made | None:
    """The registration that this very form has made already, if it has; ``FormKeyReused`` if it
    made another one, at this event or at another."""
    row = session.execute(_made, {"key": entry.form_key}).first()
    if row is None:
        return None
    event_id, fingerprint, registration_id, seed, state = row
    if event_id != event.id or fingerprint != entry.fingerprint:
        raise FormKeyReused
    return Made(registration_id, seed, state, again=True)


def _check_phase(event: Event, entry: Entry, now: datetime) -> None:
    """Guests may register while registration is open; staff until the event is over or cancelled.
    Who walked in stands on paper: that is typed in afterwards too, as long as names are kept."""
    phase = events.phase(event, now)
    walked_in = (
        entry.source is Source.WALK_IN
        and not entry.waitlist
        and not events.is_past_keeping(event, now)
    )
    over = phase is events.Phase.OVER and not walked_in
    closed = entry.source is Source.ONLINE and phase is not events.Phase.OPEN
    if over or closed or phase is events.Phase.CANCELLED:
        raise RegistrationClosed(phase)


def register(
    session: Session, event: Event, entry: Entry, *, secret_key: str, by: Actor, now: datetime
) -> Made:
    """Register the party: all of it or nobody, unless ``entry`` says that waiting, or one seat now,
    will do. The same form again gives the same registration.

    Refuses with ``FormKeyReused``, ``RegistrationClosed``, ``FieldRefused`` (party),
    ``AlreadyRegistered``, ``PhoneAtLimit``, ``EventFull`` and ``WaitlistFull``. Raises
    ``SeatsRaced`` where it is to be tried again.
    """
    party_rules.queue_for_number(session, event, entry.phone)
    people = len(entry.names)
    asked: dict[str, object] = {
        f"name_{place}": name.folded for place, name in enumerate(entry.names)
    }
    asked |= {"event": event.id, "phone": entry.phone.number, "key": entry.form_key}
    connection = session.connection()
    key, same, under_number, *counter = connection.execute(_look(people), asked).one()
    made = made_by(session, event, entry) if key is not None else None
    if made is not None:
        return made
    counted = SeatCount.read(counter, now)
    if not counted.is_of(event):
        raise SeatsRaced
    _check_phase(event, entry, now)
    party_rules.check_size(event, entry.names)
    party_rules.judge_number(
        event, entry.names, entry.phone, same, under_number, beyond=entry.beyond_limit
    )
    placing = _Placing(session, connection, event, entry, secret_key, by, now)
    in_a_rush = (
        not counted.waiting and counted.left >= people and not counted.from_held(1, entry.source)
    )
    return placing.take(counted) if in_a_rush else placing.queue()


@dataclass(frozen=True)
class _Placing:
    """One entry on its way to seats or waiting places."""

    session: Session
    connection: Connection
    event: Event
    entry: Entry
    secret_key: str
    by: Actor
    now: datetime

    def take(self, counted: SeatCount) -> Made:
        """Seats for everybody, while there are plenty. The counter last: on a database with row
        locks, everybody waits for this row only until the commit (PERFORMANCE 7.1)."""
        people = self.entry.names
        made = self._write(people, Action.SEATS_TAKEN, counted)
        seats.take(self.connection, self.event.id, len(people), seen=counted)
        return made

    def queue(self) -> Made:
        """Seats or waiting places, behind the lock: whoever waits already and fits comes first."""
        counted = seats.lock(self.session, self.event.id, now=self.now)
        if not counted.is_of(self.event):
            raise SeatsRaced
        counted = waitlist.promote(self.session, self.event, counted, now=self.now)
        people, left = self.entry.names, counted.left_for(self.entry.source)
        if len(people) <= left:
            return self._seat(people, counted)[0]
        if self.entry.over:
            return self._seat(people, counted, over=self.entry.over)[0]
        if self.entry.split and left:
            # One seat only: as many as there are would part the party in ways nobody asked for.
            waitlist.check_room(self.event, counted, len(people) - 1)
            made, counted = self._seat(people[:1], counted)
            self._wait(people[1:], counted, split_from=made.id)
            return made
        if self.entry.waitlist:
            waitlist.check_room(self.event, counted, len(people))
            return self._wait(people, counted)
        raise EventFull(left)

    def _seat(
        self, people: tuple[Name, ...], counted: SeatCount, over: OverReason | None = None
    ) -> tuple[Made, SeatCount]:
        from_held = counted.from_held(len(people), self.entry.source)
        made = self._write(people, Action.SEATS_TAKEN, counted, from_held=from_held, over=over)
        count = len(people)
        return made, seats.move(
            self.session,
            self.event.id,
            counted,
            taken=count,
            from_held=from_held,
            beyond=bool(over),
        )

    def _wait(
        self, people: tuple[Name, ...], counted: SeatCount, split_from: int | None = None
    ) -> Made:
        made = self._write(people, Action.WAITLIST_JOINED, counted, split_from=split_from)
        seats.move(self.session, self.event.id, counted, waiting=len(people))
        return made

    def _write(
        self,
        people: tuple[Name, ...],
        act: Action,
        counted: SeatCount,
        *,
        from_held: int = 0,
        split_from: int | None = None,
        over: OverReason | None = None,
    ) -> Made:
        """All rows but the counter: registration, people, form key, audit, outbox."""
        waits = act is Action.WAITLIST_JOINED
        state = RegistrationState.WAITLISTED if waits else RegistrationState.CONFIRMED
        made = self._registration(state, split_from)
        self._attendees(made.id, people, None if waits else counted)
        if split_from is None:
            self._form_key(made.id)
        more: dict[str, Any] = {"from_held": from_held} if from_held else {}
        more |= {"over": over} if over else {}
        more |= {"beyond_limit": True} if self.entry.beyond_limit else {}
        audit.record(
            self.connection,
            act,
            self.by,
            now=self.now,
            event_id=self.event.id,
            registration_id=made.id,
            seats=len(people),
            source=self.entry.source,
            **more,
        )
        kind = MessageKind.WAITLISTED if waits else MessageKind.REGISTERED
        outbox.enqueue(
            self.session, self.event, made.id, kind, email=self.entry.email, now=self.now
        )
        return made

    def _registration(self, state: RegistrationState, split_from: int | None) -> Made:
        entry, seed = self.entry, tickets.new_seed()
        written = {
            "event_id": self.event.id,
            "ticket_seed": seed,
            "ticket_digest": tickets.digest(tickets.token(self.secret_key, seed)),
            "state": state,
            "source": entry.source,
            "locale": entry.locale,
            "email": entry.email,
            "phone_number": entry.phone.number,
            "phone_typed": entry.phone.typed,
            "phone_tail": entry.phone.tail,
            "version": 1,
            "split_from_id": split_from,
            "created_at": self.now,
            "contact": entry.contact,
            "wishes": entry.wishes,
            "name_unsure": entry.name_unsure,
            "over_limit": entry.beyond_limit,
        }
        registration_id: int = self.connection.execute(_add_registration, written).scalar_one()
        return Made(registration_id, seed, state)

    def _attendees(
        self, registration_id: int, people: tuple[Name, ...], coded: SeatCount | None
    ) -> None:
        """The people, with codes where ``coded`` by the counter; who waits has none yet."""
        event, phone, connection = self.event, self.entry.phone, self.connection
        for place, name in enumerate(people, start=1):
            code = (
                check_in_codes.draw(connection, event, coded.capacity, phone.tail)
                if coded
                else None
            )
            connection.execute(
                _add_attendee,
                {
                    "event_id": event.id,
                    "registration_id": registration_id,
                    "place": place,
                    **party_rules.columns(name),
                    "phone_number": phone.number,
                    "phone_tail": phone.tail,
                    "code": code,
                    "public_id": tokens.opaque(),
                },
            )

    def _form_key(self, registration_id: int) -> None:
        self.connection.execute(
            _add_key,
            {
                "key": self.entry.form_key,
                "event_id": self.event.id,
                "fingerprint": self.entry.fingerprint,
                "registration_id": registration_id,
                "created_at": self.now,
                "burst": self.entry.burst,
            },
        )
