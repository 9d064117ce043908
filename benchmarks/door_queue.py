"""How long people wait at the door: a simulation of the queue, for given seconds a person.

Fifty people come between 8:40 and 9:00, most of them around 8:56, a third of them in pairs. A pair
stands in line together and is checked in with one tap more. Each desk serves one group at a time.
"""

import heapq
import random
import statistics
from collections.abc import Sequence

from benchmarks.report import Figure

PEOPLE = 50
COMPANION = 2.0
"""Seconds that the second one of a pair takes more."""
_EARLIEST, _MOST, _LATEST, _SPREAD = -20 * 60, -4 * 60, 0, 120
"""When people come, in seconds from the beginning of the lecture."""
_MORNINGS = 400


def _groups(chance: random.Random) -> list[tuple[float, int]]:
    """The moments at which groups come, and how many people each has."""
    groups: list[tuple[float, int]] = []
    left = PEOPLE
    while left:
        size = 2 if left > 1 and chance.random() < 0.2 else 1
        comes = min(max(chance.gauss(_MOST, _SPREAD), _EARLIEST), _LATEST)
        groups.append((comes, size))
        left -= size
    return sorted(groups)


def morning(chance: random.Random, seconds: float, desks: int) -> tuple[float, float]:
    """The longest wait and the moment at which everybody is in, both in seconds."""
    free = [float(_EARLIEST)] * desks
    longest, done = 0.0, float(_EARLIEST)
    for comes, size in _groups(chance):
        begins = max(comes, heapq.heappop(free))
        ends = begins + seconds + COMPANION * (size - 1)
        heapq.heappush(free, ends)
        longest, done = max(longest, begins - comes), max(done, ends)
    return longest, done


def mornings(seconds: float, desks: int) -> tuple[float, float]:
    """The medians of many mornings: the longest wait, and when everybody is in."""
    chance = random.Random(610)
    waits, ends = zip(*(morning(chance, seconds, desks) for _ in range(_MORNINGS)), strict=True)
    return statistics.median(waits), statistics.median(ends)


def queues(seconds_each: Sequence[float] = (4, 8, 10, 15, 20, 30)) -> list[Figure]:
    """The longest wait in minutes, for each number of desks and seconds a person."""
    figures = []
    for desks in (1, 2):
        for seconds in seconds_each:
            wait, end = mornings(seconds, desks)
            name = f"door, {desks} desk{'s' * (desks > 1)}, {seconds:g} s a person: longest wait"
            all_in = f"minutes; all in {max(0, end / 60):.1f} minutes after the lecture begins"
            figures.append(Figure(name, wait / 60, detail=all_in))
    return figures
