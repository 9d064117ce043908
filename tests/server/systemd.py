"""The end of systemd at which a server's messages arrive."""

import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Systemd:
    """Hears what a server tells, as the manager of services does. ``heard`` is all of it so far."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.heard: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(place))

    def wait_for(self, text: str, seconds: float = 40) -> None:
        """Listen until a message that arrives from now on holds this text."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._socket.settimeout(max(0.01, until - time.monotonic()))
            try:
                self.heard.append(self._socket.recv(4096).decode())
            except TimeoutError:
                break
            if text in self.heard[-1]:
                return
        raise AssertionError(f"{text} was not told, but: {self.heard}")

    def listen(self) -> None:
        """Take in all that has arrived."""
        self._socket.setblocking(False)
        while True:
            try:
                self.heard.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()


@contextmanager
def listening() -> Iterator[Systemd]:
    """A socket for messages, in a folder with a short name, as such sockets need."""
    with tempfile.TemporaryDirectory(prefix="sd-") as folder:
        systemd = Systemd(Path(folder, "notify"))
        try:
            yield systemd
        finally:
            systemd.close()
