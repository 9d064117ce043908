"""The state of the morning as JSON, for devices that ask every few seconds."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import current_app, g, json, make_response, request
from werkzeug.wrappers import Response

from eventreg.core.door import live
from eventreg.core.door.live import Live, Version
from eventreg.core.event import events
from eventreg.core.models.event import Event
from eventreg.core.staff.permissions import Permission
from eventreg.storage.session import reading
from eventreg.web.access import requires
from eventreg.web.door.check_in import blueprint
from eventreg.web.door.sync import refused
from eventreg.web.wire.answers import in_json

_STEP = timedelta(seconds=30)
"""How long an answer with a pace is used again. Without one, it does not change with time."""
_SHOWN = 8
"""Digits of a device's id: enough to find one's own, too few to pose as another."""


@dataclass(frozen=True)
class _Kept:
    """The latest answer about one event in this process."""

    version: Version
    until: datetime | None
    body: bytes
    tag: str


@blueprint.get("/<slug>/live.json")
@in_json(refused)
@requires(Permission.CHECK_IN)
def live_json(slug: str) -> Response:
    """Who has come of how many, how fast and where, gifts, and what a person has to settle; 304 if
    it is what the device has. The answer is written once for all devices."""
    event = events.get(reading(), slug)
    kept = _latest(event)
    answer = make_response(kept.body, {"Content-Type": "application/json"})
    answer.set_etag(kept.tag)
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer.make_conditional(request)


def _latest(event: Event) -> _Kept:
    """The answer that is kept, if it still is right; otherwise a new one."""
    answers: dict[int, _Kept] = current_app.extensions.setdefault("door_live", {})
    version, kept = live.version(reading(), event), answers.get(event.id)
    if kept and kept.version == version and (kept.until is None or g.now < kept.until):
        return kept
    state = live.of_event(reading(), event, now=g.now)
    body = json.dumps(_written(event, state, version)).encode()
    until = None if state.pace.per_minute is None else g.now + _STEP
    answers[event.id] = made = _Kept(version, until, body, hashlib.sha256(body).hexdigest()[:16])
    return made


def _written(event: Event, state: Live, version: Version) -> dict[str, Any]:
    return {
        "event": event.slug,
        "arrived": state.presence.arrived,
        "expected": state.presence.expected,
        "capacity": state.capacity,
        "waiting_present": state.waiting_present,
        "per_minute": state.pace.per_minute,
        "minutes_left": state.pace.minutes_left,
        "doors": [
            {"door": door.device[:_SHOWN], "name": door.name, "arrived": door.arrived}
            for door in state.doors
        ],
        "gifts": {
            "given": state.gifts.given,
            "left": state.gifts.left,
            "owed": state.gifts.owed,
        },
        "to_settle": state.to_settle,
        "released": state.is_released,
        "roster": version.people,
    }
