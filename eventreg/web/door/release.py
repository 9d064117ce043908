"""The page on which a person gives away the seats of those who have not come."""

from typing import Any

from flask import g, jsonify, redirect, render_template, request, url_for

from eventreg.core.door import release as rules
from eventreg.core.errors import Refusal
from eventreg.core.event import events
from eventreg.core.models.event import Event
from eventreg.core.staff.permissions import Permission
from eventreg.storage.session import reading, write
from eventreg.web import access
from eventreg.web.access import requires
from eventreg.web.door import door_names
from eventreg.web.door.check_in import blueprint
from eventreg.web.door.walk_ins import room
from eventreg.web.event_facts import about
from eventreg.web.language import wants_page
from eventreg.web.wire.answers import Answer


@blueprint.get("/<slug>/release")
@requires(Permission.CHECK_IN)
def release_page(slug: str) -> Answer:
    """What a release would do now. Before its time 403, and the page says when, unless an organiser
    asks."""
    event = events.get(reading(), slug)
    may = rules.may_release(event, access.actor(), g.now)
    return _page(event, may), 200 if may else 403


def _page(event: Event, may: bool) -> str:
    not_come, seats = rules.not_come(reading(), event), room(event)
    return render_template(
        "door/release.html",
        may_release=may,
        door_called=door_names.shown,
        release_from=events.release_from(event),
        room=seats,
        not_come=not_come,
        next_in=rules.next_in(reading(), event, len(not_come), now=g.now),
        silent=rules.silent_doors(reading(), event, now=g.now),
        earlier=rules.latest(reading(), event),
        over=g.now >= event.ends_at or event.notice == "cancelled",
        **about(event),
    )


@blueprint.post("/<slug>/release")
@requires(Permission.CHECK_IN)
def release(slug: str) -> Answer:
    """Give away the seats of ``absent``, repeated; of all who have not come if the field is not
    sent. Who has come meanwhile keeps the seat. Answers JSON if that is asked for. Before its time
    403, unless an organiser asks."""
    sent = request.form.getlist("absent")
    absent = [one for one in sent if one] if sent else None
    by, now = access.actor(), g.now
    try:
        done = write(
            lambda session: rules.release(
                session, events.get(session, slug), absent, by=by, now=now
            )
        )
    except Refusal as refusal:
        if wants_page():
            raise
        status = 403 if refusal.code == "release_too_early" else 409
        return jsonify({"error": refusal.code}), status
    if not wants_page():
        return jsonify(_as_json(done))
    return redirect(url_for("door.waiting", slug=slug), 303)


def _as_json(done: rules.Released) -> dict[str, Any]:
    return {
        "released": list(done.released),
        "kept": list(done.kept),
        "seated": list(done.seated),
        "left": done.left,
    }
