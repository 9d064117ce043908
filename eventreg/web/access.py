"""Who may see a page: each view says so, and a view that does not is closed to everybody."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

from flask import abort, current_app, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from eventreg.core.audit import Actor
from eventreg.core.errors import Busy
from eventreg.core.event import events
from eventreg.core.staff import permissions, sessions
from eventreg.core.staff.permissions import Permission
from eventreg.core.staff.sessions import SignedIn
from eventreg.storage.session import reading, transaction, write
from eventreg.web import language

View = TypeVar("View", bound=Callable[..., Any])
EVERYBODY = "everybody"
PROOF_LASTS = timedelta(minutes=10)


def anyone(view: View) -> View:
    """This page is public."""
    view.needs = EVERYBODY  # type: ignore[attr-defined]
    return view


def requires(permission: Permission, *, password: bool = False) -> Callable[[View], View]:
    """This page is for staff whose role has that permission; with ``password``, who has given it in
    the last ten minutes."""

    def marked(view: View) -> View:
        view.needs = permission  # type: ignore[attr-defined]
        view.wants_password = password  # type: ignore[attr-defined]
        return view

    return marked


def need_of(endpoint: str) -> Permission | str | None:
    """What a route asks for: a permission, ``EVERYBODY``, or nothing, which is a mistake in the
    house."""
    if endpoint == "static":
        return EVERYBODY
    return getattr(current_app.view_functions[endpoint], "needs", None)


def check() -> Response | None:
    """Before each request: let in who may; send the others to sign in, or away."""
    g.signed_in = None
    if request.endpoint is None:
        return None
    need = need_of(request.endpoint)
    if need is None:
        abort(403)
    if need == EVERYBODY:
        return None
    signed_in = current()
    if signed_in is None:
        if request.method not in {"GET", "HEAD"} or not language.wants_page():
            abort(401)
        return redirect(url_for("staff.sign_in", next=request.full_path.rstrip("?")), 303)
    if not permissions.may(signed_in.role, Permission(need)) or not is_for(signed_in):
        abort(403)
    wanted = getattr(current_app.view_functions[request.endpoint], "wants_password", False)
    if wanted and not _proved(signed_in):
        return redirect(url_for("staff.password", next=request.full_path.rstrip("?")), 303)
    return None


def is_for(signed_in: SignedIn, slug: str | None = None) -> bool:
    """Whether this page, or that event, is for this browser: a paired telephone knows one event."""
    named = slug or (request.view_args or {}).get("slug")
    return (
        None in (signed_in.event_id, named)
        or events.get(reading(), str(named)).id == signed_in.event_id
    )


def _proved(signed_in: SignedIn) -> bool:
    return signed_in.proved_at is not None and g.now - signed_in.proved_at < PROOF_LASTS


def current() -> SignedIn | None:
    """Who is signed in with this browser; asked of the database once a request."""
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
    """A session that has run out goes at sight; if the database is busy, the hourly work finds
    it."""
    now = g.now
    if sessions.has_ended(reading(), token, now=now):
        with suppress(Busy):
            write(lambda writing: sessions.drop_ended(writing, now=now))


def actor() -> Actor:
    """The staff member who acts; only for views that require a permission."""
    signed_in = current()
    if signed_in is None:
        abort(401)
    return signed_in.actor


def may(permission: str) -> bool:
    """For templates: whether to offer something."""
    signed_in = g.get("signed_in")
    return signed_in is not None and permissions.may(signed_in.role, Permission(permission))


def hold_session(token: str, target: str) -> Response:
    """Give the browser this session's cookie, and nothing that it held before but its language."""
    speaks = session.get("language")
    session.clear()
    session["id"] = token
    if speaks:
        session["language"] = speaks
    return redirect(target, 303)
