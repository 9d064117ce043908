"""Which door devices say that a person came, or got a gift, whatever the order in which they
uploaded it.

A device's own acts are ordered by its own count, those of different devices by their arrival at the
server. No clock decides. A device that undoes its own act takes back only that: what another device
saw stands. A device that undoes what it did not record itself has seen it on the list: that takes
back what others had uploaded before.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

PAGE = ""
"""The device of an act from a page without a script."""


@dataclass(frozen=True)
class Said:
    """One act about a person. ``came`` is false if it undoes. ``order`` grows with each act that
    the server receives."""

    device: str
    seq: int | None
    order: int
    came: bool
    at: datetime
    staff_id: int | None = None

    @property
    def place(self) -> tuple[int, int]:
        """The place among the acts of one device."""
        return (self.order if self.seq is None else self.seq, self.order)


def standing(said: Iterable[Said]) -> Mapping[str, Said]:
    """The earliest act of each device that still says so."""
    by_device: dict[str, list[Said]] = defaultdict(list)
    for one in said:
        by_device[one.device].append(one)
    candidates: dict[str, list[Said]] = {}
    undone_by_others: list[Said] = []
    for device, own in by_device.items():
        candidates[device], foreign = _own(own)
        undone_by_others += foreign
    found = {}
    for device, came in candidates.items():
        since = _last(undone_by_others, device)
        stands = [one for one in came if one.order > since]
        if stands:
            found[device] = min(stands, key=lambda one: (one.at, one.order))
    return found


def was_in(said: Iterable[Said], at: Said) -> bool:
    """Whether the device that did this act had itself seen the person, and not undone it, at that
    place of its own count. It does not matter what it has undone since, or when we got it."""
    own = [one for one in said if one.device == at.device and one.place < at.place]
    return bool(own) and max(own, key=lambda one: one.place).came


def _last(undone: Sequence[Said], device: str) -> int:
    """When another device last undid what it saw on the list."""
    return max((one.order for one in undone if one.device != device), default=-1)


def _own(said: Sequence[Said]) -> tuple[list[Said], list[Said]]:
    """Of one device: the acts since it last undid its own, and the undos of what others did."""
    came: list[Said] = []
    foreign: list[Said] = []
    for one in sorted(said, key=lambda one: one.place):
        if one.came:
            came.append(one)
        elif came:
            came = []
        else:
            foreign.append(one)
    return came, foreign
