"""Registrations: finding one, by id, ticket, or what people remember of it; and who belongs to
it."""

from collections.abc import Sequence

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from eventreg.core.errors import RegistrationUnknown
from eventreg.core.models.event import Event
from eventreg.core.models.people import LIVE
from eventreg.core.models.registration import Attendee, Registration, RegistrationState
from eventreg.core.registration import tickets
from eventreg.core.values.names import Name
from eventreg.core.values.phones import Phone


def get(session: Session, registration_id: int) -> Registration:
    """The registration of that id, or ``RegistrationUnknown``."""
    registration = session.get(Registration, registration_id)
    if registration is None:
        raise RegistrationUnknown
    return registration


def of_event(session: Session, event: Event, registration_id: int) -> Registration:
    """The registration of that id if it belongs to this event; an id from another event is unknown
    here."""
    registration = get(session, registration_id)
    if registration.event_id != event.id:
        raise RegistrationUnknown
    return registration


_by_digest = (
    select(Registration, Event).join(Event).where(Registration.ticket_digest == bindparam("digest"))
)


def by_token(session: Session, token: str) -> tuple[Registration, Event]:
    """The registration whose ticket token this is, with its event; ``RegistrationUnknown`` for
    every other text."""
    row = session.execute(_by_digest, {"digest": tickets.digest(token)}).first()
    if row is None:
        raise RegistrationUnknown
    return row


def party(session: Session, registration: Registration) -> Sequence[Attendee]:
    """The people of a registration, whoever registered first; those who cancelled alone are not
    among them."""
    people = session.scalars(
        select(Attendee).where(Attendee.registration_id == registration.id).order_by(Attendee.place)
    ).all()
    cancelled = registration.state == RegistrationState.CANCELLED
    return [person for person in people if cancelled or person.cancelled_at is None]


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
    """The waiting part of a party of which only this one got a seat."""
    where = {"event": registration.event_id, "registration": registration.id}
    return session.scalars(_beside, where).all()


_by_what_people_know = (
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
    """The registration of somebody who lost the ticket; name, number and check-in code must all be
    right, and nothing says which of them was not: ``RegistrationUnknown``."""
    found = session.scalar(
        _by_what_people_know, {"name": name.folded, "phone": phone.number, "code": code}
    )
    if found is None:
        raise RegistrationUnknown
    return found
