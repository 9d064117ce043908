"""Register many parties in one transaction, with the rules of ``register`` but few statements.

Only for the usual case of a list: there is a seat for everybody, nobody waits, and no seats are
kept. In any other case each party is registered by itself.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, select
from sqlalchemy.orm import Session

from eventreg.core import audit, outbox
from eventreg.core.audit import Action, Actor
from eventreg.core.errors import FormKeyReused, Refusal, SeatsRaced
from eventreg.core.models.event import Event
from eventreg.core.models.outbox import MessageKind
from eventreg.core.models.people import LIVE
from eventreg.core.models.registration import Attendee, FormKey, Registration, RegistrationState
from eventreg.core.registration import check_in_codes, party_rules, register, seats, tickets
from eventreg.core.registration.entries import Entry, EntryWriter
from eventreg.core.registration.seats import SeatCount

_AT_ONCE = 500
_ON_THIS_LIST = 0
"""Stands for a registration that is yet to be made."""
_keys = select(FormKey.key, FormKey.event_id, FormKey.fingerprint).where(
    FormKey.key.in_(bindparam("some", expanding=True))
)
_under_numbers = select(
    Attendee.phone_number, Attendee.name_folded, Attendee.registration_id
).where(
    Attendee.event_id == bindparam("event"),
    Attendee.phone_number.in_(bindparam("some", expanding=True)),
    LIVE,
)
_add_registrations = insert(Registration).returning(Registration.ticket_seed, Registration.id)


@dataclass(frozen=True)
class Outcome:
    """Why which entries are refused, by their place in the list; and how many an earlier list has
    registered already. If one is refused, nothing was written."""

    refused: Sequence[tuple[int, Refusal]]
    again: int


def is_usual(counted: SeatCount, entries: Sequence[Entry]) -> bool:
    """Whether the list can be registered so: a seat for everybody, nobody waits, none are kept."""
    people = sum(len(entry.names) for entry in entries)
    return not counted.waiting and not counted.kept and people <= counted.left


def seat_all(
    session: Session,
    event: Event,
    entries: Sequence[Entry],
    counted: SeatCount,
    *,
    secret_key: str,
    by: Actor,
    now: datetime,
) -> Outcome:
    """Register all of a usual list, or refuse it, as ``register.register`` does one after another.
    The caller has locked the counter and read it as ``counted``. Raises ``SeatsRaced`` if the event
    was changed."""
    if not counted.is_of(event):
        raise SeatsRaced
    party_rules.queue_for_numbers(session, event, (entry.phone for entry in entries))
    known, connection = _Known.read(session, event, entries), session.connection()
    refused, new = [], []
    for place, entry in enumerate(entries):
        try:
            if not known.has_made(event, entry):
                register.check_phase(event, entry, now)
                known.add(event, entry)
                new.append(EntryWriter(session, connection, event, entry, secret_key, by, now))
        except Refusal as refusal:
            refused.append((place, refusal))
    if new and not refused:
        _write(session, counted, new)
    return Outcome(refused, len(entries) - len(new) - len(refused))


@dataclass(frozen=True)
class _Known:
    """What the rules need to know of the database, and of the entries before."""

    keys: dict[str, tuple[int, str]]
    people: dict[str, dict[str, int]]
    """By number: the registration of each person who has not cancelled, by folded name."""

    @classmethod
    def read(cls, session: Session, event: Event, entries: Sequence[Entry]) -> "_Known":
        """Read it."""
        sent = [entry.form_key for entry in entries]
        keys = {key: (event_id, content) for key, event_id, content in _each(session, _keys, sent)}
        people: dict[str, dict[str, int]] = defaultdict(dict)
        numbers = list({entry.phone.number for entry in entries})
        of_event = _each(session, _under_numbers, numbers, event=event.id)
        for number, name, registration_id in of_event:
            people[number][name] = registration_id
        return cls(keys, people)

    def has_made(self, event: Event, entry: Entry) -> bool:
        """Whether this entry was registered before. Refuses with ``FormKeyReused`` if its key was
        used with other content or for another event."""
        made = self.keys.get(entry.form_key)
        if made is not None and made != (event.id, entry.fingerprint):
            raise FormKeyReused
        return made is not None

    def add(self, event: Event, entry: Entry) -> None:
        """Apply the rules for a party and for its number, and count its people from now on."""
        names, under_number = entry.names, self.people[entry.phone.number]
        party_rules.check_size(event, names)
        same = [under_number[name.folded] for name in names if name.folded in under_number]
        party_rules.judge_number(
            event,
            names,
            entry.phone,
            min(same, default=None),
            len(under_number),
            beyond=entry.beyond_limit,
        )
        self.keys[entry.form_key] = event.id, entry.fingerprint
        under_number |= dict.fromkeys((name.folded for name in names), _ON_THIS_LIST)


def _each(
    session: Session, statement: Select[*tuple[Any, ...]], some: Sequence[str], **values: Any
) -> Iterator[Sequence[Any]]:
    """The rows of a statement for all of these, a part at a time."""
    for start in range(0, len(some), _AT_ONCE):
        part = {**values, "some": some[start : start + _AT_ONCE]}
        yield from session.connection().execute(statement, part)


def _write(session: Session, counted: SeatCount, writers: Sequence[EntryWriter]) -> None:
    """Write everybody, and last take the seats."""
    connection = session.connection()
    event, by, now = writers[0].event, writers[0].by, writers[0].now
    made = {tickets.new_seed(): writer for writer in writers}
    rows = [one.registration_row(seed, RegistrationState.CONFIRMED) for seed, one in made.items()]
    ids = dict(connection.execute(_add_registrations, rows).all())
    parties = {ids[seed]: writer for seed, writer in made.items()}
    people = _people(connection, event, parties, counted)
    connection.execute(insert(Attendee), people)
    connection.execute(insert(FormKey), [one.form_key_row(key) for key, one in parties.items()])
    audit.record_each(
        connection,
        Action.SEATS_TAKEN,
        by,
        now=now,
        event_id=event.id,
        registrations={key: one.details(one.entry.names) for key, one in parties.items()},
    )
    mails = [key for key, one in parties.items() if one.entry.email]
    outbox.enqueue_first(connection, event, mails, MessageKind.REGISTERED, now=now)
    seats.move(session, event.id, counted, taken=len(people))


def _people(
    connection: Connection, event: Event, parties: Mapping[int, EntryWriter], counted: SeatCount
) -> list[dict[str, Any]]:
    """The rows of the people of these registrations, each with a check-in code."""
    writers = parties.values()
    tails = [writer.entry.phone.tail for writer in writers for _ in writer.entry.names]
    codes = iter(check_in_codes.draw_many(connection, event, counted.capacity, tails))
    return [
        writer.attendee_row(registration_id, place, name, next(codes))
        for registration_id, writer in parties.items()
        for place, name in enumerate(writer.entry.names, start=1)
    ]
