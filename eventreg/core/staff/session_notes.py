"""What a signed-in browser is to be shown once: a link that was just made, recovery codes.

It waits in the session's row, under a pad made from the token that only the browser holds. So
neither the cookie tells it, nor the database or a copy of it. Showing it deletes it, and so does
the end of the session.
"""

import hashlib
import json
import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.core.models.staff import StaffSession
from eventreg.core.values import tokens

_NONCE = 16
"""Bytes that make each pad another one."""


def _padded(token: str, nonce: bytes, text: bytes) -> bytes:
    """``text`` under its pad, or out of it. The token has 256 random bits, and no pad is used a
    second time."""
    pad = hashlib.shake_256(b"note" + nonce + token.encode()).digest(len(text))
    return bytes(one ^ other for one, other in zip(text, pad, strict=True))


def _row(session: Session, token: str) -> StaffSession | None:
    theirs = StaffSession.token_digest == tokens.digest(token)
    return session.scalar(select(StaffSession).where(theirs).with_for_update())


def keep(session: Session, token: str, what: str, shown: object) -> None:
    """Let this wait for the page that shows ``what``; anything earlier that nobody saw is
    dropped."""
    browser = _row(session, token)
    if browser is not None:
        nonce = secrets.token_bytes(_NONCE)
        browser.note = (nonce + _padded(token, nonce, json.dumps([what, shown]).encode())).hex()


def take(session: Session, token: str, what: str) -> object:
    """What waits for the page that shows ``what``, and then waits no more; ``None`` where nothing
    does."""
    browser = _row(session, token)
    if browser is None or browser.note is None:
        return None
    kept = bytes.fromhex(browser.note)
    for_what, shown = json.loads(_padded(token, kept[:_NONCE], kept[_NONCE:]))
    if for_what != what:
        return None
    browser.note = None
    return shown
