"""Unicode's normal forms, in a time that grows with the length of the text and no faster.

Python puts accents in order with a sort that takes the square of their number: 30,000 in a row take
a second, in which it answers nobody. So no more than 30 stay in a row (Stream-Safe Text Format,
UAX #15, section 13).
"""

import unicodedata
from typing import Literal

_SHORT = 200
"""Characters that may be in any order."""
_MOST_IN_A_ROW = 30
_BREAK = "\u034f"
"""The grapheme joiner: not seen, and no accent is moved past it."""


def normalize(form: Literal["NFC", "NFKC", "NFD", "NFKD"], text: str) -> str:
    """The text in that normal form; in a long one, more than 30 accents in a row are broken up."""
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
