"""Find a registration by id, by ticket, or by name, number and code; and list its people."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, bindparam, exists, or_, select
from sqlalchemy.orm import Session, aliased

from eventreg.core.audit import Action
from eventreg.core.driver import look
from eventreg.core.errors import RegistrationUnknown
from eventreg.core.models.audit import AuditEntry
from eventreg.core.models.event import Event
from eventreg.core.models.people import LIVE
from eventreg.core.models.registration import Attendee, Registration, RegistrationState
from eventreg.core.registration import tickets
from eventreg.core.values.names import Name
from eventreg.core.values.phones import Phone


def get(session: Session, registration_id: int) -> Registration:
    """The registration of that id; refuses with ``RegistrationUnknown``."""
    registration = session.get(Registration, registration_id)
    if registration is None:
        raise RegistrationUnknown
    return registration


def of_event(session: Session, event: Event, registration_id: int) -> Registration:
    """The registration of that id, if it belongs to this event; otherwise refuses with
    ``RegistrationUnknown``."""
    registration = get(session, registration_id)
    if registration.event_id != event.id:
        raise RegistrationUnknown
    return registration


_by_digest = (
    select(Registration, Event).join(Event).where(Registration.ticket_digest == bindparam("digest"))
)


def by_token(session: Session, token: str) -> tuple[Registration, Event]:
    """The registration that has this ticket token, and its event; refuses with
    ``RegistrationUnknown``."""
    row = session.execute(_by_digest, {"digest": tickets.digest(token)}).first()
    if row is None:
        raise RegistrationUnknown
    return row


@dataclass(frozen=True)
class PlainTicket:
    """The ticket of a party that has its seats, and to which nothing has happened since that its
    page tells: no change, no cancellation, no part that waits."""

    registration_id: int
    event: tuple[int, int, str]
    """Id, version and stamp of the event."""
    seed: str
    locale: str
    phone_number: str
    people: tuple[tuple[str, str], ...]
    """Name and check-in code of each."""


_TOLD = (
    Action.SEATS_RELEASED,
    Action.WAITLIST_LEFT,
    Action.REGISTRATION_EDITED,
    Action.CANCELLATION_UNDONE,
    Action.PUT_FIRST,
    Action.SEAT_RESTORED,
)
"""What a ticket's page tells of."""
_other = aliased(Registration)
_plain = (
    select(
        Registration.id,
        Registration.event_id,
        Event.version,
        Event.stamp,
        Registration.ticket_seed,
        Registration.locale,
        Registration.phone_number,
        Attendee.name,
        Attendee.code,
        or_(
            Registration.state != RegistrationState.CONFIRMED,
            Registration.erased_at.is_not(None),
            Attendee.cancelled_at.is_not(None),
            exists().where(
                AuditEntry.registration_id == Registration.id, AuditEntry.action.in_(_TOLD)
            ),
            exists().where(
                _other.split_from_id == Registration.id,
                _other.state == RegistrationState.WAITLISTED,
            ),
        ),
    )
    .join(Event, Event.id == Registration.event_id)
    .join(Attendee, Attendee.registration_id == Registration.id)
    .where(Registration.ticket_digest == bindparam("digest"))
    .order_by(Attendee.place)
)


def plain_ticket(engine: Engine, token: str) -> PlainTicket | None:
    """The ticket of this token, read in one statement; ``None`` if it is unknown, or not plain."""
    rows = look(engine, None, _plain, digest=tickets.digest(token))
    if not rows or any(row[-1] for row in rows):
        return None
    registration_id, event_id, version, stamp, seed, locale, phone, *_ = rows[0]
    people = tuple((row[-3], row[-2]) for row in rows)
    return PlainTicket(registration_id, (event_id, version, stamp), seed, locale, phone, people)


_scanned = select(Registration.id).where(
    Registration.event_id == bindparam("event"),
    Registration.ticket_digest.startswith(bindparam("start")),
)
_START = re.compile(r"[0-9a-f]{24}")


def by_scan(session: Session, event: Event, start: str) -> int | None:
    """The id of the event's registration whose ticket digest begins with these 24 hex digits, as a
    door reads them from a ticket; ``None`` if there is none."""
    if not _START.fullmatch(start):
        return None
    return session.scalar(_scanned, {"event": event.id, "start": start})


def party(session: Session, registration: Registration) -> Sequence[Attendee]:
    """The people of a registration in the order in which they were entered. People who cancelled
    are left out, unless the whole registration is cancelled."""
    people = session.scalars(
        select(Attendee).where(Attendee.registration_id == registration.id).order_by(Attendee.place)
    ).all()
    all_cancelled = registration.state == RegistrationState.CANCELLED
    return [person for person in people if all_cancelled or person.is_live]


_beside = (
    select(Registration)
    .where(
        Registration.event_id == bindparam("event"),
        Registration.split_from_id == bindparam("registration"),
        Registration.state == RegistrationState.WAITLISTED,
    )
    .order_by(Registration.id)
)


def waiting_beside(session: Session, registration: Registration) -> Sequence[Registration]:
    """The waiting part of a split party, of which this registration got the only seat."""
    parameters = {"event": registration.event_id, "registration": registration.id}
    return session.scalars(_beside, parameters).all()


_again = (
    select(Registration)
    .where(
        Registration.event_id == bindparam("event"),
        Registration.split_from_id == bindparam("registration"),
        Registration.put_first_at.is_not(None),
        Registration.state != RegistrationState.CANCELLED,
    )
    .order_by(Registration.id)
)


def put_first_from(session: Session, registration: Registration) -> Sequence[Registration]:
    """The live registrations in which people who cancelled here were put first in line."""
    parameters = {"event": registration.event_id, "registration": registration.id}
    return session.scalars(_again, parameters).all()


_by_name_number_and_code = (
    select(Registration)
    .join(Attendee, Attendee.registration_id == Registration.id)
    .where(
        Attendee.code == bindparam("code"),
        Attendee.phone_number == bindparam("phone"),
        Attendee.name_folded == bindparam("name"),
        LIVE,
    )
    .order_by(Registration.id.desc())
    .limit(1)
)


def find(session: Session, name: Name, phone: Phone, code: str) -> Registration:
    """The registration of somebody who lost the ticket.

    Name, number and check-in code must all be those of one person who has not cancelled. Otherwise
    refuses with ``RegistrationUnknown``, which does not say which of them was wrong.
    """
    found = session.scalar(
        _by_name_number_and_code,
        {"name": name.folded, "phone": phone.number, "code": code},
    )
    if found is None:
        raise RegistrationUnknown
    return found
