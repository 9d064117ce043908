"""An act that asks for the password and, with a second factor, a code once more."""

from collections.abc import Callable
from typing import TypeVar

from flask import g, request

from eventreg import log
from eventreg.core.errors import CodeWrong, ProofWrong
from eventreg.core.models.staff import StaffMember
from eventreg.core.staff import accounts, credentials
from eventreg.storage.session import Session, reading, write
from eventreg.web import access
from eventreg.web.language import say
from eventreg.web.limits import limits
from eventreg.web.limits.hashing import hashing

T = TypeVar("T")


def own_account() -> StaffMember:
    """The account of who is signed in."""
    return accounts.by_id(reading(), access.actor().staff_id or 0)


def with_proof(act: Callable[[Session, StaffMember], T]) -> T:
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


def is_wrong() -> str:
    """The sentence for a wrong proof. It names the code only if the account has a second factor."""
    return say("refused_proof_wrong" if own_account().totp_secret else "password_wrong")
