"""Registrations: one act of signing up, for one party. Register, correct, cancel, find."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from eventreg.core import audit, codes, events, seats, tickets
from eventreg.core.audit import Action, Actor
from eventreg.core.errors import (
    AlreadyCancelled,
    AlreadyRegistered,
    ChangedMeanwhile,
    FieldRefused,
    FormKeyReused,
    PhoneAtLimit,
    RegistrationClosed,
    RegistrationUnknown,
)
from eventreg.core.models import Attendee, Event, FormKey, Registration, RegistrationState, Source
from eventreg.core.names import Name
from eventreg.core.phones import Phone


@dataclass(frozen=True)
class Entry:
    """What was filled in, already understood: everybody's names in the order given, and the number to reach them."""

    names: tuple[Name, ...]
    phone: Phone
    locale: str
    source: Source
    form_key: str

    @property
    def fingerprint(self) -> str:
        """Equal for two sendings of one form."""
        body = json.dumps([[name.typed for name in self.names], self.phone.number, self.source])
        return hashlib.sha256(body.encode()).hexdigest()


_by_key = select(FormKey.fingerprint, FormKey.registration_id).where(
    FormKey.key == bindparam("key"), FormKey.event_id == bindparam("event")
)
_same_person = select(Attendee.registration_id).where(
    Attendee.event_id == bindparam("event"),
    Attendee.phone_number == bindparam("phone"),
    Attendee.name_folded.in_(bindparam("names", expanding=True)),
    Attendee.registration_id != bindparam("besides"),
    Attendee.cancelled_at.is_(None),
)
_under_number = (
    select(func.count())
    .select_from(Attendee)
    .where(
        Attendee.event_id == bindparam("event"),
        Attendee.phone_number == bindparam("phone"),
        Attendee.registration_id != bindparam("besides"),
        Attendee.cancelled_at.is_(None),
    )
)
_add_registration = insert(Registration).returning(Registration.id)
_add_attendee = insert(Attendee).returning(Attendee.id)
_add_key = insert(FormKey)
_cancel = (
    update(Registration)
    .where(Registration.id == bindparam("registration"), Registration.state != RegistrationState.CANCELLED)
    .values(
        state=RegistrationState.CANCELLED, cancelled_at=bindparam("at", type_=Registration.created_at.type),
        version=Registration.version + 1,
    )
    .returning(Registration.id)
    .execution_options(synchronize_session="fetch")
)  # fmt: skip
_NO_REGISTRATION = 0


def _check_phase(event: Event, source: Source, now: datetime) -> None:
    """Guests may register while registration is open; staff until the event is over or cancelled."""
    phase = events.phase(event, now)
    barred = {events.Phase.OVER, events.Phase.CANCELLED}
    if phase in barred or (source is Source.ONLINE and phase is not events.Phase.OPEN):
        raise RegistrationClosed(phase)


def check_party(event: Event, party: Sequence[Name]) -> None:
    """A party is one to ``max_party`` different people."""
    if len(party) > event.max_party:
        raise FieldRefused("companion-1", "party_large", most=event.max_party)
    for place, name in enumerate(party):
        if name.folded in {earlier.folded for earlier in party[:place]}:
            raise FieldRefused(f"companion-{place}", "same_name_twice")


def _check_number(
    session: Session, event: Event, party: Sequence[Name], phone: Phone, besides: int = _NO_REGISTRATION
) -> None:
    """One person is registered once, and one number holds at most ``max_per_phone`` people."""
    where = {"event": event.id, "phone": phone.number, "besides": besides}
    same = session.execute(_same_person, {**where, "names": [name.folded for name in party]}).scalar()
    if same is not None:
        raise AlreadyRegistered(same)
    if session.execute(_under_number, where).scalar_one() + len(party) > event.max_per_phone:
        raise PhoneAtLimit(event.max_per_phone)


def _person(name: Name) -> dict[str, str]:
    return {
        "name": name.typed, "name_folded": name.folded, "sort_key": name.sort_key, "search_key": name.search_key,
        "letter": name.letter,
    }  # fmt: skip


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
    """Register the party: all of it or nobody. The same form again gives the same registration.

    Refuses with ``FormKeyReused``, ``RegistrationClosed``, ``FieldRefused`` (party), ``AlreadyRegistered``,
    ``PhoneAtLimit`` and ``EventFull``.
    """
    made = made_by_form(session, event, entry)
    if made is not None:
        return made
    _check_phase(event, entry.source, now)
    check_party(event, entry.names)
    _check_number(session, event, entry.names, entry.phone)
    registration_id = _insert(session, event, entry, secret_key, now)
    party = len(entry.names)
    audit.record(
        session, Action.SEATS_TAKEN, by, now=now, event_id=event.id, registration_id=registration_id,
        seats=party, source=entry.source,
    )  # fmt: skip
    # The counter last: on a database with row locks, everybody waits for this row only until the commit (PERFORMANCE 7.1).
    seats.take(session, event.id, party)
    return get(session, registration_id)


