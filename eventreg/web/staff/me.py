"""Password and second factor: changed by their owner, who gives the password and a code once more;
reset for a colleague who lost the telephone. Further pages of ``accounts``."""

from collections.abc import Callable
from typing import TypeVar

from flask import g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from eventreg.core.errors import CodeWrong, FieldRefused, ProofWrong
from eventreg.core.models.staff import StaffMember
from eventreg.core.staff import accounts, credentials, second_factor, sessions
from eventreg.core.staff.permissions import Permission
from eventreg.storage.session import Session, reading, write
from eventreg.web import access
from eventreg.web.access import requires
from eventreg.web.language import say, say_refusal
from eventreg.web.limits import limits
from eventreg.web.staff import notes
from eventreg.web.staff.accounts import blueprint, me_page, staff_stamp
from eventreg.web.wire import browser
from eventreg.web.wire.answers import Answer

T = TypeVar("T")


def _with_proof(act: Callable[[Session, StaffMember], T]) -> T:
    """Do ``act`` for whoever gives the password of this account (``password``) and, with a second
    factor, its code (``code``); ``ProofWrong`` else. Slower and slower where they keep being
    wrong."""
    staff_id, now, counters = access.actor().staff_id or 0, g.now, limits.limits()
    password, code = request.form.get("password", ""), request.form.get("code", "")
    account = f"proof {staff_id}"
    counters.check_account(account)
    with limits.hashing():
        fitting = credentials.matching_hash(accounts.by_id(reading(), staff_id), password)
        try:
            done = write(
                lambda writing: act(
                    writing, credentials.require_proof(writing, staff_id, fitting, code, now=now)
                )
            )
        except (ProofWrong, CodeWrong):
            counters.sign_in_failed(account)
            raise
    counters.sign_in_worked(account)
    return done


def _proof_wrong() -> str:
    """What is told where the proof was wrong: nobody without a second factor is asked for a
    code."""
    own = accounts.by_id(reading(), access.actor().staff_id or 0)
    return say("refused_proof_wrong" if own.totp_secret else "password_wrong")


@blueprint.post("/me/second-factor")
@requires(Permission.MANAGE_STAFF)
def set_factor() -> Answer:
    """Turn the second factor on, or put another telephone in its place, with a code that proves the
    telephone has the new secret; or turn it off."""
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
        told = say("refused_code_wrong") if isinstance(wrong, CodeWrong) else _proof_wrong()
        return me_page({"second-factor": told}, held), 422
    if codes:
        notes.keep("codes", codes)
    else:
        notes.keep("done", "second_factor_is_off")
    return redirect(url_for("accounts.me"), 303)


@blueprint.post("/me/password")
@requires(Permission.STAFF_HOME)
def change_password() -> Answer:
    """Another password. Other browsers are signed out, and this one gets a new session."""
    chosen, device, now = request.form.get("new-password", ""), browser.machine(), g.now

    def act(writing: Session, member: StaffMember) -> str:
        credentials.change_password(writing, member, chosen, now=now)
        return sessions.open_for(writing, member, now=now, device=device)

    try:
        token = _with_proof(act)
    except ProofWrong:
        return me_page({"proof": _proof_wrong()}), 422
    except FieldRefused as refusal:
        return me_page({"password": say_refusal(refusal)}), 422
    answer = access.hold_session(token, url_for("accounts.me"))
    notes.keep("done", "password_changed")
    return answer


@blueprint.get("/accounts/<id:staff_id>/second-factor")
@requires(Permission.MANAGE_STAFF)
def reset_form(staff_id: int) -> Answer:
    """Ask for one's own password and code, before a colleague's second factor is turned off."""
    if accounts.by_id(reading(), staff_id).totp_secret is None:
        return redirect(url_for("accounts.listed"), 303)
    return _reset_page(staff_id)


def _reset_page(staff_id: int, problem: str = "") -> str:
    member = accounts.by_id(reading(), staff_id)
    own = accounts.by_id(reading(), access.actor().staff_id or 0)
    return render_template("staff/reset_factor.html", member=member, own=own, problem=problem)


@blueprint.post("/accounts/<id:staff_id>/second-factor")
@requires(Permission.MANAGE_STAFF)
def reset_factor(staff_id: int) -> Answer:
    """Turn a colleague's second factor off; its owner is told at the next sign-in."""
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
    """The owner has read that somebody else turned the second factor off."""
    own_id = access.actor().staff_id or 0
    write(lambda writing: credentials.mark_reset_read(writing, own_id))
    return redirect(url_for("staff.home"), 303)


def factor_reset() -> str:
    """For the frame of staff pages: that somebody else turned this account's second factor off, who
    and when; empty otherwise."""
    signed_in = g.get("signed_in")
    if signed_in is None or signed_in.factor_reset_at is None:
        return ""
    reset_by = accounts.by_id(reading(), signed_in.actor.staff_id).factor_reset_by
    who = (
        accounts.by_id(reading(), reset_by).username
        if reset_by
        else say("second_factor_reset_by_command")
    )
    return say("second_factor_was_reset", who=who, when=staff_stamp(signed_in.factor_reset_at))
