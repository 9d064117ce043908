"""Pair telephones with the door of one event: offer a code, pair this telephone; list, rename and
take away the doors.

The offer is made by the desk. The page behind its code is public, and is opened on the telephone.
"""

from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, abort, current_app, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from eventreg.core.desk import readiness
from eventreg.core.door import device_checks, devices
from eventreg.core.door_errors import DeviceUnknown
from eventreg.core.errors import FieldRefused
from eventreg.core.event import events
from eventreg.core.models.door import DoorDevice
from eventreg.core.models.event import Event
from eventreg.core.staff import pairing as pairings
from eventreg.core.staff import sessions
from eventreg.core.staff.permissions import Permission
from eventreg.core.values import whole_numbers
from eventreg.settings.table import Settings
from eventreg.storage.session import Session, reading, write
from eventreg.web import access, qr_code
from eventreg.web.access import anyone, requires
from eventreg.web.door import door_facts, door_names
from eventreg.web.event_facts import about
from eventreg.web.language import say_refusal
from eventreg.web.limits import limits
from eventreg.web.wire import browser
from eventreg.web.wire.answers import Answer

blueprint = Blueprint("pairing", __name__, url_prefix="/staff")
_CLOCK_IS_OFF = timedelta(minutes=1)
"""A clock that differs by less is not worth a word."""


@dataclass(frozen=True)
class Door:
    """A door as its list shows it."""

    row: DoorDevice
    name: str
    list_is_old: bool
    clock_minutes: int
    """How many minutes its clock is ahead; 0 if it is right or not known."""
    offline: bool | None
    """Whether it works without a network; ``None`` if it was not tested."""
    camera: str
    """What the test of its camera found; empty if it was not tested."""


def doors(event: Event) -> list[Door]:
    """The doors of an event, in the order in which they came."""
    return [_door(one) for one in devices.of_event(reading(), event)]


def _door(one: DoorDevice) -> Door:
    ahead, checks = one.clock_ahead or 0, device_checks.read(one.checks)
    is_off = abs(ahead) >= _CLOCK_IS_OFF.total_seconds()
    return Door(
        one,
        door_names.shown(one.name),
        list_is_old=one.roster_at is not None and g.now - one.roster_at > readiness.LIST_IS_OLD,
        clock_minutes=round(ahead / 60) if is_off else 0,
        offline=device_checks.works_offline(checks) if checks else None,
        camera=checks.get("camera", "").replace("off", ""),
    )


@blueprint.get("/events/<slug>/telephones")
@requires(Permission.PAIR)
def telephones(slug: str) -> str:
    """The doors of this event, and a button to add a telephone."""
    return _doors_page(slug)


def _doors_page(slug: str, token: str = "", *, problem: str = "", wrong: int = 0) -> str:
    """The list, and the QR code of ``token`` if one was just made. ``problem`` is said at the door
    of row ``wrong``, whose name was refused."""
    event = events.get(reading(), slug)
    settings: Settings = current_app.extensions["settings"]
    address = settings.public_url + url_for("pairing.ask_pair", token=token) if token else ""
    opens, closes = pairings.opens_at(event), sessions.paired_until(event)
    return render_template(
        "door/telephones.html",
        doors=doors(event),
        address=address,
        qr=qr_code.svg(address) if address else "",
        https=settings.https,
        opens=opens if g.now < opens else None,
        is_over=g.now >= closes,
        problem=problem,
        wrong=wrong,
        typed=request.form.get("name", ""),
        **about(event),
    )


@blueprint.post("/events/<slug>/telephones")
@requires(Permission.PAIR)
def offer(slug: str) -> Answer:
    """Make a code for one telephone, valid for a quarter of an hour and shown at once. With
    ``door``, rename that door if ``name`` is sent, else take it away."""
    by, now, door = access.actor(), g.now, request.form.get("door")
    if door is not None:
        row = whole_numbers.parse(door)
        try:
            write(lambda writing: _change(writing, slug, row))
        except FieldRefused as refused:
            return _doors_page(slug, problem=say_refusal(refused), wrong=row or 0), 422
        return redirect(url_for("pairing.telephones", slug=slug), 303)
    token = write(
        lambda writing: pairings.offer(writing, events.get(writing, slug), by=by, now=now)
    )
    return _doors_page(slug, token)


def _change(writing: Session, slug: str, row: int | None) -> None:
    if row is None:
        raise DeviceUnknown
    event, name, by = events.get(writing, slug), request.form.get("name"), access.actor()
    found = devices.by_id(writing, event, row)
    if name is None:
        devices.revoke(writing, event, found, by=by, now=g.now)
    elif name != door_names.shown(found.name):
        devices.rename(writing, event, found, name, by=by, now=g.now)


@blueprint.get("/pair/<token>")
@anyone
def ask_pair(token: str) -> Answer:
    """Say on the volunteer's telephone what the button does, and test its browser. The code stays
    good until the button is pressed. Opened again on a telephone that is paired with this event, it
    leads to the door."""
    paired = _paired_already(token)
    if paired is not None:
        return paired
    with limits.secret_tried():
        found = pairings.require_offer(reading(), token, now=g.now)
    event = _event(found.event_id)
    until = sessions.paired_until(event)
    return render_template(
        "door/pairing.html",
        until=until,
        store=door_facts.store(),
        assets=f"/door/assets/{door_facts.version()}",
        **about(event),
    )


def _paired_already(token: str) -> Response | None:
    """To the door, if the code was used and this telephone is paired with that event: it is the
    same press once more, or a reload."""
    used_for = pairings.used_for(reading(), token)
    signed_in = access.current() if used_for else None
    if signed_in is None or signed_in.event_id != used_for:
        return None
    return redirect(url_for("door.door", slug=_event(used_for).slug), 303)


def _event(event_id: int | None) -> Event:
    """The event of that id; 404 if there is none any more."""
    found = next((one for one in events.all_events(reading()) if one.id == event_id), None)
    return found or abort(404)


@blueprint.post("/pair/<token>")
@anyone
def pair(token: str) -> Answer:
    """Sign this telephone in as a door device of that event until twelve hours after its end, with
    no other rights. It signs out whoever was signed in with this browser.

    ``device`` is the id that the browser still holds, and ``checks`` what its self-test found.
    """
    paired = _paired_already(token)
    if paired is not None:
        return paired
    machine, now = browser.machine(), g.now
    held, checks = request.form.get("device", ""), request.form.get("checks", "")
    with limits.secret_tried():
        found = pairings.require_offer(reading(), token, now=now)
        event_id = found.event_id
        made = write(
            lambda writing: devices.pair(
                writing, token, held=held, machine=machine, checks=checks, now=now
            )
        )
    onward = url_for("door.door", slug=_event(event_id).slug)
    return access.hold_session(made.session_token, onward, door_device=made.device)
