"""Memory that was used is given back to the system."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
from pathlib import Path
from eventreg import memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

used = [bytes(1000) for _ in range(100_000)]
kept = used[::1000]  # so that no large piece comes free by itself
del used
before = resident()
memory.give_back()
print(before - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no such call")
def test_memory_that_a_large_piece_of_work_left_free_is_given_back() -> None:
    said = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True)
    assert int(said.stdout) > 50 * 1024 * 1024
