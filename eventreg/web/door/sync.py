"""What the script of a door page fetches and uploads, as JSON: the roster, and batches of acts."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from flask import current_app, g, json, jsonify, make_response, request
from werkzeug.wrappers import Response

from eventreg import log
from eventreg.core.door import devices, roster
from eventreg.core.door.devices import Contact
from eventreg.core.door.roster import Expected
from eventreg.core.event import events
from eventreg.core.registration import seats
from eventreg.core.staff.permissions import Permission
from eventreg.core.uploads import acts, sync
from eventreg.storage.session import Session, reading, write
from eventreg.web import access
from eventreg.web.access import anyone, requires
from eventreg.web.door import openapi
from eventreg.web.door.check_in import blueprint
from eventreg.web.limits import limits
from eventreg.web.wire.answers import Answer, in_json


def refused(reason: str) -> Response:
    """Tell the script why it is refused before its view runs, so that it can tell the volunteer."""
    answer = jsonify(error=reason)
    answer.status_code = 401 if reason == "session-expired" else 403
    return answer


def _device() -> str:
    """The device that fetches the roster, as its script says; empty if it is no script's request. A
    link of another page can't send the header, so opening one changes nothing."""
    sent = request.headers.get(access.DEVICE)
    return str(sent) if devices.is_well_formed(sent) else ""


@blueprint.get("/<slug>/roster.json")
@in_json(refused)
@requires(Permission.CHECK_IN)
def roster_json(slug: str) -> Response:
    """The people of the event, for a door device to keep. 304 if nothing has changed since."""
    device, by, now = _device(), access.actor(), g.now
    if device:
        contact = Contact(session_id=_session_id(), has_roster=True)
        write(
            lambda session: devices.touch(
                session, events.get(session, slug), device, by=by, now=now, contact=contact
            )
        )
    event = events.get(reading(), slug)
    people = [_person(one) for one in roster.of_event(reading(), event)]
    known = {
        "event": event.slug,
        "capacity": seats.count(reading(), event.id, now=now).capacity,
        "attendees": people,
    }
    digest = hashlib.sha256(json.dumps(known).encode()).hexdigest()[:32]
    answer = make_response({**known, "at": now.isoformat()})
    answer.set_etag(digest)
    answer.headers["Cache-Control"] = "no-store"  # the script keeps the list, and the ETag
    return answer.make_conditional(request)


def _person(one: Expected) -> dict[str, Any]:
    """A person as the roster says it: what is not so is left out, but for what always stands."""
    always = {"attendee", "name", "pinyin", "code", "tail", "party", "state", "keys", "ticket"}
    always |= {"checked_in_at", "gift_at"}
    said = {field.name: getattr(one, field.name) for field in fields(one)}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in said.items()
        if value or name in always
    }


def _session_id() -> int | None:
    signed_in = access.current()
    return signed_in.session_id if signed_in else None


@blueprint.post("/<slug>/sync")
@in_json(refused)
@requires(Permission.CHECK_IN)
def sync_acts(slug: str) -> Answer:
    """Apply a batch of acts, and answer each."""
    events.get(reading(), slug)  # an unknown event comes before what is wrong with the batch
    if not request.is_json:
        return jsonify(error="not_json"), 415
    batch = acts.parse(request.get_data())
    limits.limits().hit("sync", limits.SYNC, f"{slug} {batch.device}")
    by, now, key = access.actor(), g.now, current_app.config["SECRET_KEY"]
    session_id = _session_id()

    def act(session: Session) -> dict[str, Any]:
        event = events.get(session, slug)
        applied = sync.apply(
            session, event, batch, by=by, secret_key=key, now=now, session_id=session_id
        )
        door = {"name": applied.device.name, "revoked": applied.device.revoked_at is not None}
        return {"now": now.isoformat(), "results": applied.results, "device": door}

    answer = write(act)
    _log_conflicts(answer["results"])
    return jsonify(answer)


def _log_conflicts(results: Sequence[dict[str, Any]]) -> None:
    """Log how many acts a person has to settle, for each kind. A device may send them again."""
    for kind, count in Counter(one["clash"] for one in results if "clash" in one).items():
        log.event("sync-conflict", kind=kind, count=count)


@blueprint.get("/openapi.json")
@in_json(refused)
@anyone
def describe() -> Response:
    """The OpenAPI document of the JSON part."""
    return jsonify(openapi.document())
