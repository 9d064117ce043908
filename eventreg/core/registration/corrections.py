"""Corrections: change the names, the phone number and the notes of a registration."""

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
    """The desk's notes on a registration. ``Registration`` documents each of them; ``beyond_limit``
    is its ``over_limit``, which stays once it is set."""

    contact: str | None = None
    wishes: str = ""
    name_unsure: bool = False
    email: str | None = None
    beyond_limit: bool = False


@dataclass(frozen=True)
class Correction:
    """The new content of a registration; if ``notes`` is ``None``, the notes stay as they are."""

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
    """Correct the names, the number and the desk's notes, if any differs. ``version`` is that of
    the page. The waiting part of a split party gets the same new number.

    Refuses with ``AlreadyCancelled``, ``ChangedMeanwhile``, ``FieldRefused``, ``AlreadyRegistered``
    and ``PhoneAtLimit``; for a registrant also with ``TooLateToChange`` and ``CheckedInAlready``.
    """
    phone, notes = corrected.phone, corrected.notes
    _check_version(session, registration, version)
    people = lookup.party(session, registration)
    if by == REGISTRANT:
        _check_not_begun(session, event, people, now)
    _check_party(session, event, registration, people, corrected)
    names = corrected.names if notes else _with_known_readings(people, corrected.names)
    fields = _differing(registration, people, names, phone)
    fields += _differing_notes(registration, notes)
    if not fields:
        return
    _rewrite(session, registration, people, names, phone)
    _note(registration, notes)
    if "phone" in fields:
        _renumber_waiting_part(session, event, registration, phone, by=by, now=now)
    audit.record(
        session,
        Action.REGISTRATION_EDITED,
        by,
        now=now,
        event_id=event.id,
        registration_id=registration.id,
        fields=fields,
    )


def _check_version(session: Session, registration: Registration, version: int) -> None:
    """Refuse a correction that was made on an older version of the registration, or of a cancelled
    one."""
    # The lock is needed: without it, two who correct at once would both find their version.
    session.refresh(registration, with_for_update=True)
    if registration.state == RegistrationState.CANCELLED:
        raise AlreadyCancelled
    if registration.version != version:
        raise ChangedMeanwhile


def _check_not_begun(
    session: Session, event: Event, people: Sequence[Attendee], now: datetime
) -> None:
    """Refuse a registrant's correction once the event or the party's check-in has begun."""
    if now >= event.starts_at:
        raise TooLateToChange
    if arrivals.has_anyone_arrived(session, [person.id for person in people]):
        raise CheckedInAlready


def _check_party(
    session: Session,
    event: Event,
    registration: Registration,
    people: Sequence[Attendee],
    corrected: Correction,
) -> None:
    """Apply the rules of a new registration to the corrected names and number. Refuses to drop or
    add people."""
    names, phone, notes = corrected.names, corrected.phone, corrected.notes
    if len(people) != len(names):
        raise FieldRefused(f"companion-{len(names)}", "name_missing")
    party_rules.check_size(event, names)
    party_rules.queue_for_number(session.connection(), event, phone)
    beyond = registration.over_limit or bool(notes and notes.beyond_limit)
    party_rules.check_number(session, event, names, phone, besides=registration.id, beyond=beyond)


def _with_known_readings(people: Sequence[Attendee], names: tuple[Name, ...]) -> tuple[Name, ...]:
    """The names; one that does not change keeps the reading that the desk gave it."""
    return tuple(
        replace(name, sort_key=person.sort_key, search_key=person.search_key, letter=person.letter)
        if person.name == name.typed
        else name
        for person, name in zip(people, names, strict=True)
    )


def _differing(
    registration: Registration, people: Sequence[Attendee], names: tuple[Name, ...], phone: Phone
) -> list[str]:
    """The names of the fields that change, without those of the notes."""
    pairs = list(zip(people, names, strict=True))
    fields = [f"name-{person.place}" for person, name in pairs if person.name != name.typed]
    fields += [
        f"reading-{person.place}"
        for person, name in pairs
        if person.name == name.typed and person.sort_key != name.sort_key
    ]
    return [*fields, "phone"] if registration.phone_typed != phone.typed else fields


def _differing_notes(registration: Registration, notes: Notes | None) -> list[str]:
    """The names of the notes that change."""
    if notes is None:
        return []
    kept = ("contact", "wishes", "name_unsure", "email")
    return [
        field.replace("_", "-")
        for field in kept
        if getattr(registration, field) != getattr(notes, field)
    ]


def _rewrite(
    session: Session,
    registration: Registration,
    people: Sequence[Attendee],
    names: tuple[Name, ...],
    phone: Phone,
) -> None:
    """Write the number to the registration, and name and number to each person.

    Each person first gets a number that no one has: otherwise two people who swap names would
    break the unique index for a moment.
    """
    registration.phone_number = phone.number
    registration.phone_typed = phone.typed
    registration.phone_tail = phone.tail
    registration.version += 1
    for person in people:
        person.phone_number = f"-{person.id}"
    session.flush()
    for person, name in zip(people, names, strict=True):
        for column, value in party_rules.columns(name).items():
            setattr(person, column, value)
        person.phone_number, person.phone_tail = phone.number, phone.tail
    session.flush()


def _note(registration: Registration, notes: Notes | None) -> None:
    """Write the notes to the registration, if there are any."""
    if notes is None:
        return
    registration.contact, registration.wishes = notes.contact, notes.wishes
    registration.name_unsure, registration.email = notes.name_unsure, notes.email
    registration.over_limit = registration.over_limit or notes.beyond_limit


def _renumber_waiting_part(
    session: Session,
    event: Event,
    registration: Registration,
    phone: Phone,
    *,
    by: Actor,
    now: datetime,
) -> None:
    """Give the waiting part of a split party the same number."""
    for other in lookup.waiting_beside(session, registration):
        same = tuple(parse(person.name) for person in lookup.party(session, other))
        edit(session, event, other, Correction(same, phone), version=other.version, by=by, now=now)
