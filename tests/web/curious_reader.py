"""A program in the sandbox that looks around, for readers/test_hostile_files.py."""

import os
import resource
import tempfile
from pathlib import Path

from eventreg.readers import sandbox


def look(content: bytes) -> dict[str, object]:
    """Which settings it sees, what becomes of writing, its memory, and which files are open."""
    try:
        with tempfile.TemporaryFile() as file:
            file.write(b"a")
        writing = "done"
    except OSError as error:
        writing = str(error)
    return {
        "settings": [name for name in os.environ if name.startswith("EVENTREG")],
        "writing": writing,
        "memory": resource.getrlimit(resource.RLIMIT_AS)[1],
        "files": sorted(int(one.name) for one in Path("/proc/self/fd").iterdir() if one.exists()),
    }


if __name__ == "__main__":
    sandbox.answer(look)
