"""Correcting what was written down: names and number of a registration."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import REGISTRANT, Action, Actor
from eventreg.core.errors import (
    AlreadyCancelled,
    ChangedMeanwhile,
    CheckedInAlready,
    FieldRefused,
    TooLateToChange,
)
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Attendee, Registration, RegistrationState
from eventreg.core.registration import arrivals, lookup, party_rules
from eventreg.core.values.names import Name, parse
from eventreg.core.values.phones import Phone


@dataclass(frozen=True)
class Notes:
    """What the desk writes down beside names and number; ``Registration`` says what each is."""

    contact: str | None = None
    wishes: str = ""
    name_unsure: bool = False
    email: str | None = None
    beyond_limit: bool = False


@dataclass(frozen=True)
class Correction:
    """What a registration is to say from now on; without ``notes`` they stay as they are."""

    names: tuple[Name, ...]
    phone: Phone
    notes: Notes | None = None


def edit(
    session: Session,
    event: Event,
    registration: Registration,
    corrected: Correction,
    *,
    version: int,
    by: Actor,
    now: datetime,
) -> None:
    """Correct names and number, and what the desk noted; ``version`` is the one that was on the
    page. Those of the party who wait in a registration of their own keep the same number as this
    one.

    Refuses with ``AlreadyCancelled``, ``ChangedMeanwhile``, ``FieldRefused``, ``AlreadyRegistered``
    and ``PhoneAtLimit``; for a registrant also with ``TooLateToChange`` and ``CheckedInAlready``.
    """
    names, phone, notes = corrected.names, corrected.phone, corrected.notes
    _check_version(session, registration, version)
    people = lookup.party(session, registration)
    if by == REGISTRANT:
        _check_not_begun(session, event, people, now)
    if len(people) != len(names):
        raise FieldRefused(f"companion-{len(names)}", "name_missing")
    party_rules.check_size(event, names)
    party_rules.queue_for_number(session, event, phone)
    beyond = registration.over_limit or bool(notes and notes.beyond_limit)
    party_rules.check_number(session, event, names, phone, besides=registration.id, beyond=beyond)
    names = names if notes else _with_known_readings(people, names)
    fields = [
        *_differing(registration, people, names, phone),
        *_differing_notes(registration, notes),
    ]
    if not fields:
        return
    _rewrite(session, registration, people, names, phone)
    _note(registration, notes)
    if "phone" in fields:
        _renumber_beside(session, event, registration, phone, by=by, now=now)
    audit.record(
        session,
        Action.REGISTRATION_EDITED,
        by,
        now=now,
        event_id=event.id,
        registration_id=registration.id,
        fields=fields,
    )


def _differing(
    registration: Registration, people: Sequence[Attendee], names: tuple[Name, ...], phone: Phone
) -> list[str]:
    """What is to be corrected, by field."""
    pairs = list(zip(people, names, strict=True))
    fields = [f"name-{p.place}" for p, name in pairs if p.name != name.typed]
    fields += [
        f"reading-{p.place}"
        for p, name in pairs
        if p.name == name.typed and p.sort_key != name.sort_key
    ]
    return [*fields, "phone"] if registration.phone_typed != phone.typed else fields


def _check_version(session: Session, registration: Registration, version: int) -> None:
    session.refresh(
        registration, with_for_update=True
    )  # or two who correct at once would both find their version
    if registration.state == RegistrationState.CANCELLED:
        raise AlreadyCancelled
    if registration.version != version:
        raise ChangedMeanwhile


def _with_known_readings(people: Sequence[Attendee], names: tuple[Name, ...]) -> tuple[Name, ...]:
    """A name that stays as it was keeps the reading that the desk gave it."""
    return tuple(
        replace(name, sort_key=person.sort_key, search_key=person.search_key, letter=person.letter)
        if person.name == name.typed
        else name
        for person, name in zip(people, names, strict=True)
    )


def _differing_notes(registration: Registration, notes: Notes | None) -> list[str]:
    if notes is None:
        return []
    kept = ("contact", "wishes", "name_unsure", "email")
    return [
        field.replace("_", "-")
        for field in kept
        if getattr(registration, field) != getattr(notes, field)
    ]


def _note(registration: Registration, notes: Notes | None) -> None:
    if notes is None:
        return
    registration.contact, registration.wishes = notes.contact, notes.wishes
    registration.name_unsure, registration.email = notes.name_unsure, notes.email
    registration.over_limit = registration.over_limit or notes.beyond_limit


def _check_not_begun(
    session: Session, event: Event, people: Sequence[Attendee], now: datetime
) -> None:
    """What stands on the list at the door stays as it is."""
    if now >= event.starts_at:
        raise TooLateToChange
    if arrivals.anybody_arrived(session, [person.id for person in people]):
        raise CheckedInAlready


def _renumber_beside(
    session: Session,
    event: Event,
    registration: Registration,
    phone: Phone,
    *,
    by: Actor,
    now: datetime,
) -> None:
    for other in lookup.waiting_beside(session, registration):
        same = tuple(parse(person.name) for person in lookup.party(session, other))
        edit(session, event, other, Correction(same, phone), version=other.version, by=by, now=now)


def _rewrite(
    session: Session,
    registration: Registration,
    people: Sequence[Attendee],
    names: tuple[Name, ...],
    phone: Phone,
) -> None:
    """Give the registration its number and each person their corrected name. Through a number
    nobody has, so that two people may swap names."""
    registration.phone_number, registration.phone_typed, registration.phone_tail = (
        phone.number,
        phone.typed,
        phone.tail,
    )
    registration.version += 1
    for person in people:
        person.phone_number = f"-{person.id}"
    session.flush()
    for person, name in zip(people, names, strict=True):
        for column, value in party_rules.columns(name).items():
            setattr(person, column, value)
        person.phone_number, person.phone_tail = phone.number, phone.tail
    session.flush()
