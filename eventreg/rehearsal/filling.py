"""Fill the database of a rehearsal with made-up people, and empty it for the next one."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from eventreg.core import audit
from eventreg.core.audit import REGISTRANT, SYSTEM, Action
from eventreg.core.errors import EventFull, WaitlistFull
from eventreg.core.models.attendance import CheckIn, Gift
from eventreg.core.models.audit import AuditEntry
from eventreg.core.models.calls import Call
from eventreg.core.models.door import DoorAct, OwedGift, PresentParty
from eventreg.core.models.event import Event, EventSeats
from eventreg.core.models.outbox import OutboxMessage
from eventreg.core.models.registration import (
    Attendee,
    FormKey,
    Registration,
    Source,
    UnfinishedForm,
)
from eventreg.core.models.staff import Role
from eventreg.core.registration import cancellations, lookup
from eventreg.core.registration.entries import Entry
from eventreg.core.registration.register import register
from eventreg.core.staff import accounts
from eventreg.core.values import names, phones, tokens

PEOPLE = Path(__file__).with_name("people.csv")
BEFORE = timedelta(days=4)
"""The made-up people registered so long before the event."""
_FIRST_NUMBER = 138_0000_1000
_ABOUT_PEOPLE = (
    DoorAct,
    PresentParty,
    OwedGift,
    Gift,
    CheckIn,
    Call,
    OutboxMessage,
    FormKey,
    UnfinishedForm,
    AuditEntry,
    Attendee,
    Registration,
)
"""The tables to empty, in an order in which no row loses the one that it refers to."""


@dataclass(frozen=True)
class MadeUp:
    """One made-up party: its names, whether it has a seat, waits or cancelled, and how it
    registered."""

    names: tuple[str, ...]
    place: str
    source: Source


def people() -> Iterator[MadeUp]:
    """The made-up parties, in the order in which they register."""
    with PEOPLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield MadeUp(_names(row["names"]), row["place"], Source(row["source"]))


def _names(cell: str) -> tuple[str, ...]:
    """Chinese names have no spaces, so a space stands between two people."""
    return tuple(cell.split()) if names.has_han(cell) else (cell,)


def add_staff(session: Session, password: str, *, now: datetime) -> None:
    """Add one account for each role, all with the same password, if they are not there yet."""
    known = {member.username for member in accounts.all_members(session)}
    for role in Role:
        if role.value not in known:
            member = accounts.add(session, role.value, role, by=SYSTEM, now=now)
            accounts.set_password(session, member, password, by=SYSTEM, now=now)


def fill(session: Session, event: Event, *, secret_key: str) -> None:
    """Register the made-up people, as many as the event has room for."""
    at = event.starts_at - BEFORE
    parties = sorted(people(), key=lambda party: party.place == "waiting")
    for number, party in enumerate(parties):
        entry = Entry(
            names=tuple(map(names.parse, party.names)),
            phone=phones.parse(str(_FIRST_NUMBER + 7 * number), None),
            locale="zh" if names.has_han(party.names[0]) else "en",
            source=party.source,
            form_key=tokens.opaque(),
            waitlist=party.place == "waiting",
        )
        try:
            made = register(session, event, entry, secret_key=secret_key, by=REGISTRANT, now=at)
        except (EventFull, WaitlistFull):
            continue
        if party.place == "cancelled":
            registration = lookup.get(session, made.id)
            cancellations.cancel(session, event, registration, by=REGISTRANT, now=at)


def empty(session: Session, event: Event, *, now: datetime) -> None:
    """Delete all people and what happened. Staff, their sessions and the door's devices stay, so
    that nobody has to sign in or pair a telephone again."""
    for table in _ABOUT_PEOPLE:
        session.execute(delete(table))
    session.execute(
        update(EventSeats).values(taken=0, waiting=0, allowed_over=0, held=event.held_seats)
    )
    event.check_in_opened_at = event.seats_released_at = None
    audit.record(
        session,
        Action.EVENT_APPLIED,
        SYSTEM,
        now=now,
        event_id=event.id,
        version=event.version,
        capacity=session.get_one(EventSeats, event.id).capacity,
        held=event.held_seats,
    )
    session.expire_all()
