"""The people who wait at the door: mark them present, call them, seat them, let them go; and give a
seat back to who comes late."""

from flask import abort, current_app, g, redirect, render_template, request, url_for

from eventreg.core.audit import Actor
from eventreg.core.door import calling, present, release, restoring
from eventreg.core.door import check_in as rules
from eventreg.core.door.check_in import Arrival, Outcome
from eventreg.core.door.present import Standing
from eventreg.core.errors import AttendeeCancelled, AttendeeUnknown, EventFull, NotWaiting
from eventreg.core.event import events
from eventreg.core.models.registration import RegistrationState
from eventreg.core.registration.waitlist import OverReason
from eventreg.core.staff.permissions import Permission
from eventreg.storage.session import Session, reading, write
from eventreg.web import access
from eventreg.web.access import requires
from eventreg.web.door.check_in import Told, blueprint, page
from eventreg.web.door.walk_ins import room
from eventreg.web.event_facts import about
from eventreg.web.wire import sent
from eventreg.web.wire.answers import Answer

_ACTS = ("here", "seat", "chair", "in", "no-answer", "left")


@blueprint.get("/<slug>/waiting")
@requires(Permission.CHECK_IN)
def waiting(slug: str) -> str:
    """Who waits at the door, in the order of their turn, and who is called in. With ``who``, a
    random id, also what that person has now."""
    event = events.get(reading(), slug)
    who = request.args.get("who", "")
    return render_template(
        "door/waiting.html",
        room=room(event),
        line=present.listed(reading(), event),
        earlier=release.latest(reading(), event),
        told=present.of(reading(), event, who) if who else None,
        most_calls=calling.CALLS,
        may_release=release.may_release(event, access.actor(), g.now),
        **about(event),
    )


@blueprint.post("/<slug>/waiting")
@requires(Permission.CHECK_IN)
def at_the_door(slug: str) -> Answer:
    """Do ``what`` to the party of ``attendee``: ``here`` (waits at the door), ``seat`` (and check
    in; who finds no seat waits), ``chair`` (beyond the capacity; organisers only), ``in`` (check in
    after a call), ``no-answer`` (``calls`` as the page had it), ``left``."""
    events.get(reading(), slug)  # an unknown event comes before what is wrong with the form
    what, attendee = request.form.get("what", ""), request.form.get("attendee", "")
    if what not in _ACTS:
        abort(400)
    if what == "chair" and not access.may(Permission.GO_OVER):
        abort(403)
    try:
        _do(slug, what, attendee)
    except EventFull:
        _do(slug, "here", attendee)
    except AttendeeUnknown:
        return page(events.get(reading(), slug), told=Told("gone")), 404
    except NotWaiting:
        pass  # another door was faster: the page shows what is so now
    except AttendeeCancelled as gone:
        told = Told("cancelled", gone.name, gone.cancelled_at, gone.attendee)
        return page(events.get(reading(), slug), told=told), 409
    return redirect(url_for("door.waiting", slug=slug, who=attendee), 303)


def _do(slug: str, what: str, attendee: str) -> None:
    """Write one act about a waiting party."""
    by, now, calls = access.actor(), g.now, sent.form_number("calls") or 0

    def act(session: Session) -> None:
        event = events.get(session, slug)
        match what:
            case "here":
                present.mark_present(session, event, attendee, by=by, now=now)
            case "seat":
                present.seat(session, event, attendee, by=by, now=now)
                calling.come_in(session, event, attendee, by=by, now=now)
            case "chair":
                chair = OverReason.CHAIR
                present.seat(session, event, attendee, by=by, now=now, beyond=chair)
            case "in":
                calling.come_in(session, event, attendee, by=by, now=now)
            case "no-answer":
                calling.not_answering(session, event, attendee, calls=calls, by=by, now=now)
            case "left":
                calling.leave(session, event, attendee, by=by, now=now)

    write(act)


@blueprint.post("/<slug>/restores")
@requires(Permission.CHECK_IN)
def restore(slug: str) -> Answer:
    """Give ``attendee``, whose seat was given away or who cancelled, a seat and check the person
    in. Without a free seat, who came late waits first in line; who cancelled is told (409)."""
    attendee, by, now = request.form.get("attendee", ""), access.actor(), g.now
    try:
        found, outcome = write(lambda session: _restored(session, slug, attendee, by))
    except AttendeeUnknown:
        return page(events.get(reading(), slug), told=Told("gone")), 404
    except EventFull:
        (person,) = release.people(reading(), events.get(reading(), slug), [attendee])
        told = Told("no-seat", person.name, now, attendee)
        return page(events.get(reading(), slug), told=told), 409
    if outcome is None:
        return redirect(url_for("door.waiting", slug=slug, who=found.attendee), 303)
    return redirect(url_for("door.door", slug=slug, done=outcome.check_in_id), 303)


def _restored(
    session: Session, slug: str, attendee: str, by: Actor
) -> tuple[Standing, Outcome | None]:
    event, now, key = events.get(session, slug), g.now, current_app.config["SECRET_KEY"]
    found = restoring.restore(session, event, attendee, secret_key=key, by=by, now=now)
    if found.state != RegistrationState.CONFIRMED:
        return found, None
    arrival = Arrival(found.attendee, now, now)
    return found, rules.check_in(session, event, arrival, anyway=True, by=by)
