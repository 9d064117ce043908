"""Register a party: check the form, then take the seats or join the waiting list.

A rush of registrations runs through here. So one statement reads everything that the rules need,
and the counter, for which all others wait, is changed last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, Select, bindparam, func, or_, select
from sqlalchemy.orm import Session

from eventreg.core.audit import Action, Actor
from eventreg.core.driver import Driver, look
from eventreg.core.errors import (
    EventFull,
    FormKeyReused,
    RegistrationClosed,
    SeatsRaced,
)
from eventreg.core.event import events
from eventreg.core.models.event import Event, EventSeats
from eventreg.core.models.people import LIVE
from eventreg.core.models.registration import Attendee, FormKey, Registration, Source
from eventreg.core.registration import party_rules, seats, waitlist
from eventreg.core.registration.entries import Entry, EntryWriter, Made
from eventreg.core.registration.seats import SeatCount
from eventreg.core.registration.waitlist import OverReason
from eventreg.core.values.names import Name

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


@cache
def _known(people: int) -> Select[*tuple[Any, ...]]:
    """What the database knows about a party of so many people: the registration that has this form
    key, the registration of one of the people, how many people share the number, and the counter.
    """
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


def made_by(engine: Engine, session: Session | None, event: Event, entry: Entry) -> Made | None:
    """The registration that this form has already made, or ``None``. Read without a transaction.

    Refuses with ``FormKeyReused`` if the key was used with other content or for another event.
    """
    rows = look(engine, session, _made, key=entry.form_key)
    if not rows:
        return None
    event_id, fingerprint, registration_id, seed, state = rows[0]
    if event_id != event.id or fingerprint != entry.fingerprint:
        raise FormKeyReused
    return Made(registration_id, seed, state, again=True)


def _check_phase(event: Event, entry: Entry, now: datetime) -> None:
    """Refuse guests unless registration is open, and staff once the event is over or cancelled.

    Walk-ins who do not ask for waiting places may also be entered after the event, from the paper
    list, until the retention period ends.
    """
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
    """Register the whole party or refuse it, unless ``entry`` accepts waiting places or one seat,
    or goes over the capacity. Sending the same form again gives the same registration. Parties that
    wait already and fit get their seats first.

    Refuses with ``FormKeyReused``, ``RegistrationClosed``, ``FieldRefused`` (party),
    ``AlreadyRegistered``, ``PhoneAtLimit``, ``EventFull`` and ``WaitlistFull``. Raises
    ``SeatsRaced`` if another transaction was faster or has changed the event; then the caller rolls
    back and tries again.
    """
    connection = session.connection()
    key, *known = _read(connection, event, entry)
    made = made_by(connection.engine, session, event, entry) if key is not None else None
    if made is not None:
        return made
    counted = _judge(event, entry, known, now)
    placing = _Placing(EntryWriter(session, connection, event, entry, secret_key, by, now))
    if _needs_no_lock(counted, entry):
        return placing.seat_without_lock(counted)
    return placing.place_with_lock()


class NotAtOnce(Exception):
    """The registration is not the usual case: only ``register`` can decide it."""


def seat_at_once(
    driver: Driver, event: Event, entry: Entry, *, secret_key: str, by: Actor, now: datetime
) -> Made:
    """``register`` for the usual case, which is a guest who gets free seats, with the driver's own
    connection. Refuses as ``register`` does; raises ``NotAtOnce`` for any other case, and
    ``SeatsRaced``."""
    key, *known = _read(driver, event, entry)
    if key is not None or entry.email:
        raise NotAtOnce
    counted = _judge(event, entry, known, now)
    if not _needs_no_lock(counted, entry):
        raise NotAtOnce
    writer = EntryWriter(None, driver, event, entry, secret_key, by, now)
    return _Placing(writer).seat_without_lock(counted)


def _read(connection: Connection | Driver, event: Event, entry: Entry) -> Sequence[Any]:
    """The row of ``_known``. Other registrations under the same number wait until this one ends."""
    party_rules.queue_for_number(connection, event, entry.phone)
    parameters: dict[str, object] = {
        f"name_{place}": name.folded for place, name in enumerate(entry.names)
    }
    parameters |= {"event": event.id, "phone": entry.phone.number, "key": entry.form_key}
    row: Sequence[Any] = connection.execute(_known(len(entry.names)), parameters).one()
    return row


def _judge(event: Event, entry: Entry, known: Sequence[Any], now: datetime) -> SeatCount:
    """Apply all rules but those about seats. Returns the counter."""
    same, under_number, *counter = known
    counted = SeatCount.read(counter, now)
    if not counted.is_of(event):
        raise SeatsRaced
    _check_phase(event, entry, now)
    party_rules.check_size(event, entry.names)
    party_rules.judge_number(
        event, entry.names, entry.phone, same, under_number, beyond=entry.beyond_limit
    )
    return counted


def _needs_no_lock(counted: SeatCount, entry: Entry) -> bool:
    """Whether there are seats for all, and nobody waits or uses held seats."""
    enough = not counted.waiting and counted.left >= len(entry.names)
    return enough and not counted.from_held(1, entry.source)


@dataclass(frozen=True)
class _Placing:
    """Decides what one entry gets: seats, waiting places, or one seat and waiting places."""

    writer: EntryWriter

    @property
    def _session(self) -> Session:
        if self.writer.session is None:
            raise NotAtOnce
        return self.writer.session

    def seat_without_lock(self, counted: SeatCount) -> Made:
        """Seat everybody, while there are plenty of seats; ``SeatsRaced`` if they are gone. The
        counter comes last: on a database with row locks, other transactions wait for this row only
        until the commit."""
        writer, names = self.writer, self.writer.entry.names
        made = writer.write(names, Action.SEATS_TAKEN, counted)
        seats.take(writer.connection, writer.event.id, len(names), seen=counted)
        return made

    def place_with_lock(self) -> Made:
        """Seat the party, split it, let it wait or refuse it, with the counter locked. Parties that
        wait already and fit come first."""
        writer, event, entry = self.writer, self.writer.event, self.writer.entry
        counted = seats.lock(self._session, event.id, now=writer.now)
        if not counted.is_of(event):
            raise SeatsRaced
        counted = waitlist.promote(self._session, event, counted, now=writer.now)
        names, left = entry.names, counted.left_for(entry.source)
        if len(names) <= left:
            made, _ = self._seat(names, counted)
        elif entry.over:
            made, _ = self._seat(names, counted, over=entry.over)
        elif entry.split and left:
            # Only one seat, even if more are left: the party agreed to no other split.
            waitlist.check_room(event, counted, len(names) - 1)
            made, counted = self._seat(names[:1], counted)
            self._wait(names[1:], counted, split_from=made.id)
        elif entry.waitlist or entry.at_door:
            if not entry.at_door:
                waitlist.check_room(event, counted, len(names))
            made = self._wait(names, counted)
        else:
            raise EventFull(left)
        return made

    def _seat(
        self, names: tuple[Name, ...], counted: SeatCount, over: OverReason | None = None
    ) -> tuple[Made, SeatCount]:
        """Write these people as confirmed and take their seats. Returns the counter after it."""
        writer, count = self.writer, len(names)
        from_held = counted.from_held(count, writer.entry.source)
        made = writer.write(names, Action.SEATS_TAKEN, counted, from_held=from_held, over=over)
        after = seats.move(
            self._session,
            writer.event.id,
            counted,
            taken=count,
            from_held=from_held,
            beyond=bool(over),
        )
        return made, after

    def _wait(
        self, names: tuple[Name, ...], counted: SeatCount, split_from: int | None = None
    ) -> Made:
        """Write these people as waiting and take their waiting places."""
        writer = self.writer
        made = writer.write(names, Action.WAITLIST_JOINED, counted, split_from=split_from)
        seats.move(self._session, writer.event.id, counted, waiting=len(names))
        return made
