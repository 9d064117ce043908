"""The dashboard: an event at a glance, and what the desk has to do next.

The other modules of this room add their pages to its blueprint.
"""

from flask import Blueprint, g, render_template, request

from eventreg.core import invariants
from eventreg.core.desk import (
    attendee_counts,
    attendee_list,
    bursts,
    calls,
    duplicates,
    print_history,
    readiness,
)
from eventreg.core.door import gifts, live, release
from eventreg.core.event import events
from eventreg.core.models.event import Event
from eventreg.core.staff.permissions import Permission
from eventreg.core.uploads import settling
from eventreg.storage.session import reading
from eventreg.web import notes
from eventreg.web.access import requires
from eventreg.web.door import door_names
from eventreg.web.event_facts import about, seats_now

blueprint = Blueprint("desk", __name__, url_prefix="/staff/events/<slug>")
_LATEST = 5


@blueprint.get("")
@requires(Permission.SEE_EVENT)
def dashboard(slug: str) -> str:
    """Seats taken, by source, and open tasks. Rows and counter are compared on every visit; with
    ``audit=check``, the audit trail is replayed and compared too."""
    event = events.get(reading(), slug)
    audit_is_checked = request.args.get("audit") == "check"
    seats_now(event)  # gives held seats that came free to the waiting list, before it is counted
    taken_back = notes.take("taken-back")  # shown once, also if the page is loaded again
    prints = print_history.latest(reading(), event)
    return render_template(
        "desk/dashboard/dashboard.html",
        sum=invariants.of_event(reading(), event, now=g.now, from_the_trail=audit_is_checked),
        audit_is_checked=audit_is_checked,
        tasks=calls.tasks(reading(), event, now=g.now),
        to_settle=settling.count(reading(), event),
        same_names=len(duplicates.groups(reading(), event)),
        bursts=bursts.of_event(reading(), event, now=g.now),
        taken_back=taken_back,
        none_taken_back=request.args.get("taken_back") == "none",
        prints=prints,
        outdated=print_history.count_differences(reading(), event, prints),
        gifts=gifts.stock(reading(), event),
        morning=_morning(event),
        door_called=door_names.shown,
        sources=attendee_counts.by_source(reading(), event),
        latest=attendee_list.latest(reading(), event, _LATEST),
        phase=events.phase(event, g.now),
        suggest_release=release.is_suggested(event, g.now),
        release_from=events.release_from(event),
        is_ready_shown=readiness.is_shown(event, g.now),
        **about(event),
    )


def _morning(event: Event) -> live.Live | None:
    """The state of the morning, once check-in is open; ``None`` before."""
    if not events.check_in_is_open(event, g.now):
        return None
    return live.of_event(reading(), event, now=g.now)
