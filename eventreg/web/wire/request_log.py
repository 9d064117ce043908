"""Log each request, under an id that all its events share.

An event has the route and never the address, because addresses hold ticket tokens and searches. Of
the person who asks it has the account's number and role, and of a guest nothing.
"""

import os
import re
from collections.abc import Mapping
from zlib import crc32

from flask import Request, Response, g, has_request_context, request

from eventreg import log
from eventreg.clock import stopwatch
from eventreg.settings.proxies import Proxies, parse_address

_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_BEGAN, _KEPT_ID, _SHOWN = "eventreg.began", "eventreg.request_id", "eventreg.number"
_LIMIT = "eventreg.limit"
_METHODS = {"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"}
_QUIET = {"static", "door.asset"}
"""Files: they are logged only if they fail."""
_TOLD = {401: "denied", 403: "denied", 429: "limit-hit"}


def init_app() -> None:
    """Name the request in each event that is logged while it is answered."""
    log.in_requests(_about_request)


def begin(proxies: Proxies) -> None:
    """Start the stopwatch, and take the request's id from a trusted proxy or make a new one."""
    environ = request.environ
    environ[_BEGAN] = stopwatch()
    given = environ.get("HTTP_X_REQUEST_ID", "")
    from_proxy = (
        given and proxies.count and proxies.has(parse_address(environ.get("eventreg.peer", "")))
    )
    environ[_KEPT_ID] = given if from_proxy and _ID.fullmatch(given) else os.urandom(8).hex()


def end(response: Response) -> None:
    """Log the answer, and return the id in ``X-Request-Id``."""
    # Resolve the proxy object once: this runs for every page.
    current: Request = request._get_current_object()  # type: ignore[attr-defined]
    began = current.environ.pop(_BEGAN, None)
    if began is None:
        return
    response.headers.add("X-Request-Id", current.environ[_KEPT_ID])
    status = response.status_code
    if told := _TOLD.get(status):
        log.event(told, status=status, limit=current.environ.get(_LIMIT))
    if status < 400 and current.endpoint in _QUIET:
        return
    method = current.method if current.method in _METHODS else "other"
    took = (stopwatch() - began) * 1000
    log.request(
        current.environ[_KEPT_ID], method, current.endpoint or "-", status, took, _more(current)
    )


def number() -> str:
    """A number for the error page, which a guest can read out: the log has it beside the id."""
    digits = f"{crc32(request.environ.get(_KEPT_ID, '').encode()) % 10**8:08}"
    request.environ[_SHOWN] = digits
    return f"{digits[:4]} {digits[4:]}"


def note_limit(what: str) -> None:
    """Remember which limit refuses this request."""
    if has_request_context():
        request.environ[_LIMIT] = what


def _about_request() -> Mapping[str, log.Value]:
    """The fields that say which request is answered; none outside a request."""
    if not has_request_context():
        return {}
    current: Request = request._get_current_object()  # type: ignore[attr-defined]
    known = {"request": current.environ.get(_KEPT_ID, "-"), "route": current.endpoint or "-"}
    return {**known, **_more(current)}


def _more(current: Request) -> dict[str, log.Value]:
    """Who asked, and for which registration, if that is known."""
    fields: dict[str, log.Value] = {}
    if shown := current.environ.get(_SHOWN):
        fields["number"] = shown
    if signed_in := g.get("signed_in"):
        fields["staff"], fields["role"] = signed_in.actor.staff_id, signed_in.role
    named = current.view_args
    registration = named.get("registration_id") if named else None
    if registration or (registration := g.get("registration_id")):
        fields["registration"] = registration
    return fields
