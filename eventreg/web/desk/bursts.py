"""Cancel people of a burst: many registrations from one network address within a short time. An
organiser ticks those who are not real."""

from flask import g, redirect, render_template, request, url_for

from eventreg.core.desk import bursts
from eventreg.core.event import events
from eventreg.core.staff.permissions import Permission
from eventreg.storage.session import reading, write
from eventreg.web import access, notes
from eventreg.web.access import requires
from eventreg.web.desk.dashboard import blueprint
from eventreg.web.event_facts import about
from eventreg.web.wire.answers import Answer


@blueprint.get("/bursts")
@requires(Permission.TAKE_BACK, password=True)
def ask_take_back(slug: str) -> Answer:
    """Show the ticked people again, before any are cancelled."""
    event = events.get(reading(), slug)
    chosen = bursts.ticked(reading(), event, request.values.getlist("attendee"), now=g.now)
    if not chosen:
        return redirect(url_for("desk.dashboard", slug=slug, taken_back="none"), 303)
    return render_template("desk/take_back.html", chosen=chosen, **about(event))


@blueprint.post("/bursts")
@requires(Permission.TAKE_BACK, password=True)
def take_back(slug: str) -> Answer:
    """Cancel the ticked people, if they are still of a burst. Their seats go to the waiting
    list."""
    people, by, now = request.values.getlist("attendee"), access.actor(), g.now
    done = write(
        lambda session: bursts.take_back(session, events.get(session, slug), people, by=by, now=now)
    )
    notes.keep("taken-back", done)
    return redirect(url_for("desk.dashboard", slug=slug), 303)
