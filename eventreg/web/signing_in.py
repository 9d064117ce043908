"""Signing in and out: name and password, the second factor, one-time links, and the password asked for once more."""

from typing import Any

from flask import Blueprint, abort, current_app, g, redirect, render_template, request, session, url_for
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response

from eventreg.core import events, staff, staff_sessions
from eventreg.core.errors import CodeWrong, FieldRefused, SignInFailed, UsernameTaken
from eventreg.core.staff import Permission
from eventreg.core.staff_models import StaffMember
from eventreg.db import reading, transaction
from eventreg.web import access, browser, limits
from eventreg.web.access import anyone, requires
from eventreg.web.language import say

_KEPT = "kept-"
_NOT_KEPT = {"csrf_token", "password"}
_CODE_WAITS = 5 * 60
"""Seconds for the six digits, after the password."""

blueprint = Blueprint("staff", __name__, url_prefix="/staff")


def own_path(target: str) -> str:
    """A place to go after signing in: a path of ours, nothing else."""
    plain = target.startswith("/") and not target.startswith("//") and "\\" not in target and target.isprintable()
    return target if plain else url_for("staff.home")


def begin_session(member: StaffMember, target: str) -> Response:
    """A new session id for whoever just proved who they are; whatever the browser held before is dropped."""
    with transaction() as writing:
        token = staff_sessions.open_for(writing, member, now=g.now, device=browser.machine())
    return access.hold_session(token, target)


@blueprint.get("/sign-in")
@anyone
def sign_in() -> str:
    """Ask for name and password."""
    return _sign_in_page(next=request.args.get("next", ""))


def _sign_in_page(**more: Any) -> str:
    known = {"username": "", "problem": None, "next": "", "kept": _kept()}
    return render_template("desk/sign_in.html", **{**known, **more})


def _kept() -> dict[str, str]:
    """What an earlier form held, by the names under which the sign-in form carries it along."""
    return {name: value for name, value in request.form.items() if name.startswith(_KEPT)}


def signed_out_page() -> str:
    """Instead of a page whose session has ended: sign in here, and nothing that was typed is lost."""
    typed = {f"{_KEPT}{name}": value for name, value in request.form.items() if name not in _NOT_KEPT}
    return _sign_in_page(problem=say("signed_out"), next=request.path if typed else "", kept=typed)


@blueprint.post("/sign-in")
@anyone
def do_sign_in() -> Response | tuple[str, int]:
    """Check name and password; slower and slower where they keep being wrong."""
    username, password = request.form.get("username", ""), request.form.get("password", "")
    target = request.form.get("next", "")
    account = username.strip().casefold()[:100]
    counters = limits.limits()
    counters.check("sign-in", limits.SIGN_IN, limits.address())
    counters.check_account(account)
    try:
        with limits.hashing():
            member = staff.verify(reading(), username, password)
    except SignInFailed:
        counters.sign_in_failed(account)
        counters.hit("sign-in", limits.SIGN_IN, limits.address())
        return _sign_in_page(username=username, problem=say("sign_in_failed"), next=target), 422
    if member.totp_secret is not None:
        return _ask_code(member, target), 200
    counters.sign_in_worked(account)
    return _go_on(member, target)


def _go_on(member: StaffMember, target: str) -> Response | tuple[str, int]:
    """Signed in: to where somebody wanted to go, or back to the form that was being filled in."""
    onward = begin_session(member, own_path(target))
    typed = {name.removeprefix(_KEPT): value for name, value in _kept().items()}
    if not typed:
        return onward
    return render_template("desk/once_more.html", action=own_path(target), typed=typed), 200


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="second factor")


def _ask_code(member: StaffMember, target: str, problem: str = "") -> str:
    """The password was right; now the six digits. Who it is stands in a signed field, good for five minutes."""
    who = _signer().dumps([member.id, int(g.now.timestamp())])
    return render_template("desk/second_factor.html", who=who, next=target, kept=_kept(), problem=problem)


