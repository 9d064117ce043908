"""A temporary Redis server that listens on a socket in its own folder."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def running() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Start a server. Yields its address, as a setting, and its process."""
    with tempfile.TemporaryDirectory(prefix="eventreg-redis-") as folder:
        path = Path(folder) / "socket"
        command = [
            "redis-server",
            "--port",
            "0",
            "--unixsocket",
            str(path),
            "--save",
            "",
            "--dir",
            folder,
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout
            for line in process.stdout:
                if b"Ready to accept" in line or b"ready to accept" in line:
                    break
            try:
                yield f"redis+unix://{path}", process
            finally:
                process.terminate()
