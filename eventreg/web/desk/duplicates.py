"""The same name in several registrations: compare them, or note that they are different people."""

from flask import g, redirect, render_template, request, url_for

from eventreg.core.desk import duplicates
from eventreg.core.event import events
from eventreg.core.staff.permissions import Permission
from eventreg.storage.session import reading, write
from eventreg.web import access
from eventreg.web.access import requires
from eventreg.web.desk.dashboard import blueprint
from eventreg.web.event_facts import about
from eventreg.web.wire.answers import Answer


@blueprint.get("/duplicates")
@requires(Permission.CORRECT)
def same_names(slug: str) -> str:
    """Each group of one name, side by side; at most 50 groups."""
    event = events.get(reading(), slug)
    return render_template(
        "desk/attendees/duplicates.html", groups=duplicates.groups(reading(), event), **about(event)
    )


@blueprint.post("/duplicates")
@requires(Permission.CORRECT)
def tell_apart(slug: str) -> Answer:
    """Note that these are different people. They are not shown again, until another of the same
    name is registered."""
    people, by, now = request.form.getlist("attendee"), access.actor(), g.now
    write(
        lambda session: duplicates.tell_apart(
            session, events.get(session, slug), people, by=by, now=now
        )
    )
    return redirect(url_for("desk.same_names", slug=slug), 303)
