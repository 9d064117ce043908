"""Write one log line for each request, with an id that all log lines of the request share.

A line holds the route, never the URL, because URLs contain ticket tokens and searches.
It holds no name, telephone number or query. Of the person who asked it holds only the staff id.
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
    """Put the request's id on the lines of the application's own logger, too."""
    handler = logging.StreamHandler(cast(TextIO, wsgi_errors_stream))
    handler.setFormatter(_Lines("%(moment)s %(levelname)s %(request)s%(message)s"))
    app.logger.handlers = [handler]


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
    """Write the log line, and return the id in ``X-Request-Id``."""
    # Resolve the proxy object once: this runs for every page.
    current: Request = request._get_current_object()  # type: ignore[attr-defined]
    began = current.environ.pop(_BEGAN, None)
    if began is None:
        return
    request_id = current.environ[_KEPT_ID]
    response.headers.add("X-Request-Id", request_id)
    method = current.method if current.method in _METHODS else "other"
    signed_in = g.get("signed_in")
    staff = f" staff={signed_in.actor.staff_id}" if signed_in else ""
    sys.stderr.write(
        f"{_moment()} request id={request_id} {method} {current.endpoint or '-'} "
        f"{response.status_code} {(stopwatch() - began) * 1000:.1f}ms{staff}\n"
    )


def _moment() -> str:
    return utc_now().isoformat(timespec="milliseconds")


class _Lines(logging.Formatter):
    """Adds the id of the request, if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Format one record, with its traceback if there is one."""
        record.moment = _moment()
        record.request = (
            f"id={request.environ.get(_KEPT_ID, '-')} " if has_request_context() else ""
        )
        return super().format(record)
