"""Sign in with name, password and code, or with a one-time link; sign out; give the password once
more before a critical act."""

from typing import Any

from flask import Blueprint, abort, g, redirect, render_template, request, session, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from eventreg import log
from eventreg.core.errors import CodeWrong, FieldRefused, SignInFailed, UsernameTaken
from eventreg.core.event import events
from eventreg.core.models.staff import StaffMember
from eventreg.core.staff import accounts, known_browsers, sessions
from eventreg.core.staff import sign_in as proofs
from eventreg.core.staff.permissions import Permission
from eventreg.core.values.normal_form import normalize
from eventreg.storage.session import Session, reading, transaction, write
from eventreg.web import access
from eventreg.web.access import anyone, requires
from eventreg.web.language import say, say_refusal
from eventreg.web.limits import limits, tries
from eventreg.web.limits.hashing import hashing
from eventreg.web.limits.tries import Try
from eventreg.web.staff import kept_forms
from eventreg.web.wire import browser

_CARRIED = "kept"
"""The field of the sign-in form that carries a form sent after its session had ended."""
blueprint = Blueprint("staff", __name__, url_prefix="/staff")


def own_path(target: str) -> str:
    """The target if it is a path of this server, else the list of events."""
    plain = (
        target.startswith("/")
        and not target.startswith("//")
        and "\\" not in target
        and target.isprintable()
    )
    return target if plain else url_for("staff.home")


def _begin(writing: Session, member: StaffMember, known: int | None) -> tuple[str, str | None]:
    """Open a session. Returns its token, and the secret by which this browser is known from now
    on."""
    token = sessions.open_for(writing, member, now=g.now, device=browser.machine())
    return token, known_browsers.remember(writing, member, known, now=g.now)


def _hold(member: StaffMember, token: str, secret: str | None, target: str) -> Response:
    """Give the browser the new session, and drop what its cookie held before."""
    answer = access.hold_session(token, target)
    kept_forms.note_whose(member)
    tries.remember(answer, member, secret)
    return answer


def begin_session(member: StaffMember, target: str) -> Response:
    """Sign in a member who has just chosen a password."""
    with transaction() as writing:
        token, secret = _begin(writing, member, None)
    return _hold(member, token, secret, target)


@blueprint.get("/sign-in")
@anyone
def sign_in() -> str:
    """The form for name, password and the code of a second factor."""
    return _sign_in_page(next=request.args.get("next", ""))


def _sign_in_page(**more: Any) -> str:
    known = {"username": "", "problem": None, "next": "", "kept": ""}
    return render_template("staff/sign_in.html", **{**known, **more})


def signed_out_page() -> str:
    """The sign-in form instead of a page whose session has ended. It carries the form that was
    sent, if that may be kept."""
    kept = kept_forms.keep()
    said = "signed_out" if kept or not _has_typed_fields() else "signed_out_not_kept"
    return _sign_in_page(problem=say(said), kept=kept)


def _has_typed_fields() -> bool:
    try:
        return bool(request.form.keys() - {"csrf_token"})
    except HTTPException:  # too large to be read
        return True


@blueprint.post("/sign-in")
@anyone
def do_sign_in() -> Response | tuple[str, int]:
    """Check name, password and code. A refusal does not say which was wrong. Repeated mistakes are
    delayed longer and longer."""
    username, password = request.form.get("username", ""), request.form.get("password", "")
    code = normalize("NFKC", request.form.get("code", ""))
    target, kept = request.form.get("next", ""), request.form.get(_CARRIED, "")
    one = Try(username)
    try:
        with hashing():
            one.begin()
            opened = proofs.check(reading(), username, password, code, now=g.now)
        with transaction() as writing:
            member = proofs.check_again(writing, opened, code, now=g.now)
            token, secret = _begin(writing, member, one.known)
    except SignInFailed:
        one.failed()
        log.event("sign-in-failed")
        kept = kept if kept_forms.read(kept) else ""
        return _sign_in_page(
            username=username, problem=say("sign_in_failed"), next=target, kept=kept
        ), 422
    one.worked()
    return _go_on(member, _hold(member, token, secret, own_path(target)), kept)


def _go_on(member: StaffMember, onward: Response, signed: str) -> Response | tuple[str, int]:
    """The page after signing in: ``onward``, or the form that was kept, to be sent again."""
    kept = kept_forms.read(signed)
    if kept is None or not kept.is_for(member):
        return onward
    page = render_template(
        "staff/once_more.html",
        action=kept.action,
        fields=kept.fields,
        act=say(kept_forms.ACTS[kept.endpoint]),
        about=kept_forms.about(kept),
        kept_fields=kept_forms.in_words(kept),
    )
    onward.set_data(page)
    onward.status_code = 200
    del onward.headers["Location"]
    return onward


