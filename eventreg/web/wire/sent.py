"""Make the fields of a request safe to look up and store.

``Sent`` replaces unsafe characters in every text field. For a number, a view calls ``number`` or
``form_number``, or its route uses ``<id:…>``; these accept only numbers that fit a database column.
"""

from collections.abc import Iterable
from typing import IO, Any
from urllib.parse import parse_qsl

from flask import Flask, Request, request
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.formparser import FormDataParser
from werkzeug.routing import BaseConverter, ValidationError
from werkzeug.utils import cached_property

from eventreg.core.values import whole_numbers

_UNREADABLE = "\ufffd"
"""Replaces what is not text. No name, number or code accepts it."""
_NOT_TEXT = dict.fromkeys((0, *range(0xD800, 0xE000)), _UNREADABLE)
"""NUL, which PostgreSQL cannot store, and lone surrogates, which cannot be encoded."""


def readable(text: str) -> str:
    """The text with U+FFFD for each character that a database cannot store."""
    return text if text.isascii() and "\0" not in text else text.translate(_NOT_TEXT)


class _Fields(ImmutableMultiDict[str, Any]):
    """The fields of a query or a form. Unsafe characters in names and values are replaced; uploaded
    files are unchanged."""

    def __init__(self, sent: MultiDict[str, Any] | Iterable[tuple[str, Any]] = ()) -> None:
        pairs = sent.items(multi=True) if isinstance(sent, MultiDict) else sent
        super().__init__(
            (readable(name), readable(value) if isinstance(value, str) else value)
            for name, value in pairs
        )


def _pairs(encoded: bytes) -> list[tuple[str, str]]:
    """Decode a query or a form, with U+FFFD for bytes that are not UTF-8. Werkzeug would refuse
    them, or keep ``%FF`` as text, and a person's name could then contain it."""
    return parse_qsl(encoded.decode(errors="replace"), keep_blank_values=True)


class _Parser(FormDataParser):
    def _parse_urlencoded(
        self, stream: IO[bytes], *_: object
    ) -> tuple[IO[bytes], MultiDict[str, Any], MultiDict[str, Any]]:
        return stream, self.cls(_pairs(stream.read())), self.cls()


class Sent(Request):
    """A request whose text fields are always safe to look up and store."""

    parameter_storage_class = _Fields
    form_data_parser_class = _Parser

    @cached_property
    def args(self) -> MultiDict[str, str]:
        """The fields of the query."""
        return self.parameter_storage_class(_pairs(self.query_string))


class _RowId(BaseConverter):
    """The id of a row in a URL. If the text is not a valid id, the answer is 404."""

    regex = "[0-9]+"
    weight = 50

    def to_python(self, value: str) -> int:
        found = whole_numbers.parse(value)
        if found is None:
            raise ValidationError
        return found


def init_app(app: Flask) -> None:
    """Read requests as ``Sent``, and let routes name a row as ``<id:registration_id>``. Call it
    before the first route is added."""
    app.request_class = Sent
    app.url_map.converters["id"] = _RowId


def number(name: str, *, least: int = 1, most: int = whole_numbers.LARGEST) -> int | None:
    """The number in the query field ``name``; ``None`` if it is missing, malformed or out of
    bounds."""
    return whole_numbers.parse(request.args.get(name, ""), least=least, most=most)


def form_number(name: str) -> int | None:
    """The number, such as a row's id, in the form field ``name``; ``None`` if it is missing,
    malformed or out of bounds."""
    return whole_numbers.parse(request.form.get(name, ""))
