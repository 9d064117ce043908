"""An e-mail address that staff were given: never needed, never asked of guests."""

import re

from eventreg.core.errors import FieldRefused

_ADDRESS = re.compile(
    r"[^@\s<>,;:\"()\[\]\\\x00-\x1f\x7f]{1,64}@[^@\s<>,;:\"()\[\]\\\x00-\x1f\x7f]+\.[^@\s.<>,;:\"()]{2,}"
)
_LONGEST = 254
"""RFC 5321, 4.5.3.1.3."""


def parse(typed: str) -> str | None:
    """The address meant, or nothing where none was given; ``FieldRefused`` for ``email`` where it
    can be none."""
    typed = typed.strip()
    if not typed:
        return None
    if len(typed) > _LONGEST or ".." in typed or not _ADDRESS.fullmatch(typed):
        raise FieldRefused("email", "email_wrong")
    return typed
