"""The self-test of the evening before, on a page of the desk."""

import shutil
from dataclasses import replace
from datetime import datetime

from flask import Blueprint, current_app, g, render_template

from eventreg.core import operation_runs
from eventreg.core.desk import readiness
from eventreg.core.desk.readiness import Machine, Point
from eventreg.core.event import events
from eventreg.core.models.event import Event
from eventreg.core.operation_runs import Operation
from eventreg.core.staff.permissions import Permission
from eventreg.settings.table import Settings
from eventreg.storage import last_backup
from eventreg.storage.session import reading
from eventreg.web.access import requires
from eventreg.web.door import door_names
from eventreg.web.event_facts import about
from eventreg.web.language import stamp

blueprint = Blueprint("ready", __name__, url_prefix="/staff/events/<slug>")


@blueprint.get("/ready")
@requires(Permission.SEE_EVENT)
def ready(slug: str) -> str:
    """Everything that was looked at: good, or one sentence and one act. The browser adds its clock,
    if it runs scripts."""
    event = events.get(reading(), slug)
    looked_at = readiness.points(reading(), event, _machine(), now=g.now)
    return render_template(
        "door/ready.html",
        points=[_in_words(one, event) for one in looked_at],
        to_do=sum(not one.is_good for one in looked_at),
        milliseconds=round(g.now.timestamp() * 1000),
        **about(event),
    )


def _machine() -> Machine:
    settings: Settings = current_app.extensions["settings"]
    free = shutil.disk_usage(settings.instance).free
    by_schedule = operation_runs.last(reading(), Operation.BACKUP).succeeded_at
    made = [one for one in (last_backup.made_at(), by_schedule) if one is not None]
    return Machine(settings.https, max(made, default=None), free // 1_000_000)


def _in_words(point: Point, event: Event) -> Point:
    """The same, with times and names of doors as the page shows them."""
    shown = {
        name: stamp(value, events.zone(event)) if isinstance(value, datetime) else value
        for name, value in point.values.items()
    }
    if "door" in shown:
        shown["door"] = door_names.shown(str(shown["door"]))
    return replace(point, values=shown)
