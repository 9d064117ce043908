"""A watchdog elsewhere: a real web server that keeps what it was asked."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


class Listener:
    """What was asked. ``answer`` is the status of each answer; 302 leads to ``/elsewhere``."""

    def __init__(self, port: int) -> None:
        self.port, self.answer = port, 200
        self.asked: list[tuple[str, str, Any]] = []

    def url(self, path: str) -> str:
        """The URL of a path here."""
        return f"http://127.0.0.1:{self.port}{path}"

    def told(self, path: str) -> list[Any]:
        """The bodies of everything that was sent to a path, or ``None`` for no body."""
        return [body for _, where, body in self.asked if where == path]


@contextmanager
def listening() -> Iterator[Listener]:
    """Run one until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            listener.asked.append((self.command, self.path, body))
            self.send_response(listener.answer)
            if listener.answer == 302:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = _take

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener = Listener(server.server_address[1])
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
