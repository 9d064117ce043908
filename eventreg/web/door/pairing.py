"""Pair telephones for the door of one event: offer a code, take a telephone away, pair this one.

The offer is made by the desk. The page behind its code is public, and is opened on the telephone.
"""

from flask import Blueprint, abort, current_app, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from eventreg.core.errors import StaffUnknown
from eventreg.core.event import events
from eventreg.core.staff import accounts
from eventreg.core.staff import pairing as pairings
from eventreg.core.staff.permissions import Permission
from eventreg.core.values import whole_numbers
from eventreg.settings import Settings
from eventreg.storage.session import Session, reading, write
from eventreg.web import access, qr_code
from eventreg.web.access import anyone, requires
from eventreg.web.event_facts import about
from eventreg.web.limits import limits
from eventreg.web.wire import browser
from eventreg.web.wire.answers import Answer

blueprint = Blueprint("pairing", __name__, url_prefix="/staff")


@blueprint.get("/events/<slug>/telephones")
@requires(Permission.PAIR)
def telephones(slug: str) -> str:
    """The telephones of this event's door, and a button to add one."""
    return _telephones_page(slug)


def _telephones_page(slug: str, token: str = "") -> str:
    """The list, and the QR code of ``token`` if one was just made."""
    event = events.get(reading(), slug)
    settings: Settings = current_app.extensions["settings"]
    address = settings.public_url + url_for("pairing.ask_pair", token=token) if token else ""
    return render_template(
        "door/telephones.html",
        paired=pairings.of_event(reading(), event),
        address=address,
        qr=qr_code.svg(address) if address else "",
        https=settings.https,
        **about(event),
    )


@blueprint.post("/events/<slug>/telephones")
@requires(Permission.PAIR)
def offer(slug: str) -> Answer:
    """Make a code for one telephone, valid for a quarter of an hour and shown at once. With
    ``telephone``, disable that one instead."""
    by, now, telephone = access.actor(), g.now, request.form.get("telephone", "")
    if telephone:
        write(lambda writing: _take_away(writing, slug, telephone))
        return redirect(url_for("pairing.telephones", slug=slug), 303)
    token = write(
        lambda writing: pairings.offer(writing, events.get(writing, slug), by=by, now=now)
    )
    return _telephones_page(slug, token)


def _take_away(writing: Session, slug: str, telephone: str) -> None:
    """Disable a telephone of this event; ``StaffUnknown`` for every other account."""
    account_id = whole_numbers.parse(telephone)
    if account_id is None:
        raise StaffUnknown
    account = accounts.by_id(writing, account_id)
    if account.event_id != events.get(writing, slug).id:
        raise StaffUnknown
    if account.disabled_at is None:
        accounts.disable(writing, account, by=access.actor(), now=g.now)


@blueprint.get("/pair/<token>")
@anyone
def ask_pair(token: str) -> str:
    """Say on the volunteer's telephone what the button does."""
    with limits.secret_tried():
        found = pairings.require_offer(reading(), token, now=g.now)
    event = next(one for one in events.all_events(reading()) if one.id == found.event_id)
    return render_template("door/pairing.html", token=token, **about(event))


@blueprint.post("/pair/<token>")
@anyone
def pair(token: str) -> Response:
    """Sign this telephone in as a door device of that event until midnight, with no other rights.
    It signs out whoever was signed in with this browser."""
    device, now = browser.machine(), g.now
    with limits.secret_tried():
        found = pairings.require_offer(reading(), token, now=now)
        event_id = found.event_id
        made = write(lambda writing: pairings.pair(writing, token, device=device, now=now))
    event = next((one for one in events.all_events(reading()) if one.id == event_id), None)
    if event is None:
        abort(404)
    return access.hold_session(made, url_for("door.door", slug=event.slug))
