"""The counters in memory are bounded, however many addresses try."""

import subprocess
import sys

import pytest

from eventreg.web.limits import limits
from eventreg.web.limits.counters import MOST, Counters
from tests.proofs.conftest import rounds
from tests.support.factories import ROOT, House, bare_environment

TRIES = """
import sys
from pathlib import Path
from eventreg.web.limits import limits

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4

def tries(counters, addresses, numbers):
    for n in range(TRIES):
        try:
            place = n % addresses
            counters.hit("find", limits.FIND, f"10.{place >> 8}.{place & 255}.{place >> 16}")
            counters.hit("find-number", limits.FIND_NUMBER, f"+86138{n % numbers:08d}")
        except limits.TooOften:
            pass

counters, TRIES = limits.Limits(True), int(sys.argv[1])
if len(sys.argv) > 2:
    from limits.storage import MemoryStorage
    counters._own = counters._shared = MemoryStorage()
tries(counters, 1, 100_000)
start = resident()
tries(counters, 1, 100_000)
one = resident() - start
tries(counters, 100_000, 100_000)
print(one, resident() - start)
"""


def grown(tries: str, *unbounded: str) -> tuple[int, int]:
    """KiB by which a process grows: first with many tries from one address, then with as many from
    different addresses and for different numbers."""
    said = subprocess.run(
        [sys.executable, "-c", TRIES, tries, *unbounded],
        cwd=ROOT,
        env=bare_environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    one, many = map(int, said.split())
    return one, many


def test_many_thousand_tries_use_bounded_memory() -> None:
    one, many = grown(str(rounds(40_000, 100_000)))
    assert one < 500, "a refused try creates no counters"
    assert many < 15_000, "two kinds of ten thousand counters"


def test_without_the_bound_memory_grows() -> None:
    assert grown("40000", "unbounded")[1] > 20_000


def test_a_full_kind_drops_ended_counters_first_and_then_the_oldest() -> None:
    counters = Counters(most=10)
    for n in range(5):
        counters.incr(f"ended/{n}", -1)
    for n in range(5):
        counters.incr(f"LIMITER/find/{n}/20/10/minute", 60)
    for n in range(5, 10):
        counters.incr(f"LIMITER/find/{n}/20/10/minute", -1)
    assert len(counters) == 15
    counters.incr("LIMITER/find/new/20/10/minute", 60)
    assert [n for n in range(10) if counters.get(f"LIMITER/find/{n}/20/10/minute")] == [
        0,
        1,
        2,
        3,
        4,
    ]
    for n in range(20):
        counters.incr(f"LIMITER/find/more{n}/20/10/minute", 60)
    assert not counters.get("LIMITER/find/0/20/10/minute")
    assert counters.get("LIMITER/find/more19/20/10/minute") == 1
    assert len(counters) <= 15


def test_a_flood_of_one_kind_drops_no_counter_of_another() -> None:
    counters = Counters(most=10)
    counters.incr("failures/olga", 60)
    for n in range(1000):
        counters.incr(f"LIMITER/unknown/{n}/20/10/minute", 60)
    assert counters.get("failures/olga") == 1
    assert MOST >= 10_000


def test_a_counter_counts_ends_and_can_be_removed() -> None:
    counters = Counters()
    assert [counters.incr("a/b", 60), counters.incr("a/b", 60, 3), counters.get("a/b")] == [1, 4, 4]
    assert counters.get_expiry("a/b") > 0
    counters.clear("a/b")
    assert (counters.get("a/b"), counters.first("a/c", 7, 60), counters.first("a/c", 8, 60)) == (
        0,
        7,
        7,
    )
    assert (counters.check(), counters.reset(), len(counters)) == (True, 1, 0)


def test_a_party_counts_whole_and_can_be_given_back(house: House) -> None:
    counters = limits.Limits(True)
    rates = house.settings.people_per_address
    counters.add("people", rates, "here", 9)
    with pytest.raises(limits.TooOften):
        counters.add("people", rates, "here", 2)
    counters.add("people", rates, "here", 1)
    with pytest.raises(limits.TooOften) as wait:
        counters.add("people", rates, "here", 1)
    assert 0 < wait.value.seconds <= 61
    counters.subtract("people", rates, "here", 2)
    counters.add("people", rates, "here", 2)
