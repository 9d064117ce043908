"""Who may see a page: each view says so, and a view that does not is closed to everybody."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint, abort, current_app, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from eventreg.core import events, staff, staff_sessions
from eventreg.core.audit import Actor
from eventreg.core.errors import FieldRefused, SignInFailed, UsernameTaken
from eventreg.core.staff import Permission
from eventreg.core.staff_models import StaffMember
from eventreg.core.staff_sessions import SignedIn
from eventreg.db import reading, transaction
from eventreg.web import language, limits
from eventreg.web.language import say

View = TypeVar("View", bound=Callable[..., Any])
EVERYBODY = "everybody"
_KEPT = "kept-"
_NOT_KEPT = {"csrf_token", "password"}

blueprint = Blueprint("staff", __name__, url_prefix="/staff")


def anyone(view: View) -> View:
    """This page is public."""
    view.needs = EVERYBODY  # type: ignore[attr-defined]
    return view


def requires(permission: Permission) -> Callable[[View], View]:
    """This page is for staff whose role has that permission."""

    def marked(view: View) -> View:
        view.needs = permission  # type: ignore[attr-defined]
        return view

    return marked


def need_of(endpoint: str) -> Permission | str | None:
    """What a route asks for: a permission, ``EVERYBODY``, or nothing, which is a mistake in the house."""
    if endpoint == "static":
        return EVERYBODY
    return getattr(current_app.view_functions[endpoint], "needs", None)


def check() -> Response | None:
    """Before each request: let in who may; send the others to sign in, or away."""
    g.signed_in = None
    if request.endpoint is None:
        return None
    need = need_of(request.endpoint)
    if need is None:
        abort(403)
    if need == EVERYBODY:
        return None
    signed_in = current()
    if signed_in is None:
        if request.method not in {"GET", "HEAD"} or not language.wants_page():
            abort(401)
        return redirect(url_for("staff.sign_in", next=request.full_path.rstrip("?")), 303)
    if not staff.may(signed_in.role, Permission(need)):
        abort(403)
    return None


def current() -> SignedIn | None:
    """Who is signed in with this browser; asked of the database once a request."""
    found: SignedIn | None = g.get("signed_in")
    token = session.get("id")
    if found is None and isinstance(token, str):
        found = staff_sessions.find(reading(), token, now=g.now)
        if found and found.unseen:
            with transaction() as writing:
                staff_sessions.seen(writing, found.session_id, now=g.now)
        g.signed_in = found
    return found


def actor() -> Actor:
    """The staff member who acts; only for views that require a permission."""
    signed_in = current()
    if signed_in is None:
        abort(401)
    return signed_in.actor


def may(permission: str) -> bool:
    """For templates: whether to offer something."""
    signed_in = g.get("signed_in")
    return signed_in is not None and staff.may(signed_in.role, Permission(permission))


def _own_path(target: str) -> str:
    """A place to go after signing in: a path of ours, nothing else."""
    plain = target.startswith("/") and not target.startswith("//") and "\\" not in target and target.isprintable()
    return target if plain else url_for("staff.home")


def _begin_session(member: StaffMember, target: str) -> Response:
    """A new session id for whoever just proved who they are; whatever the browser held before is dropped."""
    speaks = session.get("language")
    with transaction() as writing:
        token = staff_sessions.open_for(writing, member, now=g.now)
    session.clear()
    session["id"] = token
    if speaks:
        session["language"] = speaks
    return redirect(target, 303)


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
    counters.sign_in_worked(account)
    onward = _begin_session(member, _own_path(target))
    typed = {name.removeprefix(_KEPT): value for name, value in _kept().items()}
    if not typed:
        return onward
    return render_template("desk/once_more.html", action=_own_path(target), typed=typed), 200


@blueprint.post("/sign-out")
@requires(Permission.STAFF_HOME)
def sign_out() -> Response:
    """End the session, on this browser and wherever its cookie was copied to."""
    signed_in = current()
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
        with limits.secret_tried(), limits.hashing(), transaction() as writing:
            member = staff.use_link(writing, token, username, password, now=g.now)
    except (FieldRefused, UsernameTaken) as refusal:
        owner = staff.link_owner(reading(), token, now=g.now)
        if isinstance(refusal, FieldRefused):
            problems = {refusal.field: say(refusal.reason, **refusal.values)}
        else:
            problems = {"username": say("username_taken")}
        return render_template("desk/welcome.html", owner=owner, username=username, problems=problems), 422
    return _begin_session(member, url_for("staff.home"))


@blueprint.get("/")
@requires(Permission.STAFF_HOME)
def home() -> str:
    """The events, with what this role may do for each."""
    return render_template("desk/home.html", events=events.all_events(reading()), definition=events.definition)
