"""Secrets that a signed-in browser is shown once, such as a new link or recovery codes.

The secret is stored in the session's row, encrypted with the token that only the browser holds.
So neither the cookie nor a copy of the database reveals it. It is deleted when it is shown, and
when the session ends.
"""

import json

from sqlalchemy import select
from sqlalchemy.orm import Session

from eventreg.core.models.staff import StaffSession
from eventreg.core.values import sealed, tokens


def _row(session: Session, token: str) -> StaffSession | None:
    theirs = StaffSession.token_digest == tokens.digest(token)
    return session.scalar(select(StaffSession).where(theirs).with_for_update())


def keep(session: Session, token: str, what: str, shown: object) -> None:
    """Store ``shown`` for the page that shows ``what``. It replaces an earlier note, even one for
    another page. Does nothing if the token has no session."""
    browser = _row(session, token)
    if browser is not None:
        browser.note = sealed.seal(token, json.dumps([what, shown]))


def pop(session: Session, token: str, what: str) -> object:
    """Delete and return the note for the page that shows ``what``; ``None`` if there is none. A
    note for another page stays."""
    browser = _row(session, token)
    if browser is None or browser.note is None:
        return None
    for_what, shown = json.loads(sealed.unseal(token, browser.note))
    if for_what != what:
        return None
    browser.note = None
    return shown
