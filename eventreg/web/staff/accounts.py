"""The accounts of people: list them, invite, change a role, make a link, lock and unlock."""

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from eventreg.core.errors import FieldRefused, StaffUnknown, UsernameTaken
from eventreg.core.models.staff import Role
from eventreg.core.staff import accounts
from eventreg.core.staff.permissions import Permission
from eventreg.storage.session import Session, reading, write
from eventreg.web import access, guard, notes
from eventreg.web.access import requires
from eventreg.web.language import say, say_refusal
from eventreg.web.wire.answers import Answer

blueprint = Blueprint("accounts", __name__, url_prefix="/staff")
_SAID = {"lock": "locked_now", "unlock": "unlocked_now", "role": "role_changed_now"}
"""What the list says after an act."""


def _role_sent() -> Role | None:
    sent = request.form.get("role", "")
    return Role(sent) if sent in list(Role) else None


@blueprint.get("/accounts")
@requires(Permission.MANAGE_STAFF, password=True)
def listed() -> str:
    """The accounts of people, including disabled ones, and a form to invite one more. A link that
    was just made is shown once."""
    return _list_page()


def _list_page(problem: str = "", username: str = "") -> str:
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
    """Make an account, and the link with which its owner chooses a password."""
    username, role, by, now = request.form.get("username", ""), _role_sent(), access.actor(), g.now
    if role is None:
        return _list_page(say("role_missing"), username), 422

    def act(writing: Session) -> str:
        member = accounts.add(writing, username, role, by=by, now=now)
        return accounts.make_link(writing, member, by=by, now=now)

    try:
        _keep_link(write(act))
    except FieldRefused as refusal:
        return _list_page(say_refusal(refusal), username), 422
    except UsernameTaken:
        return _list_page(say("username_taken"), username), 422
    return redirect(url_for("accounts.listed"), 303)


def _keep_link(token: str) -> None:
    """Keep the link's address for the next page, which shows it once."""
    notes.keep("link", guard.settings().public_url + url_for("staff.welcome", token=token))


@blueprint.post("/accounts/<id:staff_id>")
@requires(Permission.MANAGE_STAFF, password=True)
def change(staff_id: int) -> Answer:
    """Change the role, make a new link, lock the account or unlock it. A new role ends its
    sessions at once, ``lock`` also its links, and a new link replaces the earlier one. 409 if no
    organiser could sign in afterwards."""
    act, role, by, now = request.form.get("act", ""), _role_sent(), access.actor(), g.now

    def changed(writing: Session) -> str | None:
        member = accounts.by_id(writing, staff_id)
        if request.form.get("account", member.username) != member.username:
            raise StaffUnknown  # since a backup was restored, the number is another account's
        if act == "role" and role is not None:
            accounts.change_role(writing, member, role, by=by, now=now)
        elif act == "lock":
            accounts.disable(writing, member, by=by, now=now)
        elif act == "unlock" and member.event_id is None:
            accounts.enable(writing, member, by=by, now=now)
        elif act == "link" and member.disabled_at is None and member.event_id is None:
            return accounts.make_link(writing, member, by=by, now=now)
        return None

    token = write(changed)
    if token:
        _keep_link(token)
    elif act in _SAID:
        notes.keep("done", _SAID[act])
    return redirect(url_for("accounts.listed"), 303)


@blueprint.get("/accounts/<id:staff_id>/lock")
@requires(Permission.MANAGE_STAFF, password=True)
def ask_lock(staff_id: int) -> Answer:
    """Ask before an account is locked, and say what that does."""
    member = accounts.by_id(reading(), staff_id)
    if member.disabled_at is not None:
        return redirect(url_for("accounts.listed"), 303)
    own = member.id == access.actor().staff_id
    return render_template("staff/lock.html", member=member, own=own)


@blueprint.get("/accounts/<id:staff_id>")
@requires(Permission.MANAGE_STAFF)
def one(staff_id: int) -> Response:  # noqa: ARG001
    """Lead to the list: the page that asks for the password again returns to this address."""
    return redirect(url_for("accounts.listed"), 303)
