"""Correcting what was written down: names and number of a registration."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from eventreg.core import audit, party, registrations
from eventreg.core.audit import Action, Actor
from eventreg.core.errors import AlreadyCancelled, ChangedMeanwhile, FieldRefused
from eventreg.core.models import Attendee, Event, Registration, RegistrationState
from eventreg.core.names import Name
from eventreg.core.phones import Phone


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
    session.refresh(registration, with_for_update=True)  # or two who correct at once would both find their version
    if registration.state == RegistrationState.CANCELLED:
        raise AlreadyCancelled
    if registration.version != version:
        raise ChangedMeanwhile
    people = registrations.party(session, registration)
    if len(people) != len(names):
        raise FieldRefused(f"companion-{len(names)}", "name_missing")
    party.check_size(event, names)
    party.queue_for_number(session, event, phone)
    party.check_number(session, event, names, phone, besides=registration.id)
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
        for column, value in party.columns(name).items():
            setattr(person, column, value)
        person.phone_number, person.phone_tail = phone.number, phone.tail
    session.flush()
