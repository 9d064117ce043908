"""A network between a browser and a real server, with a switch: it works, it says "connected" and
passes nothing, it answers with its own page, and so on."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_PORTAL = b"<!doctype html><title>Wi-Fi</title><p>Welcome to the hall. Press OK to go on."
_HOP = {"connection", "transfer-encoding", "content-length", "server", "date"}


class BadNetwork:
    """The switch. ``state`` is one of: works, silent (takes 20 s), gone, lost-answer, portal, or a
    status such as 503, 413 and 401. ``only`` limits the trouble to paths that end so."""

    def __init__(self, behind: str, port: int) -> None:
        self.behind = urlsplit(behind).netloc
        self.state = "works"
        self.only = ""
        self.largest = 0
        self.renamed: tuple[str, str] | None = None
        self.asked: list[tuple[str, str]] = []
        self.address = f"http://127.0.0.1:{port}"

    def is_bad(self, path: str) -> bool:
        """Whether this request meets the trouble."""
        return self.state != "works" and urlsplit(path).path.endswith(self.only)

    def be(self, state: str, only: str = "") -> None:
        """Turn the switch."""
        self.state, self.only = state, only

    def count(self, ending: str) -> int:
        """How often an address with that ending was asked."""
        return sum(urlsplit(path).path.endswith(ending) for _, path in self.asked)


class _Handler(BaseHTTPRequestHandler):
    network: BadNetwork
    timeout = 1
    """Browsers open connections in advance and never use them."""

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Pass a request on, or not."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        network = self.network
        network.asked.append((self.command, self.path))
        state = network.state if network.is_bad(self.path) else "works"
        if state == "silent":
            self._wait()
        elif state == "portal" or state.isdigit():
            self._say(int(state) if state.isdigit() else 200, [("Content-Type", "text/html")])
        elif network.largest and len(body) > network.largest:
            self._say(413, [("Content-Type", "text/html")])
        elif state != "gone":
            with suppress(OSError, HTTPException):  # the server is started again
                answer = self._forward(body)
                if state != "lost-answer":
                    self._say(*answer)

    do_POST = do_GET

    def _wait(self) -> None:
        until = time.monotonic() + 20
        while self.network.state == "silent" and time.monotonic() < until:
            time.sleep(0.05)

    def _forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        old, new = self.network.renamed or ("", "")
        path = self.path.replace(new, old) if new else self.path
        headers = {k: v for k, v in self.headers.items() if k.lower() != "accept-encoding"}
        with closing(HTTPConnection(self.network.behind, timeout=30)) as connection:
            connection.request(self.command, path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
            given = [(k, v) for k, v in answer.getheaders() if k.lower() not in _HOP]
        if new:
            text = text.replace(old.encode(), new.encode())
            given = [(k, v.replace(old, new)) for k, v in given]
        return answer.status, given, text

    def _say(self, status: int, headers: list[tuple[str, str]], body: bytes = _PORTAL) -> None:
        with suppress(OSError):  # the browser gave up
            self.send_response_only(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)


@contextmanager
def bad_network(behind: str, port: int) -> Iterator[BadNetwork]:
    """A network in front of the server at ``behind``; the browser finds it at ``address``."""
    network = BadNetwork(behind, port)
    server = ThreadingHTTPServer(
        ("127.0.0.1", port), type("Handler", (_Handler,), {"network": network})
    )
    server.daemon_threads = False  # so that closing waits for them, and no socket is left
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
    try:
        yield network
    finally:
        network.state = "works"
        server.shutdown()
        server.server_close()
