"""The page about oneself: own browsers, password and second factor; and resetting the second factor
of a colleague who lost the telephone.

Password and second factor are changed only if the password and, with a second factor, a code are
given once more. These pages belong to the blueprint of ``accounts``.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from flask import g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from eventreg import log
from eventreg.core.errors import CodeWrong, FieldRefused, ProofWrong
from eventreg.core.event import events
from eventreg.core.models.staff import Role, StaffMember
from eventreg.core.staff import accounts, credentials, second_factor, sessions
from eventreg.core.staff.permissions import Permission
from eventreg.core.values import whole_numbers
from eventreg.storage.session import Session, reading, write
from eventreg.web import access, notes, qr_code
from eventreg.web.access import requires
from eventreg.web.language import say, say_refusal, stamp
from eventreg.web.limits import limits
from eventreg.web.limits.hashing import hashing
from eventreg.web.staff import kept_forms
from eventreg.web.staff.accounts import blueprint
from eventreg.web.wire import browser
from eventreg.web.wire.answers import Answer

T = TypeVar("T")


@blueprint.get("/me")
@requires(Permission.STAFF_HOME)
def me() -> str:
    """One's own browsers, and the forms that change password and second factor."""
    return _me_page()


def _me_page(problems: Mapping[str, str] | None = None, secret: str = "") -> str:
    """The page. ``problems`` has one sentence for each form, by its name; ``secret`` is the new
    second factor that a telephone may already hold."""
    shown = {what: notes.take(what) for what in ("codes", "done")}
    signed_in, member = access.current(), _own_account()
    may_have_factor, is_held = member.role == Role.ORGANISER, bool(secret)
    secret = (secret or second_factor.new_secret()) if may_have_factor else ""
    return render_template(
        "staff/me.html",
        member=member,
        browsers=sessions.of_account(reading(), member.id, now=g.now),
        here=signed_in.session_id if signed_in else 0,
        paired=bool(signed_in and signed_in.event_id),
        may_have=may_have_factor,
        secret=secret,
        held=is_held,
        qr=qr_code.svg(second_factor.address(member, secret)) if may_have_factor else "",
        problems=problems or {},
        staff_stamp=_staff_stamp,
        **shown,
    )


def _own_account() -> StaffMember:
    return accounts.by_id(reading(), access.actor().staff_id or 0)


def _staff_stamp(moment: datetime) -> str:
    """A moment in the time zone of the next event, where the staff are; UTC if there is none."""
    coming = events.still_to_come(reading(), g.now)
    return stamp(moment, events.zone(coming[0]) if coming else ZoneInfo("UTC"))


@blueprint.post("/me/browsers")
@requires(Permission.STAFF_HOME)
def end_browser() -> Response:
    """Sign one of one's own browsers out."""
    signed_in, now = access.current(), g.now
    session_id = whole_numbers.parse(request.form.get("browser", ""))
    if signed_in is not None and session_id is not None:
        write(lambda writing: sessions.end_own(writing, signed_in, session_id, now=now))
    return redirect(url_for("accounts.me"), 303)


def _with_proof(act: Callable[[Session, StaffMember], T]) -> T:
    """Do ``act`` if the form has this account's ``password`` and, with a second factor, a ``code``;
    ``ProofWrong`` otherwise. Mistakes are counted, also a ``CodeWrong`` of ``act``. After five it
    raises ``TooOften`` for longer and longer."""
    staff_id, now, counters = access.actor().staff_id or 0, g.now, limits.limits()
    password, code = request.form.get("password", ""), request.form.get("code", "")
    account = f"proof {staff_id}"
    counters.check_account(account)
    with hashing():
        fitting = credentials.matching_hash(accounts.by_id(reading(), staff_id), password)
        try:
            done = write(
                lambda writing: act(
                    writing, credentials.require_proof(writing, staff_id, fitting, code, now=now)
                )
            )
        except (ProofWrong, CodeWrong):
            counters.sign_in_failed(account)
            log.event("sign-in-failed")
            raise
    counters.sign_in_worked(account)
    return done


def _proof_wrong() -> str:
    """The sentence for a wrong proof. It names the code only if the account has a second factor."""
    return say("refused_proof_wrong" if _own_account().totp_secret else "password_wrong")


