"""The services that a guest may ask for: three boxes to tick. Free text is not taken, because it
could tell about somebody's health."""

from collections.abc import Iterable
from enum import StrEnum


class Wish(StrEnum):
    """A service that the venue can prepare."""

    WHEELCHAIR = "wheelchair"
    FRONT = "front"
    TOGETHER = "together"


def join(chosen: Iterable[str]) -> str:
    """The known wishes in ``chosen``, as they are stored. Others are ignored."""
    picked = set(chosen)
    return ",".join(wish for wish in Wish if wish in picked)


def split(stored: str) -> tuple[Wish, ...]:
    """The wishes in a value that ``join`` made."""
    return tuple(Wish(one) for one in stored.split(",") if one)
