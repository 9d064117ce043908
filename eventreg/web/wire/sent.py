"""Make sent fields safe to look up and store, before any view reads them: text without NUL, and
numbers within the range of a database column."""

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
    """The fields of an address or a form, with readable names and values. The content of files is
    not touched."""

    def __init__(self, sent: MultiDict[str, Any] | Iterable[tuple[str, Any]] = ()) -> None:
        pairs = sent.items(multi=True) if isinstance(sent, MultiDict) else sent
        super().__init__(
            (readable(name), readable(value) if isinstance(value, str) else value)
            for name, value in pairs
        )


def _pairs(encoded: bytes) -> list[tuple[str, str]]:
    """Decode the fields of an address or a form, with U+FFFD for bytes that are not UTF-8. Werkzeug
    would refuse such bytes, or keep them as ``%FF``, which a name would accept as letters."""
    return parse_qsl(encoded.decode(errors="replace"), keep_blank_values=True)


class _Parser(FormDataParser):
    def _parse_urlencoded(
        self, stream: IO[bytes], *_: object
    ) -> tuple[IO[bytes], MultiDict[str, Any], MultiDict[str, Any]]:
        return stream, self.cls(_pairs(stream.read())), self.cls()


class Sent(Request):
    """A request whose fields are always safe to look up and store."""

    parameter_storage_class = _Fields
    form_data_parser_class = _Parser

    @cached_property
    def args(self) -> MultiDict[str, str]:
        """The fields of the query."""
        return self.parameter_storage_class(_pairs(self.query_string))


class _RowId(BaseConverter):
    """The id of a row in an address. Any other text in its place is not found."""

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
    """The number in that field of the query; ``None`` if it is missing, malformed or out of
    bounds."""
    return whole_numbers.parse(request.args.get(name, ""), least=least, most=most)


def form_number(name: str) -> int | None:
    """The number, such as a row's id, in that field of the form; ``None`` if it is missing,
    malformed or out of bounds."""
    return whole_numbers.parse(request.form.get(name, ""))
