"""Whole numbers as they come from outside, such as the id of a row: text that may hold anything."""

LARGEST = 2**31 - 1
"""The end of the databases' integer columns. PostgreSQL looks for no larger number."""


def parse(sent: str, *, least: int = 1, most: int = LARGEST) -> int | None:
    """The number that ``sent`` is, if it is one from ``least`` to ``most``; else ``None``.

    It is written as we write it: without sign, space or leading zero. ``²`` and ``１`` are digits
    to Python, but not here.
    """
    if not (sent.isascii() and sent.isdigit() and len(sent) <= len(str(most))):
        return None
    found = int(sent)
    return found if least <= found <= most and str(found) == sent else None
