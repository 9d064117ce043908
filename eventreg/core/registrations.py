"""Registrations: one act of signing up, for one party. Register, correct, cancel, find."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Session

from eventreg.core import audit, codes, events, outbox, seats, tickets, waitlist
from eventreg.core import party as party_rules
from eventreg.core.audit import Action, Actor
from eventreg.core.errors import (
    EventFull,
    FormKeyReused,
    RegistrationClosed,
    RegistrationUnknown,
    SeatsRaced,
)
from eventreg.core.models import Attendee, Event, FormKey, MessageKind, Registration, RegistrationState, Source
from eventreg.core.names import Name
from eventreg.core.phones import Phone
from eventreg.core.seats import SeatCount


@dataclass(frozen=True)
class Entry:
    """What was filled in, already understood: everybody's names in the order given, and the number to reach them."""

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

    @property
    def fingerprint(self) -> str:
        """Equal for two sendings of one form; whether waiting would do is no other form."""
        body = json.dumps([[name.typed for name in self.names], self.phone.number, self.source])
        return hashlib.sha256(body.encode()).hexdigest()


_by_key = select(FormKey.fingerprint, FormKey.registration_id).where(
    FormKey.key == bindparam("key"), FormKey.event_id == bindparam("event")
)
_add_registration = insert(Registration).returning(Registration.id)
_add_attendee = insert(Attendee).returning(Attendee.id)
_add_key = insert(FormKey)


def _check_phase(event: Event, source: Source, now: datetime) -> None:
    """Guests may register while registration is open; staff until the event is over or cancelled."""
    phase = events.phase(event, now)
    barred = {events.Phase.OVER, events.Phase.CANCELLED}
    if phase in barred or (source is Source.ONLINE and phase is not events.Phase.OPEN):
        raise RegistrationClosed(phase)


def made_by_form(session: Session, event: Event, entry: Entry) -> Registration | None:
    """The registration that this very form has made already, if it has; ``FormKeyReused`` if it made another one."""
    row = session.execute(_by_key, {"key": entry.form_key, "event": event.id}).first()
    if row is None:
        return None
    if row.fingerprint != entry.fingerprint:
        raise FormKeyReused
    return get(session, row.registration_id)


def register(
    session: Session, event: Event, entry: Entry, *, secret_key: str, by: Actor, now: datetime
) -> Registration:
    """Register the party: all of it or nobody, unless ``entry`` says that waiting, or one seat now, will do. The same form
    again gives the same registration.

    Refuses with ``FormKeyReused``, ``RegistrationClosed``, ``FieldRefused`` (party), ``AlreadyRegistered``,
    ``PhoneAtLimit``, ``EventFull`` and ``WaitlistFull``. Raises ``SeatsRaced`` where it is to be tried again.
    """
    made = made_by_form(session, event, entry)
    if made is not None:
        return made
    _check_phase(event, entry.source, now)
    party_rules.check_size(event, entry.names)
    party_rules.queue_for_number(session, event, entry.phone)
    party_rules.check_number(session, event, entry.names, entry.phone)
    counted = seats.count(session, event.id, now=now)
    placing = _Placing(session, event, entry, secret_key, by, now)
    in_a_rush = not counted.waiting and counted.left >= len(entry.names)
    if in_a_rush and not counted.from_held(1, entry.source):
        return get(session, placing.take(counted))
    return get(session, placing.queue())


