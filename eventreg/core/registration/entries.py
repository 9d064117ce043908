"""Entries: a filled-in form or a row of an import, and the rows it becomes in the database."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert
from sqlalchemy.orm import Session

from eventreg.core import audit, outbox
from eventreg.core.audit import Action, Actor
from eventreg.core.driver import Driver
from eventreg.core.models.event import Event
from eventreg.core.models.outbox import MessageKind
from eventreg.core.models.registration import (
    Attendee,
    FormKey,
    Registration,
    RegistrationState,
    Source,
)
from eventreg.core.registration import check_in_codes, party_rules, tickets
from eventreg.core.registration.seats import SeatCount
from eventreg.core.registration.waitlist import OverReason
from eventreg.core.values import tokens
from eventreg.core.values.names import Name
from eventreg.core.values.phones import Phone


@dataclass(frozen=True)
class Entry:
    """A filled-in form after parsing: the names of the party in the order given, and the number to
    reach them."""

    names: tuple[Name, ...]
    phone: Phone
    locale: str
    source: Source
    form_key: str
    waitlist: bool = False
    """Accept waiting places if there are not enough seats."""
    at_door: bool = False
    """Wait at the door if there are not enough seats, however many people wait already."""
    split: bool = False
    """Accept one seat now and waiting places for the others, if there are not seats for all."""
    email: str | None = None
    contact: str | None = None
    """Whose number it is, if it is not a guest's own."""
    wishes: str = ""
    """Stored form, as made by ``requests.join``."""
    name_unsure: bool = False
    beyond_limit: bool = False
    """The desk has seen the warning about ``max_per_phone`` and continues."""
    over: OverReason | None = None
    """The reason why an organiser registers this party although there are not enough seats."""
    burst: str | None = None
    """The number that online registrations from one address share for an hour; see ``bursts``."""

    @property
    def fingerprint(self) -> str:
        """A digest of names, number and source. It shows whether a form key comes back with other
        content. The other fields do not count, such as whether the form accepts waiting."""
        body = json.dumps([[name.typed for name in self.names], self.phone.number, self.source])
        return hashlib.sha256(body.encode()).hexdigest()


@dataclass(frozen=True)
class Made:
    """The registration that an entry became; of a split party, the one with the seat."""

    id: int
    ticket_seed: str
    state: str
    again: bool = False
    """Whether an earlier sending of this form made it."""


def phone_of(registration: Registration) -> Phone:
    """The number of a registration."""
    return Phone(registration.phone_number, registration.phone_typed)


def name_of(person: Attendee) -> Name:
    """The name of an attendee."""
    return Name(person.name, person.name_folded, person.sort_key, person.search_key, person.letter)


def filled_in_again(known: Registration, people: Sequence[Attendee]) -> Entry:
    """The form of a registration, filled in again for these of its people."""
    return Entry(
        names=tuple(map(name_of, people)),
        phone=phone_of(known),
        locale=known.locale,
        source=Source(known.source),
        form_key=tokens.opaque(),
        email=known.email,
        contact=known.contact,
        wishes=known.wishes,
        name_unsure=known.name_unsure,
        beyond_limit=known.over_limit,
    )


_add_registration = insert(Registration).returning(Registration.id)
_add_attendee = insert(Attendee)
_add_form_key = insert(FormKey)


@dataclass(frozen=True)
class EntryWriter:
    """Writes the rows of one entry: one registration, or two if the party is split.

    It checks no rule and does not change the seat counter; the caller does both.

    It uses constant statements on the connection itself, because a rush of registrations runs
    through here.
    """

    session: Session | None
    """``None`` if the entry has no e-mail address and its seats need no lock."""
    connection: Connection | Driver
    event: Event
    entry: Entry
    secret_key: str
    by: Actor
    now: datetime

    def write(
        self,
        names: tuple[Name, ...],
        action: Action,
        counted: SeatCount,
        *,
        from_held: int = 0,
        split_from: int | None = None,
        over: OverReason | None = None,
    ) -> Made:
        """Write the registration of these people, with its audit entry and, if there is an e-mail
        address, an owed mail. ``WAITLIST_JOINED`` makes a waiting registration, any other action a
        confirmed one. ``from_held`` and ``over`` are only recorded in the audit entry. The second
        part of a split party gets no form key."""
        waits = action is Action.WAITLIST_JOINED
        state = RegistrationState.WAITLISTED if waits else RegistrationState.CONFIRMED
        made = self._write_registration(state, split_from)
        self._write_attendees(made.id, names, None if waits else counted)
        if split_from is None:
            self._write_form_key(made.id)
        details: dict[str, Any] = {"from_held": from_held} if from_held else {}
        details |= {"over": over} if over else {}
        details |= {"beyond_limit": True} if self.entry.beyond_limit else {}
        audit.record(
            self.connection,
            action,
            self.by,
            now=self.now,
            event_id=self.event.id,
            registration_id=made.id,
            seats=len(names),
            source=self.entry.source,
            **details,
        )
        if self.session:
            kind = MessageKind.WAITLISTED if waits else MessageKind.REGISTERED
            outbox.enqueue(
                self.session, self.event, made.id, kind, email=self.entry.email, now=self.now
            )
        return made

    def _write_registration(self, state: RegistrationState, split_from: int | None) -> Made:
        entry, seed = self.entry, tickets.new_seed()
        row = {
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
        registration_id: int = self.connection.execute(_add_registration, row).scalar_one()
        return Made(registration_id, seed, state)

    def _write_attendees(
        self, registration_id: int, names: tuple[Name, ...], counted: SeatCount | None
    ) -> None:
        """Write the people; with check-in codes, unless ``counted`` is ``None`` because they
        wait."""
        event, phone, connection = self.event, self.entry.phone, self.connection
        for place, name in enumerate(names, start=1):
            code = None
            if counted is not None:
                code = check_in_codes.draw(connection, event, counted.capacity, phone.tail)
            row = {
                "event_id": event.id,
                "registration_id": registration_id,
                "place": place,
                **party_rules.columns(name),
                "phone_number": phone.number,
                "phone_tail": phone.tail,
                "code": code,
                "public_id": tokens.opaque(),
            }
            connection.execute(_add_attendee, row)

    def _write_form_key(self, registration_id: int) -> None:
        row = {
            "key": self.entry.form_key,
            "event_id": self.event.id,
            "fingerprint": self.entry.fingerprint,
            "registration_id": registration_id,
            "created_at": self.now,
            "burst": self.entry.burst,
        }
        self.connection.execute(_add_form_key, row)
