"""Checks before every request and headers on every answer: the host, the origin of a form, the size
of the body, the security headers, compression."""

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
from eventreg.server.tally import Tally
from eventreg.settings.table import Settings
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
_FILE_POLICY = "default-src 'none'; frame-ancestors 'none'"
"""For a script of the door, which opens nothing; the policy of pages is longer than some."""
_WORTH_PACKING = 600
_CAMERA = {"pairing.ask_pair", "door.door", "door.shell", "door.check_in", "door.undo"}
"""The pages that may ask for the camera: those of a door."""
_INDEXED = {"public.event", "public.start"}
"""The pages that search engines may index: never a ticket."""


class _Sessions(SecureCookieSessionInterface):
    """Flask's sessions, with one signer for the app instead of one for each request."""

    _made: Any = None

    def get_signing_serializer(self, app: Flask) -> Any:
        """The signer of this app."""
        if self._made is None:
            self._made = super().get_signing_serializer(app)
        return self._made


def init_app(app: Flask) -> None:
    """Register the checks, as one function before and one after each request, since Flask spends
    time on each that it calls."""
    app.session_interface = _Sessions()
    request_log.init_app()
    app.before_request(_before)
    csrf.init_app(app)
    app.after_request(_after)


def _before() -> BaseResponse | None:
    """Run the checks, in this order."""
    _begin()
    _allow_files()
    _check_address()
    _check_origin()
    return access.check()


def _after(response: Response) -> Response:
    browser.remember_size(response)
    packed = _packed(_headers(response))
    tally: Tally = current_app.extensions["tally"]
    tally.answered(request.endpoint, packed.status_code)
    request_log.end(packed)
    return packed


def settings() -> Settings:
    """The settings of this app."""
    found: Settings = current_app.extensions["settings"]
    return found


def _begin() -> None:
    """Set what every page needs: the time, the language and the text size."""
    request_log.begin(settings().proxies)
    g.now = current_time()
    g.language = language.of_request()
    g.size, g.size_is_carried = browser.text_size()


_FILES = {
    "door.sync_acts": 256 * 1024,
    "desk.do_import": 4 * 1024 * 1024,
    "organising.apply": 512 * 1024,
    "organising.upload": 512 * 1024,
    "organising.change": 256 * 1024,
    "organising.draft": 256 * 1024,
}
"""The largest body, in bytes, of pages that take a file or its content typed into a field, and of
an upload of a door device. A list may have 2 MiB; typed into a field, it grows by its encoding."""


_MOST_PARTS = 300
"""Fields of such a page: a list may have 200 columns, each with a choice."""


def _allow_files() -> None:
    largest = _FILES.get(request.endpoint or "")
    if largest:
        request.max_content_length = request.max_form_memory_size = largest
        request.max_form_parts = _MOST_PARTS


_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(:\d{1,5})?")


def host_without_port(host: str) -> str:
    """The name or address in a Host header; empty if the header is malformed."""
    found = _HOST.fullmatch(host)
    return found[1] if found else ""


def _check_address() -> None:
    """Refuse a foreign Host header, which would put a foreign name into links. Refuse a URL longer
    than 2 kB, or with NUL in its path."""
    if not settings().is_ours(host_without_port(request.environ.get("HTTP_HOST", ""))):
        abort(400)
    if len(request.environ["PATH_INFO"]) + len(request.environ["QUERY_STRING"]) > _LONGEST_ADDRESS:
        abort(414)
    if "\0" in request.path:
        abort(404)


def _check_origin() -> None:
    """Refuse a post from a page of another site, by ``Sec-Fetch-Site`` or else ``Origin``. Older
    browsers send neither; for them the form's token decides.

    ``Origin: null`` is not refused, because browsers send it under our own no-referrer policy.
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
    """Whether the origin is ours: that of the public URL, or that of this request.

    Another port of the same host is another site.
    """
    here = f"{request.scheme}://{request.environ.get('HTTP_HOST', '')}"
    return _parts(origin) in {_parts(settings().public_url), _parts(here)} - {None}


def _parts(origin: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of an origin; ``None`` if it is malformed."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:  # the port is not a number, or a bracket is missing
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
def _always(https: bool, indexed: bool, camera: bool, file: bool) -> list[tuple[str, str]]:
    """The headers of every answer, computed once."""
    policy = _POLICY.format(script=assets.script_hash(), styles=assets.style_hashes())
    given = [*_HEADERS.items(), ("Content-Security-Policy", policy)]
    if camera:
        given = [(name, value.replace("camera=()", "camera=(self)")) for name, value in given]
        given = [
            (name, f"{value}; media-src 'self' blob:" if name.startswith("Content-Sec") else value)
            for name, value in given
        ]
    if file:
        given = [*_HEADERS.items(), ("Content-Security-Policy", _FILE_POLICY)]
    if https:
        given.append(("Strict-Transport-Security", "max-age=63072000; includeSubDomains"))
    return given if indexed else [*given, ("X-Robots-Tag", "noindex, nofollow")]


def _headers(response: Response) -> Response:
    headers = response.headers
    place = request.endpoint
    headers.extend(
        _always(settings().https, place in _INDEXED, place in _CAMERA, place == "door.asset")
    )
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
    """Compress text, because on a slow network the transfer takes most of the time."""
    if "Accept-Encoding" in response.headers["Vary"]:
        return response  # the view has already chosen the encoding
    kind = response.mimetype or ""
    text = kind.startswith("text/") or kind == "application/json"
    if not text or response.status_code == 304:
        return response
    if not browser.takes_gzip():
        return response
    response.direct_passthrough = False
    body = response.get_data()
    if len(body) >= _WORTH_PACKING:
        level = 9 if "immutable" in response.headers["Cache-Control"] else 6
        response.set_data(gzip.compress(body, level, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    return response
