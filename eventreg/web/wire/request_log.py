"""One line in the log for each request, and an id by which its lines are found again.

A line has the route and never the address as it was asked: addresses hold ticket tokens and what
people search for. It has no name, number or query, and nothing about who asked but the staff id.
"""

import logging
import os
import re
import sys
from typing import TextIO, cast

from flask import Flask, Request, Response, g, has_request_context, request
from flask.logging import wsgi_errors_stream

from eventreg.clock import stopwatch, utc_now
from eventreg.proxies import Proxies, parse_address

_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_BEGAN, _KEPT_ID = "eventreg.began", "eventreg.request_id"
_METHODS = {"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"}


def init_app(app: Flask) -> None:
    """Lines of the application itself carry the id of their request as well."""
    handler = logging.StreamHandler(cast(TextIO, wsgi_errors_stream))
    handler.setFormatter(_Lines("%(moment)s %(levelname)s %(request)s%(message)s"))
    app.logger.handlers = [handler]


def begin(proxies: Proxies) -> None:
    """Note the moment, and the id that a proxy of ours has given this request, or a new one."""
    environ = request.environ
    environ[_BEGAN] = stopwatch()
    given = environ.get("HTTP_X_REQUEST_ID", "")
    from_proxy = (
        given and proxies.count and proxies.has(parse_address(environ.get("eventreg.peer", "")))
    )
    environ[_KEPT_ID] = given if from_proxy and _ID.fullmatch(given) else os.urandom(8).hex()


def end(response: Response) -> None:
    """Write the line, and tell the id to whoever asked."""
    # asked once, since this is for every page
    asked: Request = request._get_current_object()  # type: ignore[attr-defined]
    began = asked.environ.pop(_BEGAN, None)
    if began is None:
        return
    known_by = asked.environ[_KEPT_ID]
    response.headers.add("X-Request-Id", known_by)
    method = asked.method if asked.method in _METHODS else "other"
    signed_in = g.get("signed_in")
    staff = f" staff={signed_in.actor.staff_id}" if signed_in else ""
    sys.stderr.write(
        f"{_moment()} request id={known_by} {method} {asked.endpoint or '-'} "
        f"{response.status_code} "
        f"{(stopwatch() - began) * 1000:.1f}ms{staff}\n"
    )


def _moment() -> str:
    return utc_now().isoformat(timespec="milliseconds")


class _Lines(logging.Formatter):
    """Adds the id of the request, if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and a traceback below it if there is one."""
        record.moment = _moment()
        record.request = (
            f"id={request.environ.get(_KEPT_ID, '-')} " if has_request_context() else ""
        )
        return super().format(record)
