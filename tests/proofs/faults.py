"""Faults to seed: each takes one guard out of the program; then the guard's proof must fail."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from sqlalchemy import bindparam, insert, literal_column, null, select, text, update

from eventreg.core import audit, outbox
from eventreg.core.audit import Action
from eventreg.core.models.event import Event, EventSeats
from eventreg.core.models.registration import Attendee, FormKey
from eventreg.core.registration import cancellations, entries, party_rules, seats, waitlist
from eventreg.core.registration import register as registering
from eventreg.core.undo import undo
from eventreg.storage import checks
from eventreg.storage import session as database
from eventreg.storage.session import db
from eventreg.web.public.registering import register as public_register
from tests.support import factories

_ONE_EVENT = EventSeats.event_id == bindparam("event")
_QUIET = {"synchronize_session": False}


def no_guard() -> None:
    """Neither the check before ``take`` nor ``take`` itself compares with the capacity."""
    seats.SeatCount.left = property(lambda _self: 1000)
    seats._take = (
        update(EventSeats)
        .where(_ONE_EVENT, bindparam("keep") >= 0, bindparam("edition_read") >= 0)
        .values(taken=EventSeats.taken + bindparam("seats"))
        .returning(EventSeats.taken)
        .execution_options(**_QUIET)
    )


def newcomers_pass() -> None:
    """``take`` gives seats although somebody waits, and nobody is promoted."""
    seats._take = (
        update(EventSeats)
        .where(
            _ONE_EVENT,
            bindparam("edition_read") >= 0,
            EventSeats.taken + bindparam("seats") + EventSeats.held * bindparam("keep")
            <= EventSeats.capacity,
        )
        .values(taken=EventSeats.taken + bindparam("seats"))
        .returning(EventSeats.taken)
        .execution_options(**_QUIET)
    )
    nobody_is_promoted()


def nobody_is_promoted() -> None:
    """Freed seats are not given to waiting parties."""
    waitlist.promote = lambda _session, _event, counted, **_: counted


def promoted_later() -> None:
    """Waiting parties are promoted in a second transaction, after the one that freed the seats."""
    promote = waitlist.promote
    waitlist.promote = lambda _session, _event, counted, **_: counted
    plain = database.write

    def give_on(session: Any) -> None:
        for event in session.scalars(select(Event)).all():
            now = event.applied_at
            promote(session, event, seats.lock(session, event.id, now=now), now=now)

    def then_promote(act: Callable[[Any], Any]) -> Any:
        done = plain(act)
        plain(give_on)
        return done

    factories.write = then_promote  # it holds a reference of its own


def last_first() -> None:
    """The waiting list is read from its end."""
    ordered = waitlist.parties
    waitlist.parties = lambda session, event_id: list(reversed(ordered(session, event_id)))


def key_after_commit() -> None:
    """The form key is stored in a second transaction, after the one that took the seat."""
    owed: list[dict[str, Any]] = []

    def later(self: Any, registration_id: int) -> None:
        owed.append(
            {
                "key": self.entry.form_key,
                "event_id": self.event.id,
                "fingerprint": self.entry.fingerprint,
                "registration_id": registration_id,
                "created_at": self.now,
            }
        )

    entries.EntryWriter._write_form_key = later
    plain = database.write

    def then_key(act: Callable[[Any], Any]) -> Any:
        done = plain(act)
        while owed:
            row = owed.pop()
            plain(lambda session, row=row: session.execute(insert(FormKey), row))
        return done

    public_register.write = then_key  # it holds a reference of its own
    public_register.write_at_once = lambda _act: None


def key_of_anybody() -> None:
    """A form with a known key gets the ticket of the first form, whatever its content."""
    entries.Entry.fingerprint = property(lambda _self: "the same")


def same_person_twice() -> None:
    """Registering does not check whether a person is registered already."""
    plain = registering._known

    def without_check(people: int) -> Any:
        key, _same, _under_number, *counter = plain(people).selected_columns
        return plain(people).with_only_columns(key, null(), literal_column("0"), *counter)

    registering._known = without_check


def sync_normal() -> None:
    """SQLite does not wait for the disk, and the checks at start accept that."""
    database.PRAGMAS["synchronous"] = "NORMAL"
    checks.wrong_settings = lambda: iter(())


def no_audit_of_cancellation() -> None:
    """A cancellation writes no audit entry."""
    plain = audit.record

    def silent(session: Any, action: Action, *more: Any, **details: Any) -> None:
        if action is not Action.SEATS_RELEASED:
            plain(session, action, *more, **details)

    audit.record = silent


def cancelled_again_and_again() -> None:
    """A cancellation does not check whether it has happened already."""
    cancellations._leave = (
        update(Attendee)
        .where(
            Attendee.registration_id == bindparam("registration"),
            Attendee.id.in_(bindparam("people", expanding=True)),
        )
        .values(cancelled_at=bindparam("at", type_=Attendee.cancelled_at.type))
        .returning(Attendee.id)
        .execution_options(synchronize_session="fetch")
    )


def no_row_lock() -> None:
    """The counter is read without a lock before it is moved."""
    seats._lock = select(EventSeats.taken).where(_ONE_EVENT)


def no_queue_for_a_number() -> None:
    """Registrations under one number do not wait for each other."""
    party_rules.queue_for_number = lambda *_: None


def nobody_is_told() -> None:
    """A promoted party is owed no call."""
    outbox.enqueue_call = lambda *_, **__: None


def held_for_nobody() -> None:
    """Held seats are free for online registrations."""
    plain = seats.SeatCount.read

    def careless(row: Any, now: Any) -> seats.SeatCount:
        capacity, taken, waiting, _, *more = row
        return plain((capacity, taken, waiting, 0, *more), now)

    seats.SeatCount.read = careless


def undone_without_looking() -> None:
    """Undoing a cancellation compares with no capacity: neither it itself nor the move."""
    undo._has_seats = lambda _case: True
    plain = seats.move

    def careless(session: Any, event_id: int, counted: Any, **more: Any) -> seats.SeatCount:
        after: seats.SeatCount = plain(session, event_id, counted, **{**more, "beyond": True})
        session.execute(update(EventSeats).values(allowed_over=0), execution_options=_QUIET)
        return after

    undo.seats = SimpleNamespace(lock=seats.lock, move=careless)


FAULTS: dict[str, Callable[[], None]] = {
    fault.__name__: fault
    for fault in (
        no_guard,
        newcomers_pass,
        nobody_is_promoted,
        promoted_later,
        last_first,
        key_after_commit,
        key_of_anybody,
        same_person_twice,
        sync_normal,
        no_audit_of_cancellation,
        cancelled_again_and_again,
        no_row_lock,
        no_queue_for_a_number,
        nobody_is_told,
        held_for_nobody,
        undone_without_looking,
    )
}


TOUCHED: dict[str, list[tuple[Any, str]]] = {
    "nobody_is_promoted": [(waitlist, "promote")],
    "last_first": [(waitlist, "parties")],
    "held_for_nobody": [(seats.SeatCount, "read")],
    "no_audit_of_cancellation": [(audit, "record")],
}
"""The attributes that a fault replaces, so that a test can restore them in its own process."""


def apply(name: str) -> None:
    """Seed the fault in this process, which should end soon. An empty name does nothing."""
    if name:
        FAULTS[name]()


def drop_schema_guards() -> None:
    """Drop the CHECKs and the index that back up the guards; only on a database to be deleted."""
    with db.engine.begin() as connection:
        if db.engine.dialect.name == "postgresql":
            connection.execute(
                text(
                    "ALTER TABLE event_seats DROP CONSTRAINT ck_event_seats_never_more_than_allowed"
                )
            )
            connection.execute(
                text("ALTER TABLE event_seats DROP CONSTRAINT ck_event_seats_counts_not_negative")
            )
        else:
            made = connection.execute(
                text("SELECT sql FROM sqlite_master WHERE name = 'event_seats'")
            ).scalar_one()
            lines = [
                line
                for line in made.split("\n")
                if "never_more" not in line and "counts_not" not in line
            ]
            connection.execute(text("PRAGMA writable_schema = ON"))
            connection.execute(
                text("UPDATE sqlite_master SET sql = :sql WHERE name = 'event_seats'"),
                {"sql": "\n".join(lines)},
            )
            connection.execute(text("PRAGMA writable_schema = OFF"))
        connection.execute(text("DROP INDEX uq_attendees_live_person"))
    db.engine.dispose()
