"""The desk's list of people who get their gift later."""

from flask import Blueprint, g, redirect, render_template, request, url_for

from eventreg.core.door import gifts, owed
from eventreg.core.event import events
from eventreg.core.registration import identity
from eventreg.core.staff.permissions import Permission
from eventreg.storage.session import Session, reading, write
from eventreg.web import access
from eventreg.web.access import requires
from eventreg.web.event_facts import about
from eventreg.web.wire.answers import Answer

blueprint = Blueprint("owed", __name__, url_prefix="/staff/events/<slug>")


@blueprint.get("/owed-gifts")
@requires(Permission.SEE_ATTENDEES)
def listed(slug: str) -> str:
    """Everybody who gets a gift later, with a button for each. Prints with a column to sign."""
    event = events.get(reading(), slug)
    return render_template("door/owed.html", people=owed.listed(reading(), event), **about(event))


@blueprint.post("/owed-gifts")
@requires(Permission.CORRECT)
def settle(slug: str) -> Answer:
    """``attendee`` has got the gift; or gets none, with ``act`` = ``cross-out``. A second time
    changes nothing."""
    by, now, attendee = access.actor(), g.now, request.form.get("attendee", "")
    act = owed.cross_out if request.form.get("act") == "cross-out" else gifts.give

    def settled(writing: Session) -> None:
        event = events.get(writing, slug)
        person = identity.attendee(writing, event, attendee)
        act(writing, event, person.id, by=by, now=now)

    write(settled)
    return redirect(url_for("owed.listed", slug=slug), 303)
