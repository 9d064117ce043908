"""Parse whole numbers from requests, such as the id of a row."""

LARGEST = 2**31 - 1
"""The largest value of an integer column. PostgreSQL refuses a query for a larger one."""


def parse(sent: str, *, least: int = 1, most: int = LARGEST) -> int | None:
    """The number in ``sent`` if it is from ``least`` to ``most``, else ``None``.

    Refuses signs, spaces, leading zeros, and characters such as ``²`` and ``１``, which are digits
    for Python.
    """
    if not (sent.isascii() and sent.isdigit() and len(sent) <= len(str(most))):
        return None
    found = int(sent)
    return found if least <= found <= most and str(found) == sent else None
