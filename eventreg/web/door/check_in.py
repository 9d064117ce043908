"""The door page: how many have arrived, one search box, and a check-in button for each person.

It works without a script.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from flask import Blueprint, g, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from eventreg.core.desk import search
from eventreg.core.desk.attendee_list import Selection
from eventreg.core.desk.attendee_rows import Row
from eventreg.core.door import check_in as rules
from eventreg.core.door import live, people, release
from eventreg.core.door.check_in import Arrival, Outcome
from eventreg.core.door.people import Person
from eventreg.core.errors import (
    AttendeeCancelled,
    AttendeeUnknown,
    AttendeeWaiting,
    OutsideCheckInWindow,
)
from eventreg.core.event import events
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Registration, RegistrationState
from eventreg.core.registration import arrivals, lookup, waitlist
from eventreg.core.search import terms
from eventreg.core.search.tiers import How
from eventreg.core.staff.permissions import Permission
from eventreg.storage.session import reading, transaction
from eventreg.web import access, language
from eventreg.web.access import requires
from eventreg.web.door import door_facts
from eventreg.web.event_facts import about, area_code
from eventreg.web.limits import limits
from eventreg.web.rows import MARKS, Rows
from eventreg.web.wire import sent
from eventreg.web.wire.answers import Answer

blueprint = Blueprint("door", __name__, url_prefix="/door")


@dataclass(frozen=True)
class Told:
    """The panel that answers the last act. ``kind`` selects its sentence and colour."""

    kind: str
    name: str = ""
    at: datetime | None = None
    attendee: str = ""
    check_in_id: int | None = None
    registration_id: int | None = None


def page(event: Event, *, registration_id: int | None = None, told: Told | None = None) -> str:
    """The door page with everyone, the people that the search finds, or the party of one
    registration; and on top the answer to the last act."""
    query = typed_query()
    presence = arrivals.presence(reading(), event)
    found = _shown(event, query, registration_id)
    return render_template(
        "door/check_in.html",
        presence=presence,
        pace=live.pace(reading(), event, presence, now=g.now),
        rows=found.rows,
        near=found.near,
        how=found.how,
        is_selected=bool(query) or registration_id is not None,
        positions=_positions(event, (*found.rows, *found.near)),
        filled=_filled,
        query=query,
        told=told,
        beside=_rest_of_party(told),
        window_open=events.check_in_is_open(event, g.now),
        suggest_release=release.is_suggested(event, g.now),
        may_release=release.may_release(event, access.actor(), g.now),
        release_from=events.release_from(event),
        **about(event),
        **door_facts.application(event),
    )


@dataclass(frozen=True)
class _Shown:
    """The people on the page: how they fit what was typed, and others who sound like it."""

    rows: Sequence[Person | Row]
    near: Sequence[Row] = ()
    how: How = How.FITS


def _shown(event: Event, query: str, registration_id: int | None) -> _Shown:
    if registration_id is not None:
        return _Shown(people.party(reading(), registration_id))
    if not query:
        return _Shown(people.first(reading(), event))
    found = found_people(event, query)
    return _Shown(found.rows, found.near, found.how)


_NO_ID = 999_999_999_999
"""No check-in has this id."""
_Render = Callable[[Person | Row, bool], str]


def _filled(person: _Render, rows: Sequence[Person | Row], card: bool, zone: ZoneInfo) -> Markup:
    """The rows of these people, as the template's ``person`` renders them. Those who are expected
    differ in few texts, and so do those who came in the same minute."""
    alike, made = Rows(), list[str]()
    for row in rows:
        is_plain = row.state == RegistrationState.CONFIRMED and row.code and row.phone_tail
        if not is_plain or (row.arrived_at is None) != (row.check_in_id is None):
            made.append(person(row, card))
            continue
        kind = row.arrived_at and (language.hour(row.arrived_at, zone), row.late)
        texts = (row.public_id, row.name, row.code or "", row.phone_tail, str(row.check_in_id))
        made.append(alike.filled(kind, partial(_with_marks, person, row, card), texts))
    return Markup("".join(made))  # noqa: S704 - both escape what they fill in


def _with_marks(person: _Render, row: Person | Row, card: bool) -> str:
    """The row of a person, with marks for the texts that differ."""
    attendee, name, code, tail, check_in_id = MARKS[:5]
    number = _NO_ID if row.check_in_id else None
    state, came = row.registration_state, row.arrived_at
    marked = Person(attendee, 0, name, code, tail, state, None, None, number, came, row.late)
    return str(person(marked, card)).replace(f"/{_NO_ID}/", f"/{check_in_id}/")


def address_of_party(event: Event, registration: Registration) -> str:
    """The address of the check-in page of one party. It opens no ticket."""
    return url_for("door.door", slug=event.slug, t=registration.ticket_digest[:24])


def typed_query() -> str:
    """What was typed into the search; each search counts against the limit."""
    query = request.args.get("q", request.form.get("q", "")).strip()
    if query:
        limits.limits().hit("search", limits.SEARCH, str(access.actor().staff_id))
    return query


def _positions(event: Event, rows: Sequence[Person | Row]) -> dict[int, int]:
    """The place on the waiting list of each registration that waits, if one of these does."""
    if all(row.state != RegistrationState.WAITLISTED for row in rows):
        return {}
    parties = waitlist.parties(reading(), event.id)
    return {party.registration_id: place for place, party in enumerate(parties, start=1)}


def _rest_of_party(told: Told | None) -> Sequence[Person]:
    """The others of the party, who probably stand beside the person just checked in."""
    if told is None or told.registration_id is None:
        return []
    party = people.party(reading(), told.registration_id)
    return [row for row in party if row.public_id != told.attendee and row.is_live]


def found_people(event: Event, query: str) -> search.Answer:
    """The people that the search finds. Whole numbers that match no one are counted and limited,
    since they may be guesses at a masked number."""
    area = area_code(event)
    counters, who = limits.limits(), str(access.actor().staff_id)
    is_whole = terms.whole_number(query, area) is not None
    if is_whole:
        counters.check("number", limits.UNKNOWN_SECRET, who)
    selection = Selection(query=query, at_door=True, area_code=area)
    found = search.search(reading(), event, selection)
    if is_whole and not found.people:
        counters.hit("number", limits.UNKNOWN_SECRET, who)
    return found


@blueprint.get("/<slug>/")
@requires(Permission.CHECK_IN)
def door(slug: str) -> Answer:
    """The page with which volunteers check people in. ``t`` shows the party of a scanned ticket;
    404 if the event has no such ticket."""
    event = events.get(reading(), slug)
    scanned = request.args.get("t", "")
    if scanned:
        found = lookup.by_scan(reading(), event, scanned)
        return page(event, registration_id=found) if found else _refused(slug, Told("gone"), 404)
    done = sent.number("done")
    told = (
        _told(rules.outcome(reading(), event, done, fresh=request.args.get("again") is None))
        if done
        else None
    )
    return page(event, told=told)


def _told(outcome: Outcome) -> Told:
    """The panel for a check-in that is recorded or was undone."""
    if outcome.undone:
        kind = "undone"
    elif not outcome.fresh:
        kind = "already-in"
    else:
        kind = "late" if outcome.late else "checked-in"
    return Told(
        kind,
        outcome.name,
        outcome.arrived_at,
        outcome.attendee,
        outcome.check_in_id,
        outcome.registration_id,
    )


@blueprint.post("/<slug>/check-ins")
@requires(Permission.CHECK_IN)
def check_in(slug: str) -> Answer:
    """Record an arrival. A second press for the same person says when the first one was."""
    attendee, anyway = request.form.get("attendee", ""), request.form.get("anyway") == "yes"
    try:
        with transaction() as writing:
            event = events.get(writing, slug)
            by, now = access.actor(), g.now
            arrival = Arrival(attendee, now, now, device=rules.device_of(writing, event, by))
            outcome = rules.check_in(writing, event, arrival, anyway=anyway, by=by)
    except OutsideCheckInWindow as early:
        return _refused(slug, Told("early", early.name, early.opens_at, early.attendee), 409)
    except AttendeeCancelled as gone:
        found = events.get(reading(), slug)
        kind = "released" if release.is_released(reading(), found, attendee) else "cancelled"
        return _refused(slug, Told(kind, gone.name, gone.cancelled_at, gone.attendee), 409)
    except AttendeeWaiting as waiting:
        return _refused(slug, Told("waiting", waiting.name, None, waiting.attendee), 409)
    except AttendeeUnknown:
        return _refused(slug, Told("gone"), 404)
    again = None if outcome.fresh else 1
    return redirect(url_for("door.door", slug=slug, done=outcome.check_in_id, again=again), 303)


def _refused(slug: str, told: Told, status: int) -> tuple[str, int]:
    return page(events.get(reading(), slug), told=told), status


@blueprint.post("/<slug>/check-ins/<id:check_in_id>/undo")
@requires(Permission.CHECK_IN)
def undo(slug: str, check_in_id: int) -> Answer:
    """Undo a check-in; a second time changes nothing. 404 if the event has no such check-in, or if
    ``attendee`` is sent and it is someone else's."""
    attendee = request.form.get("attendee", "")
    try:
        with transaction() as writing:
            event = events.get(writing, slug)
            rules.undo(writing, event, check_in_id, attendee, by=access.actor(), now=g.now)
    except AttendeeUnknown:
        return _refused(slug, Told("gone"), 404)
    return redirect(url_for("door.door", slug=slug, done=check_in_id), 303)


@blueprint.post("/<slug>/open")
@requires(Permission.CHECK_IN)
def open_early(slug: str) -> Response:
    """Open check-in for everyone before its time. A second time changes nothing."""
    with transaction() as writing:
        event = events.get(writing, slug)
        events.open_check_in(writing, event, by=access.actor(), now=g.now)
    return redirect(url_for("door.door", slug=slug), 303)
