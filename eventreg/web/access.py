"""Check who may use a page. Each view declares it; a view that declares nothing is closed."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

from flask import abort, current_app, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from eventreg.core.audit import Actor
from eventreg.core.door import devices
from eventreg.core.door_errors import DeviceRevoked
from eventreg.core.errors import Busy
from eventreg.core.event import events
from eventreg.core.staff import permissions, sessions
from eventreg.core.staff.permissions import Permission
from eventreg.core.staff.sessions import SignedIn
from eventreg.storage.session import reading, transaction, write
from eventreg.web import language
from eventreg.web.wire.answers import for_script

View = TypeVar("View", bound=Callable[..., Any])
EVERYBODY = "everybody"
"""The need of a public page."""
PROOF_LASTS = timedelta(minutes=10)
DEVICE = "X-Door-Device"
"""The header in which the script of a door names its device."""


def anyone(view: View) -> View:
    """Declare a view public."""
    view.needs = EVERYBODY  # type: ignore[attr-defined]
    return view


def requires(permission: Permission, *, password: bool = False) -> Callable[[View], View]:
    """Declare that a view needs a permission and, with ``password``, that the staff member gave the
    password in the last ten minutes."""

    def marked(view: View) -> View:
        view.needs = permission  # type: ignore[attr-defined]
        view.wants_password = password  # type: ignore[attr-defined]
        return view

    return marked


def need_of(endpoint: str) -> Permission | str | None:
    """What a route requires: a permission or ``EVERYBODY``. ``None`` means that its view forgot to
    declare it; such a page is closed."""
    if endpoint == "static":
        return EVERYBODY
    return getattr(current_app.view_functions[endpoint], "needs", None)


def check() -> Response | None:
    """Check each request before its view runs: redirect to sign-in or to the page that asks for the
    password, or refuse with 401 or 403."""
    g.signed_in = None
    if request.endpoint is None:
        return None
    need = need_of(request.endpoint)
    if need is None:
        abort(403)
    if need == EVERYBODY:
        return None
    signed_in = current()
    refused = for_script()
    if signed_in is None:
        _check_revoked()
        if refused:
            return refused("session-expired")
        if request.method not in {"GET", "HEAD"} or not language.wants_page():
            abort(401)
        return redirect(url_for("staff.sign_in", next=request.full_path.rstrip("?")), 303)
    if refused and not is_for(signed_in):
        return refused("other-event")
    if not permissions.may(signed_in.role, Permission(need)) or not is_for(signed_in):
        abort(403)
    wanted = getattr(current_app.view_functions[request.endpoint], "wants_password", False)
    if wanted and not _proved(signed_in):
        return redirect(url_for("staff.password", next=request.full_path.rstrip("?")), 303)
    return None


def _check_revoked() -> None:
    """Raise ``DeviceRevoked`` if a door's script asks on a device that was taken away: it then
    forgets its list. A page is answered with the sign-in instead."""
    device, slug = session.get("device"), (request.view_args or {}).get("slug")
    device = device or request.headers.get(DEVICE)  # a browser with a password has no such cookie
    if devices.is_well_formed(device) and slug and not language.wants_page():
        event = events.get(reading(), str(slug))
        if devices.is_revoked(reading(), event, str(device)):
            raise DeviceRevoked


def is_for(signed_in: SignedIn, slug: str | None = None) -> bool:
    """Whether this browser may use the event ``slug``; without it, the event in the URL. A paired
    telephone is tied to one event; every other browser may use all."""
    named = slug or (request.view_args or {}).get("slug")
    return (
        None in (signed_in.event_id, named)
        or events.get(reading(), str(named)).id == signed_in.event_id
    )


def _proved(signed_in: SignedIn) -> bool:
    return signed_in.proved_at is not None and g.now - signed_in.proved_at < PROOF_LASTS


def current() -> SignedIn | None:
    """Who is signed in with this browser; ``None`` if no one is.

    This may write: it moves the end of the session, at most once a minute, and deletes a session
    that has ended.
    """
    found: SignedIn | None = g.get("signed_in")
    token = session.get("id")
    if found is None and isinstance(token, str):
        found = sessions.find(reading(), token, now=g.now)
        if found and found.unseen:
            with transaction() as writing:
                sessions.mark_seen(writing, found.session_id, now=g.now)
        if found is None:
            _drop_if_ended(token)
        g.signed_in = found
    return found


def _drop_if_ended(token: str) -> None:
    """Delete an ended session. If the database is busy, the hourly purge deletes it."""
    now = g.now
    if sessions.has_ended(reading(), token, now=now):
        with suppress(Busy):
            write(lambda writing: sessions.drop_ended(writing, now=now))


def actor() -> Actor:
    """The signed-in staff member, as an actor; 401 if no one is signed in."""
    signed_in = current()
    if signed_in is None:
        abort(401)
    return signed_in.actor


def may(permission: str) -> bool:
    """Whether the signed-in staff member has a permission; also for templates. ``False`` on a
    public page that did not call ``current`` before."""
    signed_in = g.get("signed_in")
    return signed_in is not None and permissions.may(signed_in.role, Permission(permission))


def hold_session(token: str, target: str, *, door_device: str = "") -> Response:
    """Put a new session into the cookie and redirect. Of the old cookie only the language stays.

    With ``door_device``, for a paired telephone, the cookie outlives the browser: it is paired on
    the evening before. It also says which device this was, if the session has ended.
    """
    chosen = session.get("language")
    session.clear()
    session["id"] = token
    if door_device:
        session["device"], session.permanent = door_device, True
    if chosen:
        session["language"] = chosen
    return redirect(target, 303)
