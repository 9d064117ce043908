"""The client's address and scheme, from the headers of a reverse proxy. The headers are believed
only if they come from a trusted address."""

from collections.abc import Callable, Iterable
from typing import Any

from eventreg import log
from eventreg.settings.proxies import Proxies, parse_address

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]
_HEADERS = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_BY",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_FORWARDED",
)


class Forwarded:
    """WSGI middleware that sets ``REMOTE_ADDR`` and the scheme from the headers of trusted proxies.
    It removes those headers from every request."""

    def __init__(self, app: Wsgi, proxies: Proxies) -> None:
        self._app = app
        self._proxies = proxies
        self._warned = False

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Handle one request."""
        given = {name: environ.pop(name) for name in _HEADERS if name in environ}
        peer = environ.get("REMOTE_ADDR", "")
        environ["eventreg.peer"] = peer
        if given and self._proxies.has(parse_address(peer)):
            if self._proxies.count:
                self._believe(environ, peer, given)
            else:
                self._warn(peer)
        return self._app(environ, start_response)

    def _believe(self, environ: dict[str, Any], peer: str, given: dict[str, str]) -> None:
        client = self._proxies.client(peer, given.get("HTTP_X_FORWARDED_FOR", ""))
        environ["REMOTE_ADDR"] = str(client) if client else peer
        scheme = given.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip()
        if scheme in {"http", "https"}:
            environ["wsgi.url_scheme"] = scheme

    def _warn(self, peer: str) -> None:
        """Warn once: without the number of proxies, all guests behind one share its limits."""
        if not self._warned:
            self._warned = True
            log.event(
                "proxy-not-trusted",
                f"a proxy at {peer} forwards requests, but EVENTREG_TRUSTED_PROXIES is 0: all its "
                "guests count as one",
            )
