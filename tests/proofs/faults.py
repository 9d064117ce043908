"""Faults to seed: each takes one guard out of the program. A proof is worth something only if it
then fails."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import bindparam, insert, select, text, update

from eventreg.core import audit, outbox
from eventreg.core.audit import Action
from eventreg.core.models.event import Event, EventSeats
from eventreg.core.models.registration import Attendee, FormKey
from eventreg.core.registration import cancellations, entries, party_rules, seats, waitlist
from eventreg.core.registration import register as registering
from eventreg.storage import checks
from eventreg.storage import session as database
from eventreg.storage.session import db
from eventreg.web.public import register as public_register
from tests.support import factories

_ONE_EVENT = EventSeats.event_id == bindparam("event")
_QUIET = {"synchronize_session": False}


def no_guard() -> None:
    """Neither the look before it nor the take itself minds how many seats there are."""
    seats.SeatCount.left = property(lambda _self: 1000)
    seats._take = (
        update(EventSeats)
        .where(_ONE_EVENT, bindparam("keep") >= 0, bindparam("edition_read") >= 0)
        .values(taken=EventSeats.taken + bindparam("seats"))
        .returning(EventSeats.taken)
        .execution_options(**_QUIET)
    )


def newcomers_pass() -> None:
    """The quick way in is open although somebody waits, and nobody asks the list."""
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
    """Freed seats stay free."""
    waitlist.promote = lambda _session, _event, counted, **_: counted


def promoted_later() -> None:
    """Freed seats are given on in a transaction of their own, after the one that freed them."""
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


def smallest_first() -> None:
    """The list is not asked in order, but from its end."""
    ordered = waitlist.parties
    waitlist.parties = lambda session, event_id: list(reversed(ordered(session, event_id)))


def key_after_commit() -> None:
    """The form's key is stored in a second transaction, after the seat's."""
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


def key_of_anybody() -> None:
    """Whatever body comes with a known key gets the ticket of the first."""
    entries.Entry.fingerprint = property(lambda _self: "the same")


def same_person_twice() -> None:
    """Nobody looks whether a person is registered already, and the index is gone."""
    plain = registering._known

    def blind(people: int) -> Any:
        columns = list(plain(people).selected_columns)
        return plain(people).with_only_columns(columns[0], text("NULL"), text("0"), *columns[3:])

    registering._known = blind


def sync_normal() -> None:
    """SQLite does not wait for the disk, and nobody minds at the start."""
    database.PRAGMAS["synchronous"] = "NORMAL"
    checks.faults = lambda: iter(())


def no_audit_of_cancellation() -> None:
    """A cancellation leaves no trace."""
    plain = audit.record

    def silent(session: Any, action: Action, *more: Any, **details: Any) -> None:
        if action is not Action.SEATS_RELEASED:
            plain(session, action, *more, **details)

    audit.record = silent


def cancelled_again_and_again() -> None:
    """A cancellation does not look whether it has happened."""
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
    """Who waits or frees does not lock the counter first, and changes it by what was read."""
    seats._lock = select(EventSeats.taken).where(_ONE_EVENT)


def no_queue_for_a_number() -> None:
    """Those who share a number do not wait for each other."""
    party_rules.queue_for_number = lambda *_: None


def nobody_is_told() -> None:
    """Whoever is promoted is not to be called."""
    outbox.enqueue_call = lambda *_, **__: None


def held_for_nobody() -> None:
    """Held seats are free for everybody."""
    plain = seats.SeatCount.read

    def careless(row: Any, now: Any) -> seats.SeatCount:
        capacity, taken, waiting, _, *more = row
        return plain((capacity, taken, waiting, 0, *more), now)

    seats.SeatCount.read = careless


FAULTS: dict[str, Callable[[], None]] = {
    fault.__name__: fault
    for fault in (
        no_guard,
        newcomers_pass,
        nobody_is_promoted,
        promoted_later,
        smallest_first,
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
    )
}


TOUCHED: dict[str, list[tuple[Any, str]]] = {
    "nobody_is_promoted": [(waitlist, "promote")],
    "smallest_first": [(waitlist, "parties")],
    "held_for_nobody": [(seats.SeatCount, "read")],
    "no_audit_of_cancellation": [(audit, "record")],
}
"""What a fault replaces, for a test that breaks its own process and mends it again."""


def apply(name: str) -> None:
    """Break this process. Only for processes that end soon."""
    if name:
        FAULTS[name]()


def drop_walls() -> None:
    """Take away what stands behind the guards in the schema; on a database that is thrown away."""
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
