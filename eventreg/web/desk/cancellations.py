"""Cancel at the desk: ask first, and say who got the seats."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from flask import g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from eventreg.core import outbox
from eventreg.core.desk import attendee_list, call_outcomes
from eventreg.core.errors import AlreadyCancelled
from eventreg.core.event import events
from eventreg.core.models.event import Event
from eventreg.core.models.registration import Registration, RegistrationState
from eventreg.core.registration import cancellations, identity, lookup
from eventreg.core.staff.permissions import Permission
from eventreg.core.undo import cancelled
from eventreg.core.undo.cancelled import Offer
from eventreg.storage.session import Session, reading, write
from eventreg.web import access
from eventreg.web.access import requires
from eventreg.web.desk.dashboard import blueprint
from eventreg.web.event_facts import about
from eventreg.web.forms import fields
from eventreg.web.language import say
from eventreg.web.wire.answers import Answer


@dataclass(frozen=True)
class Seated:
    """A party that got seats by a cancellation, and whether it is still to be told."""

    registration_id: int
    names: str
    owed: bool


@dataclass(frozen=True)
class Gone:
    """What was cancelled within the last ten minutes, and what can be done about it."""

    registration_id: int
    mark: str
    names: str
    staying: str
    waited: bool
    until: datetime
    offer: Offer
    seated: Sequence[Seated]


def gone_from(event: Event, found: Registration) -> Gone | None:
    """The latest cancellation of this registration; ``None`` if it is too long ago."""
    cancellation = cancelled.recent(reading(), found, now=g.now)
    if cancellation is None:
        return None
    people = attendee_list.of_registration(reading(), found.id)
    return Gone(
        found.id,
        identity.mark(found),
        _joined([row.name for row in people if row.attendee_id in cancellation.people]),
        _joined([row.name for row in people if row.is_live]),
        cancellation.waited,
        cancellation.until,
        cancelled.offer(reading(), event, found, cancellation, now=g.now),
        [_seated(one) for one in cancelled.seated_by(reading(), event, cancellation)],
    )


def _seated(found: Registration) -> Seated:
    people = lookup.party(reading(), found)
    names = _joined([person.name for person in people])
    return Seated(found.id, names, bool(outbox.owed_calls(reading(), found.id)))


def _joined(names: Sequence[str]) -> str:
    return say("list_comma").join(names)


@blueprint.get("/registrations/<id:registration_id>/cancel")
@requires(Permission.CORRECT)
def ask_cancel(slug: str, registration_id: int) -> Answer:
    """Ask whom to cancel, and say who would get the seats. ``attendee`` names one of a party."""
    event = events.get(reading(), slug)
    found = lookup.of_event(reading(), event, registration_id)
    asked = request.args.getlist("attendee")
    people = [
        row
        for row in attendee_list.of_registration(reading(), found.id)
        if row.is_live and (not asked or row.public_id in asked)
    ]
    if not people:
        return _to_registration(slug, registration_id)
    waits = found.state == RegistrationState.WAITLISTED
    return render_template(
        "desk/registration/cancel.html",
        found=found,
        mark=identity.mark(found),
        people=people,
        one=bool(asked),
        waits=waits,
        arrived=[row.name for row in people if row.check_in_id],
        next_parties=[] if waits else [next_party(event, n + 1) for n in range(len(people))],
        **about(event),
    )


def next_party(event: Event, freed: int) -> str:
    """The names of the waiting party that would get the seats; empty if none fits."""
    party = call_outcomes.next_in_line(reading(), event, freed, now=g.now)
    if party is None:
        return ""
    waiting = lookup.get(reading(), party.registration_id)
    return _joined([person.name for person in lookup.party(reading(), waiting)])


def _to_registration(slug: str, registration_id: int) -> Response:
    address = url_for("desk.registration", slug=slug, registration_id=registration_id)
    return redirect(address, 303)


@blueprint.post("/registrations/<id:registration_id>/cancel")
@requires(Permission.CORRECT)
def cancel(slug: str, registration_id: int) -> Answer:
    """Cancel the ticked attendees, or all if none is ticked. A second time changes nothing. The
    page that follows says who got the seats."""
    ticked, by, now = request.form.getlist("attendee"), access.actor(), g.now
    mark = fields.mark_sent()

    def act(session: Session) -> None:
        event = events.get(session, slug)
        found = identity.registration(session, event, registration_id, mark)
        people = identity.attendees(session, event, ticked)
        cancellations.cancel(session, event, found, people, by=by, now=now)

    with suppress(AlreadyCancelled):  # the page that follows says so
        write(act)
    return _to_registration(slug, registration_id)