@blueprint.get("/password")
@requires(Permission.STAFF_HOME)
def password() -> str:
    """Ask for the password once more, before an export or an act that cannot be undone."""
    return render_template("staff/password.html", next=request.args.get("next", ""), problem="")


@blueprint.post("/password")
@requires(Permission.STAFF_HOME)
def do_password() -> Response | tuple[str, int]:
    """Check the password, and lead back to the page that asked for it."""
    signed_in, target, counters = access.current(), request.form.get("next", ""), limits.limits()
    if signed_in is None:
        abort(401)
    # A counter of its own: wrong guesses of strangers at the sign-in page do not delay this one.
    account = f"password again {signed_in.actor.staff_id}"
    counters.check_account(account)
    try:
        with hashing():
            accounts.verify(reading(), signed_in.actor.name, request.form.get("password", ""))
    except SignInFailed:
        counters.sign_in_failed(account)
        log.event("sign-in-failed")
        return render_template(
            "staff/password.html", next=target, problem=say("password_wrong")
        ), 422
    counters.sign_in_worked(account)
    with transaction() as writing:
        sessions.mark_proved(writing, signed_in.session_id, now=g.now)
    return redirect(own_path(target), 303)


@blueprint.post("/sign-out")
@requires(Permission.STAFF_HOME)
def sign_out() -> Response:
    """End the session, also for copies of its cookie. The browser's storage is cleared only if
    ``nothing-unsent`` is "yes": its script has looked, and every act of the door was uploaded."""
    kept = '"cache"' if request.form.get("nothing-unsent") != "yes" else '"cache", "storage"'
    signed_in = access.current()
    if signed_in:
        with transaction() as writing:
            sessions.sign_out(writing, signed_in, now=g.now)
    session.clear()
    answer = redirect(url_for("staff.sign_in"), 303)
    # Not "cookies": one of them makes this browser known, and is worthless without the password.
    answer.headers["Clear-Site-Data"] = kept
    return answer


@blueprint.get("/welcome/<token>")
@anyone
def welcome(token: str) -> str:
    """The page of a one-time link: the form for the password."""
    with limits.secret_tried():
        owner = accounts.link_owner(reading(), token, now=g.now)
    return render_template("staff/welcome.html", owner=owner, username="", problems={})


@blueprint.post("/welcome/<token>")
@anyone
def do_welcome(token: str) -> Response | tuple[str, int]:
    """Set the password, and sign in. Other sessions of the account end."""
    username, password = request.form.get("username", ""), request.form.get("password", "")
    try:
        with limits.secret_tried():
            member = _use_link(token, username, password, request.form.get("code", ""))
    except (FieldRefused, UsernameTaken, CodeWrong) as refusal:
        owner = accounts.link_owner(reading(), token, now=g.now)
        if isinstance(refusal, FieldRefused):
            problems = {refusal.field: say_refusal(refusal)}
        elif isinstance(refusal, CodeWrong):
            problems = {"code": say("refused_code_wrong")}
        else:
            problems = {"username": say("username_taken")}
        return render_template(
            "staff/welcome.html", owner=owner, username=username, problems=problems
        ), 422
    return begin_session(member, url_for("staff.home"))


def _use_link(token: str, username: str, password: str, code: str) -> StaffMember:
    """Use the link to set the password. A wrong code of the second factor counts against the link,
    and the next try is delayed."""
    owner, now, counters = accounts.link_owner(reading(), token, now=g.now), g.now, limits.limits()
    account = f"link {owner.id if owner else 0}"
    counters.check_account(account)

    def act(writing: Session) -> StaffMember | None:
        try:
            return accounts.use_link(writing, token, username, password, code=code, now=now)
        except CodeWrong:
            # Caught here, so that the count is committed. Nothing else was changed.
            accounts.count_wrong_code(writing, token, now=now)
            return None

    with hashing():
        member = write(act)
    if member is None:
        counters.sign_in_failed(account)
        log.event("sign-in-failed")
        raise CodeWrong
    counters.sign_in_worked(account)
    return member


@blueprint.get("/")
@requires(Permission.STAFF_HOME)
def home() -> str:
    """The events, with links to what this role may do."""
    signed_in = access.current()
    shown = [
        one
        for one in events.all_events(reading())
        if signed_in and signed_in.event_id in (None, one.id)
    ]
    return render_template(
        "staff/home.html", events=shown, definition=events.definition, zone=events.zone
    )
