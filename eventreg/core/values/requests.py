"""What a guest may wish for: three boxes that are said yes to, never words about anybody's
health."""

from collections.abc import Iterable
from enum import StrEnum


class Wish(StrEnum):
    """One service that the hall can prepare."""

    WHEELCHAIR = "wheelchair"
    FRONT = "front"
    TOGETHER = "together"


def join(chosen: Iterable[str]) -> str:
    """Those of ``chosen`` that are wishes, as they are stored."""
    picked = set(chosen)
    return ",".join(wish for wish in Wish if wish in picked)


def split(stored: str) -> tuple[Wish, ...]:
    """The wishes of a registration."""
    return tuple(Wish(one) for one in stored.split(",") if one)
