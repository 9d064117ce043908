"""Public pages that are rendered once and kept, with gaps for the few texts that differ.

While such a page is rendered, marks stand for those texts: a token, a name, a number of seats. So
what is kept is the same for everybody and holds no text of a person. An answer only fills the gaps.

The fixed parts are compressed once. A gap goes between them as a block of its own, so that filling
compresses nothing but long texts.
"""

import re
import secrets
import struct
import zlib
from collections.abc import Callable, Hashable, Mapping
from itertools import chain
from typing import NamedTuple

from flask import Response, g
from markupsafe import escape

from eventreg.web import lang_attributes
from eventreg.web.wire import browser

_MOST = 256
"""Pages. Few are in use at a time; the oldest goes first."""
_START = f"gap{secrets.token_hex(8)}x"
"""No text of an organiser contains it, since each process makes its own."""
_MARK = re.compile(f"{_START}([a-z0-9]+)z")
_GZIP_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\x02\xff"
_GZIP_END = b"\x03\0"
_LONG = 200
"""Bytes. A longer text is compressed when it is filled in."""


class _Gap(NamedTuple):
    """A place for texts: fixed pieces, and between them the names of the texts."""

    fixed: tuple[str, ...]
    names: tuple[str, ...]
    is_english: bool
    """Whether Chinese characters that stand here are to be marked (see ``lang_attributes``)."""

    def filled(self, texts: Mapping[str, str]) -> bytes:
        parts = [self.fixed[0]]
        for name, after in zip(self.names, self.fixed[1:], strict=True):
            parts += (texts[name], after)
        text = "".join(parts)
        if self.is_english and not text.isascii():
            text = lang_attributes.mark_text(text)
        return text.encode()


class KeptPage:
    """A page with gaps."""

    def __init__(self, page: str, language: str) -> None:
        """Cut ``page`` at its marks."""
        fixed, self._gaps = _cut(page, language)
        self._fixed = [text.encode() for text in fixed]
        self._packed = [_deflated(text, 9) for text in self._fixed]

    def text(self, texts: Mapping[str, str]) -> bytes:
        """The page with these texts in its gaps."""
        return _joined(self._fixed, [gap.filled(texts) for gap in self._gaps])

    def zipped(self, texts: Mapping[str, str]) -> bytes:
        """The same compressed (RFC 1952)."""
        filled = [gap.filled(texts) for gap in self._gaps]
        whole = _joined(self._fixed, filled)
        body = _joined(self._packed, [_block(text) for text in filled])
        size = struct.pack("<LL", zlib.crc32(whole), len(whole) & 0xFFFFFFFF)
        return b"".join((_GZIP_HEAD, body, _GZIP_END, size))


def _joined(fixed: list[bytes], filled: list[bytes]) -> bytes:
    between = chain.from_iterable(zip(fixed, filled, strict=False))
    return b"".join((*between, fixed[-1]))


def _deflated(text: bytes, level: int) -> bytes:
    """The text as compressed blocks that refer to nothing before them."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    return packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH)


def _block(text: bytes) -> bytes:
    """The text as one block of a compressed stream (RFC 1951, 3.2.4): as it is, if it is short."""
    if len(text) > _LONG:
        return _deflated(text, 6)
    return struct.pack("<BHH", 0, len(text), len(text) ^ 0xFFFF) + text


def _cut(page: str, language: str) -> tuple[list[str], list[_Gap]]:
    """The fixed texts of a page, and the gaps between them."""
    fixed, gaps = [""], list[_Gap]()
    for piece, is_english in lang_attributes.pieces(page, language):
        first, *rest = _MARK.split(piece)
        if is_english and rest:  # the whole text between two tags is marked together
            gaps.append(_Gap((first, *rest[1::2]), tuple(rest[::2]), True))
            fixed.append("")
            continue
        fixed[-1] += lang_attributes.mark_text(first) if is_english else first
        for name, after in zip(rest[::2], rest[1::2], strict=True):
            gaps.append(_Gap(("", ""), (name,), False))
            fixed.append(after)
    return fixed, gaps


def mark(name: str) -> str:
    """What stands for the text of that name (small letters and digits) while a page is rendered."""
    return f"{_START}{name}z"


_kept: dict[Hashable, KeptPage] = {}


def page(
    template: str, key: Hashable, made: Callable[[], Mapping[str, object]], path: str = ""
) -> KeptPage:
    """The kept page of this key; if there is none, render the template with the values that
    ``made`` returns. The key must hold everything that they depend on but the texts of the gaps.
    ``path`` is the path of the page, with marks, if it differs from person to person."""
    whole_key = (template, g.language, g.size, g.size_is_carried, key)
    found = _kept.get(whole_key)
    if found is None:
        g.path = path
        found = KeptPage(lang_attributes.unmarked(template, **made()), g.language)
        del g.path
        while len(_kept) >= _MOST:
            _kept.pop(next(iter(_kept)), None)
        _kept[whole_key] = found
    return found


def answer(
    kept: KeptPage, texts: Mapping[str, str], drawn: Mapping[str, str] | None = None
) -> Response:
    """The response with the page, its gaps filled, compressed if the browser takes that. ``drawn``
    is markup of ours, such as a picture; everything else is escaped."""
    escaped = {name: str(escape(text)) for name, text in texts.items()} | dict(drawn or {})
    packed = browser.takes_gzip()
    response = Response(kept.zipped(escaped) if packed else kept.text(escaped))
    response.headers.add("Vary", "Accept-Encoding")
    if packed:
        response.headers.add("Content-Encoding", "gzip")
    return response