@blueprint.post("/second-factor")
@anyone
def second_factor() -> Response | tuple[str, int]:
    """Check the six digits; slower and slower where they keep being wrong."""
    counters, target = limits.limits(), request.form.get("next", "")
    try:
        staff_id, made = _signer().loads(request.form.get("who", ""))
    except (BadSignature, ValueError):
        return _sign_in_page(problem=say("sign_in_failed"), next=target), 422
    if not 0 <= g.now.timestamp() - made <= _CODE_WAITS:
        return _sign_in_page(problem=say("sign_in_failed"), next=target), 422
    account = f"second factor {staff_id}"
    counters.check("sign-in", limits.SIGN_IN, limits.address())
    counters.check_account(account)
    try:
        with transaction() as writing:
            member = staff.checked_twice(writing, staff_id, request.form.get("code", ""), now=g.now)
    except CodeWrong:
        counters.sign_in_failed(account)
        counters.hit("sign-in", limits.SIGN_IN, limits.address())
        return _ask_code(staff.get(reading(), staff_id), target, say("refused_code_wrong")), 422
    counters.sign_in_worked(account)
    counters.sign_in_worked(member.username_folded)
    return _go_on(member, target)


@blueprint.get("/password")
@requires(Permission.STAFF_HOME)
def password() -> str:
    """Ask for the password once more, before what cannot be taken back or leaves the house."""
    return render_template("desk/password.html", next=request.args.get("next", ""), problem="")


@blueprint.post("/password")
@requires(Permission.STAFF_HOME)
def do_password() -> Response | tuple[str, int]:
    """Check it, and go back to where it was asked for."""
    signed_in, target, counters = access.current(), request.form.get("next", ""), limits.limits()
    if signed_in is None:
        abort(401)
    account = signed_in.actor.name.casefold()
    counters.check_account(account)
    try:
        with limits.hashing():
            staff.verify(reading(), signed_in.actor.name, request.form.get("password", ""))
    except SignInFailed:
        counters.sign_in_failed(account)
        return render_template("desk/password.html", next=target, problem=say("password_wrong")), 422
    counters.sign_in_worked(account)
    with transaction() as writing:
        staff_sessions.prove(writing, signed_in.session_id, now=g.now)
    return redirect(own_path(target), 303)


@blueprint.post("/sign-out")
@requires(Permission.STAFF_HOME)
def sign_out() -> Response:
    """End the session, on this browser and wherever its cookie was copied to."""
    signed_in = access.current()
    if signed_in:
        with transaction() as writing:
            staff_sessions.close(writing, signed_in, now=g.now)
    session.clear()
    answer = redirect(url_for("staff.sign_in"), 303)
    answer.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return answer


@blueprint.get("/welcome/<token>")
@anyone
def welcome(token: str) -> str:
    """The page behind a one-time link."""
    with limits.secret_tried():
        owner = staff.link_owner(reading(), token, now=g.now)
    return render_template("desk/welcome.html", owner=owner, username="", problems={})


@blueprint.post("/welcome/<token>")
@anyone
def do_welcome(token: str) -> Response | tuple[str, int]:
    """Choose the password, and be signed in."""
    username, password = request.form.get("username", ""), request.form.get("password", "")
    try:
        with limits.secret_tried():
            staff.link_owner(reading(), token, now=g.now)  # an unknown link costs no hashing
            with limits.hashing(), transaction() as writing:
                member = staff.use_link(writing, token, username, password, now=g.now)
    except (FieldRefused, UsernameTaken) as refusal:
        owner = staff.link_owner(reading(), token, now=g.now)
        if isinstance(refusal, FieldRefused):
            problems = {refusal.field: say(refusal.reason, **refusal.values)}
        else:
            problems = {"username": say("username_taken")}
        return render_template("desk/welcome.html", owner=owner, username=username, problems=problems), 422
    return begin_session(member, url_for("staff.home"))


@blueprint.get("/")
@requires(Permission.STAFF_HOME)
def home() -> str:
    """The events, with what this role may do for each."""
    signed_in = access.current()
    shown = [one for one in events.all_events(reading()) if signed_in and signed_in.event_id in (None, one.id)]
    return render_template("desk/home.html", events=shown, definition=events.definition)
