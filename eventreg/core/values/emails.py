"""Check e-mail addresses that staff type in. The public form does not ask for one."""

import re

from eventreg.core.errors import FieldRefused

_ADDRESS = re.compile(
    r"[^@\s<>,;:\"()\[\]\\\x00-\x1f\x7f]{1,64}@[^@\s<>,;:\"()\[\]\\\x00-\x1f\x7f]+\.[^@\s.<>,;:\"()]{2,}"
)
_LONGEST = 254
"""In characters: RFC 5321, 4.5.3.1.3."""


def parse(typed: str) -> str | None:
    """The address in ``typed``, or ``None`` if it is empty. Raises ``FieldRefused`` for the field
    ``email`` if it is not an address."""
    typed = typed.strip()
    if not typed:
        return None
    if len(typed) > _LONGEST or ".." in typed or not _ADDRESS.fullmatch(typed):
        raise FieldRefused("email", "email_wrong")
    return typed
