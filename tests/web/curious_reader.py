"""A reader that reports what the sandbox lets it see, for readers/test_hostile_files.py."""

import os
import resource
import tempfile
from pathlib import Path

from eventreg.readers import sandbox


def look(content: bytes) -> dict[str, object]:
    """Report the settings, whether writing works, the memory limit, and the open files."""
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
