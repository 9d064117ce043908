"""Accounts: who may come in as what, one's own page, and telephones paired for the door."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from eventreg.core.errors import FieldRefused, StaffUnknown, UsernameTaken
from eventreg.core.event import events
from eventreg.core.models.staff import Role
from eventreg.core.staff import accounts, second_factor, sessions
from eventreg.core.staff import pairing as pairings
from eventreg.core.staff.permissions import Permission
from eventreg.core.values import whole_numbers
from eventreg.storage.session import Session, reading, write
from eventreg.web import access, guard, qr_code
from eventreg.web.access import anyone, requires
from eventreg.web.event_facts import about
from eventreg.web.language import say, say_refusal, stamp
from eventreg.web.limits import limits
from eventreg.web.staff import notes
from eventreg.web.wire import browser
from eventreg.web.wire.answers import Answer
from eventreg.web.wire.sent import form_number

blueprint = Blueprint("accounts", __name__, url_prefix="/staff")


def _role_sent() -> Role | None:
    sent = request.form.get("role", "")
    return Role(sent) if sent in list(Role) else None


@blueprint.get("/accounts")
@requires(Permission.MANAGE_STAFF, password=True)
def listed() -> str:
    """Everybody who can sign in, and a form to invite one more. A link that was just made is shown,
    once."""
    return _listed()


def _listed(problem: str = "", username: str = "") -> str:
    shown = {what: notes.take(what) for what in ("link", "done")}
    return render_template(
        "staff/accounts.html",
        members=accounts.all_members(reading()),
        roles=list(Role),
        own_id=access.actor().staff_id,
        problem=problem,
        username=username,
        **shown,
    )


@blueprint.post("/accounts")
@requires(Permission.MANAGE_STAFF, password=True)
def invite() -> Answer:
    """A new account, and the link with which its owner chooses a password."""
    username, role, by, now = request.form.get("username", ""), _role_sent(), access.actor(), g.now
    if role is None:
        return _listed(say("role_missing"), username), 422

    def act(writing: Session) -> str:
        return accounts.make_link(
            writing, accounts.add(writing, username, role, by=by, now=now), by=by, now=now
        )

    try:
        _keep_link(write(act))
    except FieldRefused as refusal:
        return _listed(say_refusal(refusal), username), 422
    except UsernameTaken:
        return _listed(say("username_taken"), username), 422
    return redirect(url_for("accounts.listed"), 303)


def _keep_link(token: str) -> None:
    """The address is shown on the next page, once."""
    notes.keep("link", f"{guard.settings().public_url}/staff/welcome/{token}")


@blueprint.post("/accounts/<id:staff_id>")
@requires(Permission.MANAGE_STAFF, password=True)
def change(staff_id: int) -> Answer:
    """Another role, a new link, or locked: at once, and everywhere."""
    act, role, by, now = request.form.get("act", ""), _role_sent(), access.actor(), g.now

    def changed(writing: Session) -> str | None:
        member = accounts.by_id(writing, staff_id)
        if request.form.get("account", member.username) != member.username:
            raise StaffUnknown  # the number is somebody else's since a backup was restored
        if act == "role" and role is not None:
            accounts.change_role(writing, member, role, by=by, now=now)
        elif act == "lock":
            accounts.disable(writing, member, by=by, now=now)
        elif act == "link" and member.disabled_at is None and member.event_id is None:
            return accounts.make_link(writing, member, by=by, now=now)
        return None

    token = write(changed)
    if token:
        _keep_link(token)
    return redirect(url_for("accounts.listed"), 303)


@blueprint.get("/accounts/<id:staff_id>")
@requires(Permission.MANAGE_STAFF)
def one(staff_id: int) -> Response:  # noqa: ARG001
    """Where asking for the password leads back to: the list."""
    return redirect(url_for("accounts.listed"), 303)


@blueprint.get("/me")
@requires(Permission.STAFF_HOME)
def me() -> str:
    """One's own browsers, and changing password and second factor."""
    return me_page()


