"""Malformed input: odd numbers and odd bytes, and a client that puts them into any part of a
request."""

import contextvars
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_from_bytes

from flask import has_request_context, request
from werkzeug.routing import Rule
from werkzeug.test import EnvironBuilder, run_wsgi_app
from werkzeug.wrappers import Response

from tests.support.factories import House
from tests.support.pages import Page

NUMBERS = [
    b"0",
    b"-1",
    b"+1",
    b"01",
    b" 1",
    b"1 ",
    b"1.0",
    b"1e9",
    b"2147483647",
    b"2147483648",
    b"9223372036854775807",
    b"9223372036854775808",
    b"9" * 25,
    "²".encode(),
    "１".encode(),
    "٣".encode(),
    b"9" * 1000,
]
"""Numbers at the limits of 32 and 64 bits, numbers in other notations, and characters that
``str.isdigit`` accepts but no id contains."""
TEXTS = [
    b"",
    b"\x00",
    b"a\x00b",
    b"\x80",
    b"\xff\xfe",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xed\xb3\xbf",
    b"%00",
    "\u202e".encode(),
    "\ufffe".encode(),
    b"\n",
    b"\x1b",
    b"..",
    b"//",
    b"'\"",
    b"%s{{7*7}}",
    b"a" * 1000,
    "😀".encode() * 60,
]
"""NUL, invalid UTF-8, surrogates, bidirectional and line controls, paths, quotes, long text."""
ODD = [*NUMBERS, *TEXTS]
WORST = [b"1\x00\xed\xa0\x80", b"2147483648", b"9" * 25, "²".encode()]
"""One of each kind, for tests that cannot try all."""
HEADERS = [
    "ACCEPT",
    "ACCEPT_ENCODING",
    "ACCEPT_LANGUAGE",
    "COOKIE",
    "HOST",
    "IF_MODIFIED_SINCE",
    "IF_NONE_MATCH",
    "ORIGIN",
    "RANGE",
    "REFERER",
    "SEC_FETCH_SITE",
    "USER_AGENT",
    "X_CSRF_TOKEN",
    "X_FORWARDED_FOR",
    "X_FORWARDED_PROTO",
    "X_REQUEST_ID",
]
_ARGUMENT = re.compile(r"<(?:[^:>]+:)?([^>]+)>")
_NAMED = {"input", "select", "textarea", "button"}


@dataclass
class Place:
    """One route and method, with valid arguments and the known fields."""

    rule: Rule
    method: str
    arguments: dict[str, str]
    fields: dict[str, str] = field(default_factory=dict)

    def path(self, **odd: bytes) -> bytes:
        """The path of the request. ``odd`` replaces arguments."""
        given = {name: value.encode() for name, value in self.arguments.items()} | odd
        pieces = _ARGUMENT.split(self.rule.rule)  # text, argument, text, argument, text
        return b"".join(
            given[piece] if place % 2 else piece.encode() for place, piece in enumerate(pieces)
        )


class Sender:
    """A client that sends raw bytes. With ``sign_in`` it is signed in, and signs in again if its
    session has ended."""

    def __init__(self, house: House, sign_in: Callable[[], tuple[str, str]] | None = None) -> None:
        self._house, self._sign_in = house, sign_in
        self._plain = EnvironBuilder("/", base_url="http://localhost").get_environ()
        self._cookie, self.token = sign_in() if sign_in else ("", "")

    def ask(
        self, method: str, path: bytes, query: bytes = b"", body: bytes = b"", **named: bytes
    ) -> Response:
        """Send one request. ``named`` are WSGI variables, such as ``HTTP_HOST``."""
        answer = self._ask(method, path, query, body, named)
        is_out = answer.status_code == 401 or "/staff/sign-in?" in answer.headers.get(
            "Location", ""
        )
        if self._sign_in and is_out:
            self._cookie, self.token = self._sign_in()
            answer = self._ask(method, path, query, body, named)
        return answer

    def _ask(
        self, method: str, path: bytes, query: bytes, body: bytes, named: dict[str, bytes]
    ) -> Response:
        given = {"PATH_INFO": path, "QUERY_STRING": query, "HTTP_X_CSRF_TOKEN": self.token.encode()}
        given |= {"HTTP_COOKIE": self._cookie.encode()} | named
        environ: dict[str, Any] = {**self._plain, "REQUEST_METHOD": method}
        if body:
            kind = named.get("CONTENT_TYPE", b"application/x-www-form-urlencoded").decode("latin-1")
            made = EnvironBuilder("/", data=body, content_type=kind).get_environ()
            environ |= {
                name: made[name] for name in ("wsgi.input", "CONTENT_TYPE", "CONTENT_LENGTH")
            }
        environ |= {name: value.decode("latin-1") for name, value in given.items()}
        return Response(
            *contextvars.Context().run(
                run_wsgi_app, self._house.app.wsgi_app, environ, buffered=True
            )
        )

    def send(self, place: Place, **odd: bytes) -> Response:
        """Send the fields of the place as a form does: in the query of a GET, in the body of a
        POST."""
        fields = {name: value.encode() for name, value in place.fields.items()} | odd
        sent = "&".join(
            f"{quote_from_bytes(n.encode())}={quote_from_bytes(v)}" for n, v in fields.items()
        ).encode()
        if place.method == "GET":
            return self.ask("GET", place.path(), query=sent)
        return self.ask(place.method, place.path(), body=sent)


class Watch:
    """Records which fields each route reads. This finds fields that no page shows."""

    def __init__(self, house: House) -> None:
        self.read: dict[str, set[str]] = {}
        watch, usual = self, house.app.request_class

        class Watched(usual.parameter_storage_class):  # type: ignore[name-defined,misc]
            def __getitem__(self, key: Any) -> Any:
                watch._saw(key)
                return super().__getitem__(key)

            def __contains__(self, key: Any) -> bool:
                watch._saw(key)
                return bool(super().__contains__(key))

            def getlist(self, key: Any, *more: Any, **named: Any) -> Any:
                watch._saw(key)
                return super().getlist(key, *more, **named)

        house.app.request_class = type("Request", (usual,), {"parameter_storage_class": Watched})

    def _saw(self, name: Any) -> None:
        if has_request_context() and isinstance(name, str):
            self.read.setdefault(str(request.endpoint), set()).add(name)


def forms_of(page: Page) -> Iterator[tuple[str, str, dict[str, str]]]:
    """For each form of a page its method, its action, and all its fields, ticked or not."""
    method, action, fields = "", "", dict[str, str]()
    for tag, given in [*page.tags, ("form", {})]:
        if tag == "form":
            if fields:
                yield method, action, fields
            method, action, fields = (
                (given.get("method") or "get").upper(),
                (given.get("action") or ""),
                {},
            )
        elif tag in _NAMED and given.get("name"):
            fields.setdefault(str(given["name"]), given.get("value") or "")
