"""What holds for every request and every answer: whose host, whose page asks, which headers go out
(PROMISES 3.1, 3.3)."""

import gzip
import re
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, request
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFProtect
from werkzeug.wrappers import Response as BaseResponse

from eventreg.app_clock import current_time
from eventreg.settings import Settings
from eventreg.web import access, assets, language
from eventreg.web.wire import browser, request_log

csrf = CSRFProtect()

_LONGEST_ADDRESS = 2048
_POLICY = (
    "default-src 'none'; script-src 'self' {script}; style-src 'self' {styles}; img-src 'self'; "
    "font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; "
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
_INDEXED = {"public.event", "public.start"}
"""What search engines may show: the event, and nobody's ticket."""


class _Sessions(SecureCookieSessionInterface):
    """Flask's own sessions, with the signer made once and not for each request, most of which have
    no cookie."""

    _made: Any = None

    def get_signing_serializer(self, app: Flask) -> Any:
        """The signer of this app."""
        if self._made is None:
            self._made = super().get_signing_serializer(app)
        return self._made


def init_app(app: Flask) -> None:
    """Register the checks. One function each way: Flask asks of every one it calls what kind of
    function it is."""
    app.session_interface = _Sessions()
    request_log.init_app(app)
    app.before_request(_before)
    csrf.init_app(app)
    app.after_request(_after)


def _before() -> BaseResponse | None:
    """In this order."""
    _begin()
    _let_files_in()
    _is_for_us()
    _is_from_us()
    return access.check()


def _after(response: Response) -> Response:
    browser.remember_size(response)
    packed = _packed(_headers(response))
    request_log.end(packed)
    return packed


def settings() -> Settings:
    """The settings of this app."""
    found: Settings = current_app.extensions["settings"]
    return found


def _begin() -> None:
    """What every page wants to know, settled once: the moment, the language, and how large."""
    request_log.begin(settings().proxies)
    g.now = current_time()
    g.language = language.of_request()
    g.size, g.size_is_carried = browser.text_size()


_FILES = {
    "desk.do_import": 4 * 1024 * 1024,
    "organising.apply": 512 * 1024,
    "organising.upload": 512 * 1024,
    "organising.change": 256 * 1024,
    "organising.draft": 256 * 1024,
}
"""Pages that take more than a form: a list of 2 MiB, or the same typed into a field."""


def _let_files_in() -> None:
    largest = _FILES.get(request.endpoint or "")
    if largest:
        request.max_content_length = request.max_form_memory_size = largest


_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(:\d{1,5})?")


def _host_without_port(host: str) -> str:
    """The name or address in a Host header; nothing for one that is malformed."""
    found = _HOST.fullmatch(host)
    return found[1] if found else ""


def _is_for_us() -> None:
    """A Host header that is not ours would put a foreign name into links; an endless address serves
    nobody, and no page of ours has a NUL in its address."""
    if not settings().is_ours(_host_without_port(request.environ.get("HTTP_HOST", ""))):
        abort(400)
    if len(request.environ["PATH_INFO"]) + len(request.environ["QUERY_STRING"]) > _LONGEST_ADDRESS:
        abort(414)
    if "\0" in request.path:
        abort(404)


def _is_from_us() -> None:
    """No other site's page may post here. Older browsers say nothing about it; there the form's
    token decides.

    ``Origin: null`` is what browsers send under our own no-referrer policy, so it alone is no
    ground to refuse.
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
    """Whether the page that posts is one of ours: at the public address, or at the one this request
    came to.

    Another port of the same machine is another server, and not ours.
    """
    here = f"{request.scheme}://{request.environ.get('HTTP_HOST', '')}"
    return _place(origin) in {_place(settings().public_url), _place(here)} - {None}


def _place(origin: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of an origin; ``None`` for what is none."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:  # a port that is no number, or half an address in brackets
        return None
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    if (
        usual is None
        or not parts.hostname
        or parts.username is not None
        or parts.path
        or parts.query
    ):
        return None
    return parts.scheme, parts.hostname, usual if port is None else port


@cache
def _always(https: bool, indexed: bool) -> list[tuple[str, str]]:
    """The headers of every answer, made once."""
    policy = _POLICY.format(script=assets.script_hash(), styles=assets.style_hashes())
    given = [*_HEADERS.items(), ("Content-Security-Policy", policy)]
    if https:
        given.append(("Strict-Transport-Security", "max-age=63072000; includeSubDomains"))
    return given if indexed else [*given, ("X-Robots-Tag", "noindex, nofollow")]


def _headers(response: Response) -> Response:
    headers = response.headers
    headers.extend(_always(settings().https, request.endpoint in _INDEXED))
    kept = (
        request.endpoint == "static"
        and request.method in {"GET", "HEAD"}
        and response.status_code == 200
    )
    if kept and request.args.get("v") == assets.version(str((request.view_args or {})["filename"])):
        headers["Cache-Control"] = "public, max-age=31536000, immutable"
    elif kept or "Cache-Control" not in headers:
        headers["Cache-Control"] = "no-store"
    vary = headers.get("Vary")
    headers["Vary"] = f"{vary}, Cookie" if vary else "Cookie"
    return response


def _packed(response: Response) -> Response:
    """Compress text: on an old phone in a bad network the wire is what takes the time."""
    if "Accept-Encoding" in response.headers["Vary"]:
        return response  # a page that is kept packed has minded it already
    kind = response.mimetype or ""
    text = kind.startswith("text/") or kind == "application/json"
    if not text or response.status_code == 304:
        return response
    if not request.accept_encodings["gzip"]:
        return response
    response.direct_passthrough = False
    body = response.get_data()
    if len(body) >= _WORTH_PACKING:
        response.set_data(gzip.compress(body, 6, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    return response