def me_page(problems: Mapping[str, str] | None = None, secret: str = "") -> str:
    """One's own page. ``problems`` are told beside the form whose name they have; ``secret`` is the
    one that a telephone may already hold."""
    shown = {what: notes.take(what) for what in ("codes", "done")}
    signed_in, member = access.current(), accounts.by_id(reading(), access.actor().staff_id or 0)
    may_have, held = member.role == Role.ORGANISER, bool(secret)
    secret = (secret or second_factor.new_secret()) if may_have else ""
    return render_template(
        "staff/me.html",
        member=member,
        browsers=sessions.of_account(reading(), member.id, now=g.now),
        here=signed_in.session_id if signed_in else 0,
        paired=bool(signed_in and signed_in.event_id),
        may_have=may_have,
        secret=secret,
        held=held,
        qr=qr_code.svg(second_factor.address(member, secret)) if may_have else "",
        problems=problems or {},
        staff_stamp=staff_stamp,
        **shown,
    )


def staff_stamp(moment: datetime) -> str:
    """A moment where the next event is: that is where staff look at a clock."""
    coming = events.still_to_come(reading(), g.now)
    return stamp(moment, events.zone(coming[0]) if coming else ZoneInfo("UTC"))


@blueprint.post("/me/browsers")
@requires(Permission.STAFF_HOME)
def end_browser() -> Response:
    """Sign one of one's own browsers out."""
    signed_in, chosen, now = (
        access.current(),
        form_number("browser"),
        g.now,
    )
    if signed_in is not None and chosen is not None:
        write(lambda writing: sessions.end_own(writing, signed_in, chosen, now=now))
    return redirect(url_for("accounts.me"), 303)


@blueprint.get("/events/<slug>/telephones")
@requires(Permission.PAIR)
def telephones(slug: str) -> str:
    """The telephones of this event's door, and how one more is added."""
    return _telephones(slug, "")


def _telephones(slug: str, address: str) -> str:
    event = events.get(reading(), slug)
    return render_template(
        "door/telephones.html",
        paired=pairings.of_event(reading(), event),
        address=address,
        qr=qr_code.svg(address) if address else "",
        https=guard.settings().https,
        **about(event),
    )


@blueprint.post("/events/<slug>/telephones")
@requires(Permission.PAIR)
def offer(slug: str) -> Answer:
    """A code for one telephone, shown at once since it is good for a quarter of an hour; or one
    telephone taken away."""
    by, now, sent = access.actor(), g.now, request.form.get("telephone", "")
    if sent:
        write(lambda writing: _take_away(writing, slug, sent))
        return redirect(url_for("accounts.telephones", slug=slug), 303)
    token = write(
        lambda writing: pairings.offer(writing, events.get(writing, slug), by=by, now=now)
    )
    return _telephones(slug, f"{guard.settings().public_url}/staff/pair/{token}")


def _take_away(writing: Session, slug: str, sent: str) -> None:
    chosen = whole_numbers.parse(sent)
    if chosen is None:
        raise StaffUnknown
    member = accounts.by_id(writing, chosen)
    if member.event_id != events.get(writing, slug).id:
        raise StaffUnknown
    if member.disabled_at is None:
        accounts.disable(writing, member, by=access.actor(), now=g.now)


@blueprint.get("/pair/<token>")
@anyone
def pairing(token: str) -> str:
    """On the volunteer's telephone: what pressing the button does."""
    with limits.secret_tried():
        found = pairings.require_offer(reading(), token, now=g.now)
    event = next(one for one in events.all_events(reading()) if one.id == found.event_id)
    return render_template("door/pairing.html", token=token, **about(event))


@blueprint.post("/pair/<token>")
@anyone
def pair(token: str) -> Response:
    """This telephone checks in at that door now, and nothing else."""
    device, now = browser.machine(), g.now
    with limits.secret_tried():
        found = pairings.require_offer(reading(), token, now=now)
        event_id = found.event_id
        made = write(lambda writing: pairings.pair(writing, token, device=device, now=now))
    event = next((one for one in events.all_events(reading()) if one.id == event_id), None)
    if event is None:
        abort(404)
    return access.hold_session(made, url_for("door.door", slug=event.slug))
