"""Compute Unicode's normal forms in linear time.

Python sorts a row of combining accents in quadratic time: for 30,000 in a row the process stops for
a second. So at most 30 stay in a row (Stream-Safe Text Format, UAX #15, section 13).
"""

import unicodedata
from typing import Literal

_SHORT = 200
"""Texts up to this many characters cost nothing worth saving."""
_MOST_IN_A_ROW = 30
_BREAK = "\u034f"
"""The combining grapheme joiner. It is invisible, and accents are not sorted across it."""


def normalize(form: Literal["NFC", "NFKC", "NFD", "NFKD"], text: str) -> str:
    """The text in that normal form. In a long text, rows of more than 30 accents are broken up."""
    return unicodedata.normalize(form, text if len(text) <= _SHORT else _stream_safe(text))


def _stream_safe(text: str) -> str:
    kept, row = [], 0
    for c in text:
        row = row + 1 if unicodedata.combining(c) else 0
        if row > _MOST_IN_A_ROW:
            kept.append(_BREAK)
            row = 1
        kept.append(c)
    return "".join(kept)
