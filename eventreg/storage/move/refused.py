"""Why data is not moved."""


class MoveRefused(Exception):
    """The data was not moved. The text says why, in one line."""