@dataclass(frozen=True)
class _Placing:
    """One entry on its way to seats or waiting places."""

    session: Session
    event: Event
    entry: Entry
    secret_key: str
    by: Actor
    now: datetime

    def take(self, counted: SeatCount) -> int:
        """Seats for everybody, while there are plenty. The counter last: on a database with row locks, everybody waits for
        this row only until the commit (PERFORMANCE 7.1)."""
        self._check_event(counted)
        party = self.entry.names
        registration_id = self._write(party, Action.SEATS_TAKEN)
        seats.take(self.session, self.event.id, len(party), seen=counted)
        return registration_id

    def queue(self) -> int:
        """Seats or waiting places, behind the lock: whoever waits already and fits comes first."""
        counted = seats.lock(self.session, self.event.id, now=self.now)
        self._check_event(counted)
        counted = waitlist.promote(self.session, self.event, counted, now=self.now)
        party, left = self.entry.names, counted.left_for(self.entry.source)
        if len(party) <= left:
            return self._seat(party, counted)[0]
        if self.entry.split and left:
            # One seat only: as many as there are would part the party in ways nobody asked for.
            waitlist.check_room(self.event, counted, len(party) - 1)
            registration_id, counted = self._seat(party[:1], counted)
            self._wait(party[1:], counted, split_from=registration_id)
            return registration_id
        if self.entry.waitlist:
            waitlist.check_room(self.event, counted, len(party))
            return self._wait(party, counted)
        raise EventFull(left)

    def _check_event(self, counted: SeatCount) -> None:
        if counted.event_version != self.event.version:
            raise SeatsRaced

    def _seat(self, party: tuple[Name, ...], counted: SeatCount) -> tuple[int, SeatCount]:
        from_held = counted.from_held(len(party), self.entry.source)
        registration_id = self._write(party, Action.SEATS_TAKEN, from_held=from_held)
        moved = seats.move(self.session, self.event.id, counted, taken=len(party), from_held=from_held)
        return registration_id, moved

    def _wait(self, party: tuple[Name, ...], counted: SeatCount, split_from: int | None = None) -> int:
        registration_id = self._write(party, Action.WAITLIST_JOINED, split_from=split_from)
        seats.move(self.session, self.event.id, counted, waiting=len(party))
        return registration_id

    def _write(self, party: tuple[Name, ...], act: Action, *, from_held: int = 0, split_from: int | None = None) -> int:
        """All rows but the counter: registration, people, form key, audit, outbox."""
        waits = act is Action.WAITLIST_JOINED
        state = RegistrationState.WAITLISTED if waits else RegistrationState.CONFIRMED
        registration_id = self._registration(state, split_from)
        self._attendees(registration_id, party, coded=not waits)
        if split_from is None:
            self._form_key(registration_id)
        more = {"from_held": from_held} if from_held else {}
        audit.record(
            self.session, act, self.by, now=self.now, event_id=self.event.id, registration_id=registration_id,
            seats=len(party), source=self.entry.source, **more,
        )  # fmt: skip
        kind = MessageKind.WAITLISTED if waits else MessageKind.REGISTERED
        outbox.enqueue(self.session, self.event, registration_id, kind, email=self.entry.email, now=self.now)
        return registration_id

    def _registration(self, state: RegistrationState, split_from: int | None) -> int:
        entry, seed = self.entry, tickets.new_seed()
        registration_id: int = self.session.execute(
            _add_registration,
            {
                "event_id": self.event.id, "ticket_seed": seed,
                "ticket_digest": tickets.digest(tickets.token(self.secret_key, seed)),
                "state": state, "source": entry.source, "locale": entry.locale, "email": entry.email,
                "phone_number": entry.phone.number, "phone_typed": entry.phone.typed, "phone_tail": entry.phone.tail,
                "split_from_id": split_from, "created_at": self.now,
            },
        ).scalar_one()  # fmt: skip
        return registration_id

    def _attendees(self, registration_id: int, party: tuple[Name, ...], *, coded: bool) -> None:
        event, phone = self.event, self.entry.phone
        for place, name in enumerate(party, start=1):
            code = codes.draw(self.session, event.id, event.waitlist_size, phone.tail) if coded else None
            self.session.execute(
                _add_attendee,
                {
                    "event_id": event.id, "registration_id": registration_id, "place": place, **party_rules.columns(name),
                    "phone_number": phone.number, "phone_tail": phone.tail, "code": code,
                },
            )  # fmt: skip

    def _form_key(self, registration_id: int) -> None:
        self.session.execute(
            _add_key,
            {
                "key": self.entry.form_key, "event_id": self.event.id, "fingerprint": self.entry.fingerprint,
                "registration_id": registration_id, "created_at": self.now,
            },
        )  # fmt: skip


def get(session: Session, registration_id: int) -> Registration:
    """The registration of that id, or ``RegistrationUnknown``."""
    registration = session.get(Registration, registration_id)
    if registration is None:
        raise RegistrationUnknown
    return registration


def of_event(session: Session, event: Event, registration_id: int) -> Registration:
    """The registration of that id if it belongs to this event; an id from another event is unknown here."""
    registration = get(session, registration_id)
    if registration.event_id != event.id:
        raise RegistrationUnknown
    return registration


_by_digest = select(Registration, Event).join(Event).where(Registration.ticket_digest == bindparam("digest"))


def by_token(session: Session, token: str) -> tuple[Registration, Event]:
    """The registration whose ticket token this is, with its event; ``RegistrationUnknown`` for every other text."""
    row = session.execute(_by_digest, {"digest": tickets.digest(token)}).first()
    if row is None:
        raise RegistrationUnknown
    return row


def party(session: Session, registration: Registration) -> Sequence[Attendee]:
    """The people of a registration, whoever registered first; those who cancelled alone are not among them."""
    people = session.scalars(
        select(Attendee).where(Attendee.registration_id == registration.id).order_by(Attendee.place)
    ).all()
    cancelled = registration.state == RegistrationState.CANCELLED
    return [person for person in people if cancelled or person.cancelled_at is None]


_beside = (
    select(Registration)
    .where(
        Registration.event_id == bindparam("event"),
        Registration.phone_number == bindparam("phone"),
        Registration.split_from_id == bindparam("registration"),
        Registration.state == RegistrationState.WAITLISTED,
    )
    .order_by(Registration.id)
)  # fmt: skip


def waiting_beside(session: Session, registration: Registration) -> Sequence[Registration]:
    """The waiting part of a party of which only this one got a seat."""
    where = {
        "event": registration.event_id, "phone": registration.phone_number, "registration": registration.id,
    }  # fmt: skip
    return session.scalars(_beside, where).all()


_by_what_people_know = (
    select(Registration)
    .join(Attendee, Attendee.registration_id == Registration.id)
    .where(
        Attendee.code == bindparam("code"),
        Attendee.phone_number == bindparam("phone"),
        Attendee.name_folded == bindparam("name"),
        Attendee.cancelled_at.is_(None),
    )
    .order_by(Registration.id.desc())
    .limit(1)
)


def find(session: Session, name: Name, phone: Phone, code: str) -> Registration:
    """The registration of somebody who lost the ticket; name, number and check-in code must all be right, and nothing says
    which of them was not: ``RegistrationUnknown``."""
    found = session.scalar(_by_what_people_know, {"name": name.folded, "phone": phone.number, "code": code})
    if found is None:
        raise RegistrationUnknown
    return found
