"""After the event: the report on one sheet, who did what, and forgetting what is past its time."""

from flask import g, redirect, render_template, url_for

from eventreg.core import audit, erasure
from eventreg.core.desk import duplicates, reports
from eventreg.core.event import events
from eventreg.core.staff.permissions import Permission
from eventreg.operations import forgetting
from eventreg.storage.session import reading
from eventreg.web import access
from eventreg.web.access import requires
from eventreg.web.desk.dashboard import blueprint
from eventreg.web.event_facts import about, seats_now
from eventreg.web.wire import sent
from eventreg.web.wire.answers import Answer

_LINES = 200


@blueprint.get("/report")
@requires(Permission.SEE_REPORT)
def report(slug: str) -> str:
    """Who came, when, by which way; prints on one A4."""
    event = events.get(reading(), slug)
    found = reports.of_event(reading(), event)
    return render_template(
        "desk/report.html",
        found=found,
        over=seats_now(event).over,
        same_names=len(duplicates.groups(reading(), event)),
        bars=_bars(found.arrivals),
        earlier=reports.earlier(reading(), event),
        ended=g.now >= event.ends_at,
        titles=events.definition,
        **about(event),
    )


def _bars(arrivals: reports.Arrivals) -> list[dict[str, object]]:
    """The drawing of the arrivals: one bar for each five minutes, in a field 640 wide and 160
    high."""
    if arrivals.first is None:
        return []
    width = min(56.0, 640 / len(arrivals.steps))
    drawn = []
    for place, people in enumerate(arrivals.steps):
        height = round(160 * people / max(1, arrivals.most), 1)
        begins = arrivals.first + place * reports.STEP
        drawn.append(
            {
                "x": round(place * width, 1),
                "width": round(width - 4, 1),
                "height": height,
                "people": people,
                "begins": f"{begins.hour}:{begins.minute:02}",
            }
        )
    return drawn


@blueprint.get("/audit")
@requires(Permission.SEE_AUDIT)
def trail(slug: str) -> str:
    """Who did what to which, when; the latest first."""
    event = events.get(reading(), slug)
    before = sent.number("before") or 0
    lines = audit.of_event(reading(), event.id, before=before, most=_LINES)
    return render_template(
        "desk/audit.html", lines=lines, more=len(lines) == _LINES, **about(event)
    )


@blueprint.get("/forget")
@requires(Permission.ERASE, password=True)
def ask_forget(slug: str) -> str:
    """What would be forgotten now, before it is."""
    event = events.get(reading(), slug)
    found = erasure.due(reading(), slug, now=g.now)
    return render_template(
        "desk/forget.html", found=found, until=events.kept_until(event), **about(event)
    )


@blueprint.post("/forget")
@requires(Permission.ERASE, password=True)
def forget(slug: str) -> Answer:
    """Forget it. Whatever is due of other events goes with it; doing it again changes nothing."""
    by, now, _ = access.actor(), g.now, events.get(reading(), slug)
    forgetting.purge(by=by, now=now)
    return redirect(url_for("desk.ask_forget", slug=slug), 303)
