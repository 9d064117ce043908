"""What holds for every request and every answer: whose host, whose page asks, which headers go out (PROMISES 3.1, 3.3)."""

import gzip
import re

from flask import Flask, Response, abort, current_app, g, request
from flask_wtf.csrf import CSRFProtect

from eventreg.settings import Settings
from eventreg.web import access, assets, language

csrf = CSRFProtect()

_LONGEST_ADDRESS = 2048
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' {hashes}; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; object-src 'none'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
_WORTH_PACKING = 600


def init_app(app: Flask) -> None:
    """Register the checks; in this order they run before each request."""
    app.before_request(_begin)
    app.before_request(_is_for_us)
    app.before_request(_is_from_us)
    app.before_request(access.check)
    csrf.init_app(app)
    app.after_request(_headers)
    app.after_request(_packed)


def settings() -> Settings:
    """The settings of this app."""
    found: Settings = current_app.extensions["settings"]
    return found


def _begin() -> None:
    """What every page wants to know, settled once: the moment, and the language."""
    g.now = current_app.extensions["clock"]()
    g.language = language.of_request()


_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(:\d{1,5})?")


def _host_without_port(host: str) -> str:
    """The name or address in a Host header; nothing for one that is malformed."""
    found = _HOST.fullmatch(host)
    return found[1] if found else ""


def _is_for_us() -> None:
    """A Host header that is not ours would put a foreign name into links; an endless address serves nobody."""
    if not settings().is_ours(_host_without_port(request.environ.get("HTTP_HOST", ""))):
        abort(400)
    if len(request.full_path) > _LONGEST_ADDRESS:
        abort(414)


def _is_from_us() -> None:
    """No other site's page may post here. Older browsers say nothing about it; there the form's token decides.

    ``Origin: null`` is what browsers send under our own no-referrer policy, so it alone is no ground to refuse.
    """
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    came_from = request.headers.get("Sec-Fetch-Site")
    if came_from in {"cross-site", "same-site"}:
        abort(403)
    origin = request.headers.get("Origin", "null")
    if came_from is None and origin != "null" and not _is_own(origin):
        abort(403)


def _is_own(origin: str) -> bool:
    return settings().is_ours(_host_without_port(origin.partition("://")[2]))


def _headers(response: Response) -> Response:
    response.headers.update(_HEADERS)
    response.headers["Content-Security-Policy"] = _POLICY.format(hashes=assets.public_css_hash())
    if settings().https:
        response.headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    kept = request.endpoint == "static" and request.method in {"GET", "HEAD"} and response.status_code == 200
    if kept and request.args.get("v") == assets.version(str((request.view_args or {})["filename"])):
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    elif "Cache-Control" not in response.headers or kept:
        response.headers["Cache-Control"] = "no-store"
    response.vary.add("Cookie")
    if request.endpoint not in {"public.event", "public.start"}:
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _packed(response: Response) -> Response:
    """Compress text: on an old phone in a bad network the wire is what takes the time."""
    kind = response.mimetype or ""
    text = kind.startswith("text/") or kind == "application/json"
    if not text or not request.accept_encodings["gzip"] or response.status_code == 304:
        return response
    response.direct_passthrough = False
    body = response.get_data()
    if len(body) >= _WORTH_PACKING:
        response.set_data(gzip.compress(body, 6, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    return response