def _insert(session: Session, event: Event, entry: Entry, secret_key: str, now: datetime) -> int:
    seed = tickets.new_seed()
    registration_id: int = session.execute(
        _add_registration,
        {
            "event_id": event.id, "ticket_seed": seed,
            "ticket_digest": tickets.digest(tickets.token(secret_key, seed)),
            "state": RegistrationState.CONFIRMED, "source": entry.source, "locale": entry.locale,
            "phone_number": entry.phone.number, "phone_typed": entry.phone.typed, "phone_tail": entry.phone.tail,
            "created_at": now,
        },
    ).scalar_one()  # fmt: skip
    for place, name in enumerate(entry.names, start=1):
        code = codes.draw(session, event.id, event.waitlist_size, entry.phone.tail)
        session.execute(
            _add_attendee,
            {
                "event_id": event.id, "registration_id": registration_id, "place": place, **_person(name),
                "phone_number": entry.phone.number, "phone_tail": entry.phone.tail, "code": code,
            },
        )  # fmt: skip
    session.execute(
        _add_key,
        {
            "key": entry.form_key, "event_id": event.id, "fingerprint": entry.fingerprint,
            "registration_id": registration_id, "created_at": now,
        },
    )  # fmt: skip
    return registration_id


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


def edit(
    session: Session,
    event: Event,
    registration: Registration,
    corrected: tuple[tuple[Name, ...], Phone],
    *,
    version: int,
    by: Actor,
    now: datetime,
) -> None:
    """Correct names and number; ``version`` is the one that was on the page.

    Refuses with ``AlreadyCancelled``, ``ChangedMeanwhile``, ``FieldRefused``, ``AlreadyRegistered`` and ``PhoneAtLimit``.
    """
    names, phone = corrected
    if registration.state == RegistrationState.CANCELLED:
        raise AlreadyCancelled
    if registration.version != version:
        raise ChangedMeanwhile
    people = party(session, registration)
    if len(people) != len(names):
        raise FieldRefused(f"companion-{len(names)}", "name_missing")
    check_party(event, names)
    _check_number(session, event, names, phone, besides=registration.id)
    changed = [f"name-{p.place}" for p, name in zip(people, names, strict=True) if p.name != name.typed]
    changed += ["phone"] if registration.phone_typed != phone.typed else []
    if not changed:
        return
    registration.phone_number, registration.phone_typed, registration.phone_tail = phone.number, phone.typed, phone.tail
    registration.version += 1
    _rewrite(session, people, names, phone)
    audit.record(
        session, Action.REGISTRATION_EDITED, by, now=now, event_id=event.id, registration_id=registration.id,
        fields=changed,
    )  # fmt: skip


def _rewrite(session: Session, people: Sequence[Attendee], names: tuple[Name, ...], phone: Phone) -> None:
    """Give each person their corrected name. Through a number nobody has, so that two people may swap names."""
    for person in people:
        person.phone_number = f"-{person.id}"
    session.flush()
    for person, name in zip(people, names, strict=True):
        for column, value in _person(name).items():
            setattr(person, column, value)
        person.phone_number, person.phone_tail = phone.number, phone.tail
    session.flush()


def cancel(session: Session, registration: Registration, *, by: Actor, now: datetime) -> None:
    """Give all seats of the party back, at once; ``AlreadyCancelled`` for the second of two who do it together."""
    if session.execute(_cancel, {"registration": registration.id, "at": now}).first() is None:
        raise AlreadyCancelled
    freed = session.execute(
        update(Attendee)
        .where(Attendee.registration_id == registration.id, Attendee.cancelled_at.is_(None))
        .values(cancelled_at=now)
        .returning(Attendee.id)
        .execution_options(synchronize_session="fetch")
    ).all()
    seats.release(session, registration.event_id, len(freed))
    audit.record(
        session, Action.SEATS_RELEASED, by, now=now, event_id=registration.event_id, registration_id=registration.id,
        seats=len(freed),
    )  # fmt: skip
