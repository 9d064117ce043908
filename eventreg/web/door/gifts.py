"""The table at the exit: the people who came, and a button that gives each of them a gift.

It works without a script, like the door page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import g, redirect, render_template, request, url_for

from eventreg.core.desk import attendee_list
from eventreg.core.desk.attendee_list import Filter, Selection
from eventreg.core.desk.attendee_rows import Row
from eventreg.core.door import gifts, owed
from eventreg.core.errors import AttendeeUnknown, GiftBeforeArrival
from eventreg.core.event import events
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Attendee, RegistrationState
from eventreg.core.registration import identity
from eventreg.core.staff.permissions import Permission
from eventreg.storage.session import Session, reading, transaction
from eventreg.web import access
from eventreg.web.access import requires
from eventreg.web.door.check_in import blueprint, found_people, typed_query
from eventreg.web.event_facts import about
from eventreg.web.wire import sent
from eventreg.web.wire.answers import Answer


@dataclass(frozen=True)
class GiftTold:
    """The panel that answers the last act. ``kind`` selects its sentence and colour."""

    kind: str
    name: str = ""
    at: datetime | None = None
    attendee: str = ""
    gift_id: int | None = None
    registration_id: int | None = None


def _page(event: Event, told: GiftTold | None = None) -> str:
    """The people who came, or those of them whom the search finds; on top the answer to the last
    act. A search also names those who are expected and are not checked in."""
    query = typed_query()
    if query:
        found = found_people(event, query)
        rows, near = found.rows, found.near
    else:
        rows = attendee_list.listed(reading(), event, Selection(filter=Filter.ARRIVED))
        near = []
    return render_template(
        "door/gifts.html",
        rows=[row for row in rows if row.arrived_at],
        near=[row for row in near if row.arrived_at],
        not_arrived=[row for row in (*rows, *near) if _is_expected(row) and not row.arrived_at],
        stock=gifts.stock(reading(), event),
        owed=owed.among(reading(), event),
        query=query,
        told=told,
        beside=_rest_of_party(told),
        **about(event),
    )


def _is_expected(row: Row) -> bool:
    return row.state == RegistrationState.CONFIRMED


def _rest_of_party(told: GiftTold | None) -> Sequence[Row]:
    """The others of the party, who probably stand beside the person."""
    if told is None or told.registration_id is None:
        return []
    party = attendee_list.of_registration(reading(), told.registration_id)
    return [row for row in party if row.public_id != told.attendee and _is_expected(row)]


@blueprint.get("/<slug>/gifts")
@requires(Permission.CHECK_IN)
def gift_table(slug: str) -> str:
    """The page for the table at the exit."""
    event = events.get(reading(), slug)
    given, noted = sent.number("done"), sent.number("owed")
    if given:
        return _page(event, _told_given(event, given))
    return _page(event, _told_owed(event, noted) if noted else None)


def _told_given(event: Event, gift_id: int) -> GiftTold:
    """The panel for a gift that was given or taken back."""
    gift, person = gifts.of_id(reading(), event, gift_id)
    kind = "already" if request.args.get("again") else "given"
    return _told(kind if gift.undone_at is None else "undone", person, gift.given_at, gift.id)


def _told_owed(event: Event, owed_id: int) -> GiftTold:
    """The panel for a gift that is to follow, or is no more."""
    row, person = owed.of_id(reading(), event, owed_id)
    return _told("owed" if row.settled_at is None else "crossed-out", person, row.owed_at)


def _told(kind: str, person: Attendee, at: datetime, gift_id: int | None = None) -> GiftTold:
    return GiftTold(kind, person.name, at, person.public_id, gift_id, person.registration_id)


@blueprint.post("/<slug>/gifts")
@requires(Permission.CHECK_IN)
def give_gift(slug: str) -> Answer:
    """Record a gift. A second press for the same person says when the first one was given."""
    try:
        with transaction() as writing:
            event, person = _named(writing, slug)
            fresh = gifts.give(writing, event, person.id, by=access.actor(), now=g.now)
            gift = gifts.standing(writing, person.id)
            done = gift.id if gift else None
    except (AttendeeUnknown, GiftBeforeArrival) as refused:
        return _refused(slug, refused)
    return _back(slug, done=done, again=None if fresh else 1)


@blueprint.post("/<slug>/gifts/<id:gift_id>/undo")
@requires(Permission.CHECK_IN)
def undo_gift(slug: str, gift_id: int) -> Answer:
    """Take a gift back; a second time changes nothing. 404 if the event has no such gift, or if
    ``attendee`` is sent and it is someone else's."""
    attendee = request.form.get("attendee", "")
    try:
        with transaction() as writing:
            event = events.get(writing, slug)
            gifts.undo_gift(writing, event, gift_id, attendee, by=access.actor(), now=g.now)
    except AttendeeUnknown as refused:
        return _refused(slug, refused)
    return _back(slug, done=gift_id)


@blueprint.post("/<slug>/gifts/owed")
@requires(Permission.CHECK_IN)
def owe_gift(slug: str) -> Answer:
    """Note that somebody gets a gift later; with ``act`` = ``cross-out``, that nobody is owed one
    any more. Who has a gift is owed none: the page says when it was given."""
    by, crosses_out = access.actor(), request.form.get("act") == "cross-out"
    act = owed.cross_out if crosses_out else owed.owe
    try:
        with transaction() as writing:
            event, person = _named(writing, slug)
            act(writing, event, person.id, by=by, now=g.now)
            gift = gifts.standing(writing, person.id)
            row = owed.row_of(writing, person.id)
            noted = row.id if row else None
            given = gift.id if gift else None
    except (AttendeeUnknown, GiftBeforeArrival) as refused:
        return _refused(slug, refused)
    return _back(slug, done=given, again=1) if given else _back(slug, owed=noted)


def _named(writing: Session, slug: str) -> tuple[Event, Attendee]:
    """The event, and the person whom the form names."""
    event = events.get(writing, slug)
    return event, identity.attendee(writing, event, request.form.get("attendee", ""))


def _back(slug: str, **shown: Any) -> Answer:
    return redirect(url_for("door.gift_table", slug=slug, **shown), 303)


def _refused(slug: str, refused: AttendeeUnknown | GiftBeforeArrival) -> Answer:
    """The page with the reason: the person is unknown here, or has not come."""
    event = events.get(reading(), slug)
    if isinstance(refused, GiftBeforeArrival):
        return _page(event, GiftTold("early", refused.name, attendee=refused.attendee)), 409
    return _page(event, GiftTold("gone")), 404
