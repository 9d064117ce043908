"""What the next page shows once, such as a new link. Kept on the server, never in the cookie."""

from flask import session

from eventreg.core.staff import session_notes
from eventreg.storage.session import write
from eventreg.web import access


def keep(what: str, shown: object) -> None:
    """Keep a note for the page that shows ``what``, in this browser's session. It replaces any
    earlier note."""
    token = str(session.get("id", ""))
    write(lambda writing: session_notes.keep(writing, token, what, shown))


def take(what: str) -> object:
    """The note for the page that shows ``what``, which is then deleted; ``None`` if there is
    none."""
    signed_in, token = access.current(), str(session.get("id", ""))
    if signed_in is None or not signed_in.has_note:
        return None
    return write(lambda writing: session_notes.pop(writing, token, what))
