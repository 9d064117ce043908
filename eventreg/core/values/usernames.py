"""User names of staff: one account has one spelling, however its name is typed."""

from eventreg.core.errors import FieldRefused
from eventreg.core.values.normal_form import normalize

LONGEST = 60
"""Characters, as typed and as folded: a database column holds either."""


def fold(typed: str) -> str:
    """The account's identity: capitals, full-width letters and spaces around it make no other
    account.

    Whatever asks whether two names are the same account, asks with this: the table, the sign-in,
    and its delays.
    """
    return normalize("NFKC", typed.strip()).casefold()


def check(typed: str) -> str:
    """The name as it is shown, if it can be one; else ``FieldRefused``."""
    name = typed.strip()
    folded = fold(name)
    if not name or not folded.strip():
        raise FieldRefused("username", "username_missing")
    # U+FFFD stands for what could not be read; Python would print it.
    if max(len(name), len(folded)) > LONGEST or not name.isprintable() or "\ufffd" in name:
        raise FieldRefused("username", "username_wrong")
    return name
