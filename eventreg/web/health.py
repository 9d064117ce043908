"""What monitors ask: ``/livez``, ``/readyz`` and ``/metrics``. They are answered before everything
else, so they are not logged and need neither a session nor, for ``/livez``, the database.

The world never gets an answer, and a proxy in front cannot pass it on by mistake: without the
token, only a program on this machine is answered, and only if no proxy has forwarded its request.
"""

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from hmac import compare_digest
from typing import Any

from flask import Flask

from eventreg.operations import metrics, readiness
from eventreg.operations.readiness import HIDDEN_FROM_GUESTS, Fault
from eventreg.server.channel import BACK_SOON, UNAVAILABLE, page
from eventreg.server.listener import Wsgi
from eventreg.settings.proxies import parse_address
from eventreg.settings.table import Settings
from eventreg.web.guard import host_without_port

LIVE = "/livez"
READY = "/readyz"
METRICS = "/metrics"
ADDRESSES = (LIVE, READY, METRICS)
_FORWARDED = {"HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP", "HTTP_X_CLIENT_IP"}
_TEXT = "text/plain; charset=utf-8"
_REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    503: "Service Unavailable",
}


class Asker(Enum):
    """Who asks."""

    STRANGER = "is told nothing"
    BALANCER = "is told whether to send requests here, and the code of the reason"
    OPERATOR = "is told everything"


def who_asks(settings: Settings, environ: dict[str, Any]) -> Asker:
    """Who sent this request, by its token or its address.

    A program on this machine must also call the server by an address of this machine: a request
    with our public name may have come through a proxy that says nothing of it.
    """
    given = str(environ.get("HTTP_AUTHORIZATION", ""))
    wanted = f"Bearer {settings.metrics_token}"
    if settings.metrics_token and compare_digest(given.encode(), wanted.encode()):
        return Asker.OPERATOR
    if any(name in _FORWARDED or name.startswith("HTTP_X_FORWARDED") for name in environ):
        return Asker.STRANGER
    peer = parse_address(str(environ.get("REMOTE_ADDR", "")))
    if peer is None:
        return Asker.STRANGER
    own = settings.host.strip("[]")
    if peer.is_loopback or str(peer) == own:
        return Asker.OPERATOR if settings.is_local(_host(environ)) else Asker.STRANGER
    return Asker.BALANCER if settings.proxies.has(peer) else Asker.STRANGER


def _host(environ: dict[str, Any]) -> str:
    return host_without_port(str(environ.get("HTTP_HOST", "")))


class Health:
    """WSGI middleware that answers the addresses of monitors, and passes on everything else."""

    def __init__(
        self,
        app: Wsgi,
        settings: Settings,
        faults: Callable[[], Sequence[Fault]],
        figures: Callable[[], bytes] | None,
    ) -> None:
        self._app = app
        self._settings = settings
        self._faults = faults
        self._figures = figures

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Handle one request."""
        if environ["PATH_INFO"] not in ADDRESSES:
            return self._app(environ, start_response)
        status, body, kind = self._answer(environ)
        head = [
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        start_response(f"{status} {_REASONS[status]}", head)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]

    def _answer(self, environ: dict[str, Any]) -> tuple[int, bytes, str]:
        if not self._settings.is_ours(_host(environ)):
            return 400, b"", _TEXT
        asker, asked = who_asks(self._settings, environ), environ["PATH_INFO"]
        if asker is Asker.STRANGER or (asked == METRICS and asker is Asker.BALANCER):
            return 404, b"", _TEXT
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            return 405, b"", _TEXT
        if asked == LIVE:
            return 200, b"alive\n", _TEXT
        if asked == READY:
            only_guests = "only=guests" in environ.get("QUERY_STRING", "").split("&")
            status, body = self._readiness(asker, only_guests=only_guests)
            return status, body, _TEXT
        if self._figures is None:
            return 503, b"", _TEXT
        return 200, self._figures(), metrics.CONTENT_TYPE

    def _readiness(self, asker: Asker, *, only_guests: bool) -> tuple[int, bytes]:
        faults = [
            fault
            for fault in self._faults()
            if not (only_guests and fault.code in HIDDEN_FROM_GUESTS)
        ]
        if not faults:
            return 200, b"ready\n"
        lines = [
            f"{fault.code}: {fault.detail}\n" if asker is Asker.OPERATOR else f"{fault.code}\n"
            for fault in faults
        ]
        return 503, "".join(lines).encode()


def init_app(app: Flask) -> None:
    """Answer monitors before anything else sees their requests."""
    app.extensions["is_stopping"] = lambda: False
    app.wsgi_app = Health(  # type: ignore[method-assign]
        app.wsgi_app,
        app.extensions["settings"],
        lambda: readiness.faults(app, app.extensions["clock"]()),
        lambda: metrics.page(app, app.extensions["clock"]()),
    )


def closed(settings: Settings, code: str) -> Wsgi:
    """What is answered while no process serves pages: ``code`` to monitors, and to everybody else
    when to come back."""
    return Health(_back_soon, settings, lambda: [Fault(code)], None)


def _back_soon(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    body = page(UNAVAILABLE, BACK_SOON)
    head = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        ("Retry-After", "5"),
    ]
    start_response(UNAVAILABLE, head)
    return [body]
