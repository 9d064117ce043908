"""The report after the event, on one sheet."""

from flask import g, render_template

from eventreg.core.desk import duplicates, reports
from eventreg.core.event import events
from eventreg.core.staff.permissions import Permission
from eventreg.storage.session import reading
from eventreg.web.access import requires
from eventreg.web.desk.dashboard import blueprint
from eventreg.web.door import door_names
from eventreg.web.event_facts import about, seats_now

_FIELD_WIDTH, _FIELD_HEIGHT, _WIDEST_STEP, _GAP = 640, 160, 56.0, 4
"""Units of the drawing of the arrivals."""


@blueprint.get("/report")
@requires(Permission.SEE_REPORT)
def report(slug: str) -> str:
    """How many people came and when, and from which source those with a seat registered. Counts, no
    names. Can be opened before the event ends. Prints on one A4 side."""
    event = events.get(reading(), slug)
    found = reports.of_event(reading(), event)
    return render_template(
        "desk/report.html",
        found=found,
        door_called=door_names.shown,
        over=seats_now(event).over,
        same_names=len(duplicates.groups(reading(), event)),
        bars=_bars(found.arrivals),
        earlier=reports.earlier(reading(), event),
        ended=g.now >= event.ends_at,
        titles=events.definition,
        **about(event),
    )


def _bars(arrivals: reports.Arrivals) -> list[dict[str, object]]:
    """The drawing of the arrivals: one bar for each five minutes."""
    if arrivals.first is None:
        return []
    width = min(_WIDEST_STEP, _FIELD_WIDTH / len(arrivals.steps))
    bars = []
    for place, people in enumerate(arrivals.steps):
        begins = arrivals.first + place * reports.STEP
        bars.append(
            {
                "x": round(place * width, 1),
                "width": round(width - _GAP, 1),
                "height": round(_FIELD_HEIGHT * people / max(1, arrivals.most), 1),
                "people": people,
                "begins": f"{begins.hour}:{begins.minute:02}",
            }
        )
    return bars
