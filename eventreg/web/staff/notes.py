"""What the next page shows once, after a form was sent: kept on the server, never in the cookie."""

from flask import session

from eventreg.core.staff import session_notes
from eventreg.storage.session import write
from eventreg.web import access


def keep(what: str, shown: object) -> None:
    """Let the page that shows ``what`` show this, to this browser, once."""
    token = str(session.get("id", ""))
    write(lambda writing: session_notes.keep(writing, token, what, shown))


def take(what: str) -> object:
    """What was kept for this page; ``None`` for nothing."""
    signed_in, token = access.current(), str(session.get("id", ""))
    if signed_in is None or not signed_in.has_note:
        return None
    return write(lambda writing: session_notes.pop(writing, token, what))
