"""Rows of a long list that are alike but for a few texts.

The template renders one row of each kind, with marks in the places of those texts. The rows of that
kind are then filled in, which takes a twentieth of the time.
"""

import re
from collections.abc import Callable, Hashable, Sequence

from markupsafe import escape

MARKS = tuple(f"\ue000{number}\ue001" for number in range(10))
"""Stand for the first text of a row, the second, and so on."""
_NUMBERS = tuple(map(str, range(len(MARKS))))
_MARK = re.compile("\ue000([0-9])\ue001")
_SPECIAL = re.compile("[&<>'\"]")
"""What has to be escaped."""


class Rows:
    """The rows of one list, for one answer."""

    def __init__(self) -> None:
        self._frames: dict[Hashable, str] = {}

    def filled(self, kind: Hashable, render: Callable[[], str], texts: Sequence[str]) -> str:
        """A row of this kind with these texts, escaped. ``render`` makes a row with marks; it is
        called for the first row of a kind, and must depend on the kind alone."""
        frame = self._frames.get(kind)
        if frame is None:
            frame = _MARK.sub(r"%(\1)s", render().replace("%", "%%"))
            self._frames[kind] = frame
        if _SPECIAL.search("".join(texts)):
            texts = [escape(text) for text in texts]
        return frame % dict(zip(_NUMBERS, texts, strict=False))
