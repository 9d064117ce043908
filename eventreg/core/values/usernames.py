"""Check and compare the user names of staff."""

from eventreg.core.errors import FieldRefused
from eventreg.core.values.normal_form import normalize

LONGEST = 60
"""In characters, as typed and as folded. Each has a database column of this length."""


def fold(typed: str) -> str:
    """The form for comparing: without capitals, full-width letters and surrounding spaces.

    Two names belong to the same account if this is equal. The table, the sign-in and its delays all
    compare with it.
    """
    return normalize("NFKC", typed.strip()).casefold()


def check(typed: str) -> str:
    """The name as it is shown. Raises ``FieldRefused`` if it is empty, long or not printable."""
    name = typed.strip()
    folded = fold(name)
    if not name or not folded.strip():
        raise FieldRefused("username", "username_missing")
    # U+FFFD replaces bytes that could not be decoded. Python counts it as printable.
    if max(len(name), len(folded)) > LONGEST or not name.isprintable() or "\ufffd" in name:
        raise FieldRefused("username", "username_wrong")
    return name