@blueprint.post("/me/second-factor")
@requires(Permission.MANAGE_STAFF)
def set_factor() -> Answer:
    """Turn the second factor on, move it to another telephone, or turn it off. The first two need a
    code that proves that the telephone holds the new secret."""
    secret, off = request.form.get("secret", ""), request.form.get("act") == "off"
    new_code = request.form.get("new-code") or request.form.get("code", "")
    by, now = access.actor(), g.now

    def act(writing: Session, member: StaffMember) -> list[str]:
        if off:
            second_factor.turn_off(writing, member, by=by, now=now)
            return []
        return second_factor.turn_on(writing, member, secret, new_code, by=by, now=now)

    try:
        codes = _with_proof(act)
    except (ProofWrong, CodeWrong) as wrong:
        held = secret if second_factor.is_secret(secret) and not off else ""
        problem = say("refused_code_wrong") if isinstance(wrong, CodeWrong) else _proof_wrong()
        return _me_page({"second-factor": problem}, held), 422
    if codes:
        notes.keep("codes", codes)
    else:
        notes.keep("done", "second_factor_is_off")
    return redirect(url_for("accounts.me"), 303)


@blueprint.post("/me/password")
@requires(Permission.STAFF_HOME)
def change_password() -> Answer:
    """Change the password. Other browsers are signed out, and this one gets a new session. No
    browser is a known one any more (see ``known_browsers``)."""
    chosen, device, now = request.form.get("new-password", ""), browser.machine(), g.now

    def act(writing: Session, member: StaffMember) -> str:
        credentials.change_password(writing, member, chosen, now=now)
        return sessions.open_for(writing, member, now=now, device=device)

    try:
        token = _with_proof(act)
    except ProofWrong:
        return _me_page({"proof": _proof_wrong()}), 422
    except FieldRefused as refusal:
        return _me_page({"password": say_refusal(refusal)}), 422
    answer = access.hold_session(token, url_for("accounts.me"))
    kept_forms.note_whose(_own_account())
    notes.keep("done", "password_changed")
    return answer


@blueprint.get("/accounts/<id:staff_id>/second-factor")
@requires(Permission.MANAGE_STAFF)
def reset_form(staff_id: int) -> Answer:
    """Ask for one's own password and code before a colleague's second factor is turned off."""
    if accounts.by_id(reading(), staff_id).totp_secret is None:
        return redirect(url_for("accounts.listed"), 303)
    return _reset_page(staff_id)


def _reset_page(staff_id: int, problem: str = "") -> str:
    member, own = accounts.by_id(reading(), staff_id), _own_account()
    return render_template("staff/reset_factor.html", member=member, own=own, problem=problem)


@blueprint.post("/accounts/<id:staff_id>/second-factor")
@requires(Permission.MANAGE_STAFF)
def reset_factor(staff_id: int) -> Answer:
    """Turn a colleague's second factor off. The colleague is signed out everywhere, and reads of it
    after the next sign-in. 409 if there is none."""
    by, now = access.actor(), g.now

    def act(writing: Session, _: StaffMember) -> None:
        credentials.reset_factor(writing, accounts.by_id(writing, staff_id), by=by, now=now)

    try:
        _with_proof(act)
    except ProofWrong:
        return _reset_page(staff_id, _proof_wrong()), 422
    notes.keep("done", "second_factor_is_off")
    return redirect(url_for("accounts.listed"), 303)


@blueprint.post("/me/factor-reset")
@requires(Permission.STAFF_HOME)
def reset_read() -> Response:
    """Note that the owner has read who turned the second factor off, and stop showing it."""
    own_id = access.actor().staff_id or 0
    write(lambda writing: credentials.mark_reset_read(writing, own_id))
    return redirect(url_for("staff.home"), 303)


def factor_reset() -> str:
    """For the frame of staff pages: who turned this account's second factor off, and when. Empty if
    no one did, or if the owner has read it."""
    signed_in = g.get("signed_in")
    if signed_in is None or signed_in.factor_reset_at is None:
        return ""
    reset_by = accounts.by_id(reading(), signed_in.actor.staff_id).factor_reset_by
    who = (
        accounts.by_id(reading(), reset_by).username
        if reset_by
        else say("second_factor_reset_by_command")
    )
    return say("second_factor_was_reset", who=who, when=_staff_stamp(signed_in.factor_reset_at))
