"""What is sent to us, made fit to be looked up and stored before any view sees it: text without
NUL, and ids in bounds."""

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
"""In place of what is no text; no name, number or code accepts it."""
_NO_TEXT = dict.fromkeys((0, *range(0xD800, 0xE000)), _UNREADABLE)
"""NUL, which PostgreSQL cannot store, and halves of a pair (surrogates), which nothing encodes."""


def readable(text: str) -> str:
    """The text with U+FFFD for each character that a database cannot store."""
    return text if text.isascii() and "\0" not in text else text.translate(_NO_TEXT)


class _Fields(ImmutableMultiDict[str, Any]):
    """The fields of an address or of a form, all of them readable. Of a file, only its field's name
    is looked at."""

    def __init__(self, sent: MultiDict[str, Any] | Iterable[tuple[str, Any]] = ()) -> None:
        pairs = sent.items(multi=True) if isinstance(sent, MultiDict) else sent
        super().__init__(
            (readable(name), readable(value) if isinstance(value, str) else value)
            for name, value in pairs
        )


def _pairs(encoded: bytes) -> list[tuple[str, str]]:
    """The fields of an address or of a form, with U+FFFD for bytes that are no UTF-8, which
    Werkzeug would refuse, or leave standing as ``%FF``, in which a name has its letters."""
    return parse_qsl(encoded.decode(errors="replace"), keep_blank_values=True)


class _Parser(FormDataParser):
    def _parse_urlencoded(
        self, stream: IO[bytes], *_: object
    ) -> tuple[IO[bytes], MultiDict[str, Any], MultiDict[str, Any]]:
        return stream, self.cls(_pairs(stream.read())), self.cls()


class Sent(Request):
    """A request whose fields can be looked up and stored whatever was sent: no view has to care."""

    parameter_storage_class = _Fields
    form_data_parser_class = _Parser

    @cached_property
    def args(self) -> MultiDict[str, str]:
        """The fields of the address."""
        return self.parameter_storage_class(_pairs(self.query_string))


class _RowId(BaseConverter):
    """The id of a row in an address. Any other text in its place leads to no page."""

    regex = "[0-9]+"
    weight = 50

    def to_python(self, value: str) -> int:
        found = whole_numbers.parse(value)
        if found is None:
            raise ValidationError
        return found


def init_app(app: Flask) -> None:
    """Read requests so, and let routes name a row as ``<id:registration_id>``. To be called before
    the first route is added."""
    app.request_class = Sent
    app.url_map.converters["id"] = _RowId


def number(name: str, *, least: int = 1, most: int = whole_numbers.LARGEST) -> int | None:
    """The number in that field of the address; ``None`` if it is missing or out of bounds."""
    return whole_numbers.parse(request.args.get(name, ""), least=least, most=most)
