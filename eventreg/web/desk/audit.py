"""Show the audit trail of an event, and record that staff saw complete telephone numbers."""

from typing import Any

from flask import g, render_template

from eventreg.core import audit
from eventreg.core.audit import Action
from eventreg.core.event import events
from eventreg.core.models.event import Event
from eventreg.core.staff.permissions import Permission
from eventreg.storage.session import reading, write
from eventreg.web import access
from eventreg.web.access import requires
from eventreg.web.desk.dashboard import blueprint
from eventreg.web.event_facts import about
from eventreg.web.wire import sent

_LINES = 200


@blueprint.get("/audit")
@requires(Permission.SEE_AUDIT)
def trail(slug: str) -> str:
    """The audit entries of the event and of staff accounts, the latest first. One page has 200;
    ``before`` in the query continues below that entry."""
    event = events.get(reading(), slug)
    before = sent.number("before") or 0
    lines = audit.of_event(reading(), event.id, before=before, most=_LINES)
    return render_template(
        "desk/audit.html", lines=lines, more=len(lines) == _LINES, **about(event)
    )


def record_look(
    event: Event, action: Action, *, registration_id: int | None = None, **details: Any
) -> Event:
    """Record that the signed-in person sees complete numbers, unless the same action was recorded
    for the same registration or event within the last hour.

    Use the returned event afterwards: a write makes the page read it again.
    """
    by, now, event_id, slug = access.actor(), g.now, event.id, event.slug
    if not audit.is_first_look(reading(), action, by, registration_id or event_id, now=now):
        return event
    about_whom = {"event_id": event_id, "registration_id": registration_id, **details}
    write(lambda session: audit.record(session, action, by, now=now, **about_whom))
    return events.get(reading(), slug)
