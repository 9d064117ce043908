"""Show the audit trail of an event, and record that staff saw complete telephone numbers."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flask import current_app, g, render_template, request

from eventreg.core import audit
from eventreg.core.audit import Action
from eventreg.core.desk.audit_export import Span
from eventreg.core.event import events
from eventreg.core.models.event import Event
from eventreg.core.staff.permissions import Permission
from eventreg.storage.session import reading, write
from eventreg.web import access
from eventreg.web.access import requires
from eventreg.web.desk.dashboard import blueprint
from eventreg.web.event_facts import about
from eventreg.web.language import say
from eventreg.web.limits import limits
from eventreg.web.wire import sent
from eventreg.web.wire.answers import Answer

_LINES = 200


@blueprint.get("/audit")
@requires(Permission.SEE_AUDIT)
def trail(slug: str) -> str:
    """The audit entries of the event and of staff accounts, the latest first. One page has 200;
    ``before`` in the query continues below that entry."""
    event = events.get(reading(), slug)
    before = sent.number("before") or 0
    return _page(event, before)


def _page(event: Event, before: int = 0, problem: str = "") -> str:
    lines = audit.of_event(reading(), event.id, before=before, most=_LINES)
    today = g.now.astimezone(events.zone(event)).date()
    return render_template(
        "desk/audit.html",
        lines=lines,
        more=len(lines) == _LINES,
        problem=problem,
        since=request.args.get("since", "") or (today - timedelta(days=3)).isoformat(),
        until=request.args.get("until", "") or today.isoformat(),
        **about(event),
    )


@blueprint.get("/audit.csv")
@requires(Permission.SEE_AUDIT, password=True)
def export_trail(slug: str) -> Answer:
    """The entries of a time span as CSV, such as after a breach. ``since`` and ``until`` are days
    of the event's time zone, both included. The export is recorded in the trail."""
    event = events.get(reading(), slug)
    span = _span_asked_for(event)
    if span is None:
        return _page(event, problem=say("audit_span_wrong")), 422
    limits.limits().hit("export", limits.EXPORT, str(access.actor().staff_id))
    by, now, event_id, count = access.actor(), g.now, event.id, span.count(reading())
    about_it: dict[str, Any] = {"event_id": event_id, "rows": count}
    write(lambda session: audit.record(session, Action.TRAIL_EXPORTED, by, now=now, **about_it))
    text = "".join(span.as_csv(reading()))
    answer = current_app.response_class(text, mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{slug}-audit.csv"'
    return answer


def _span_asked_for(event: Event) -> Span | None:
    """The days that were asked for; ``None`` if they are no days in this order."""
    zone = events.zone(event)
    try:
        first, last = (date.fromisoformat(request.args.get(one, "")) for one in ("since", "until"))
        since = datetime.combine(first, time(), zone).astimezone(UTC)
        until = datetime.combine(last + timedelta(days=1), time(), zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return Span(since, until, event.id) if since < until else None


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
