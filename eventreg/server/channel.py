"""One connection to a client: its time limits, and its last answer if it exceeds one."""

from dataclasses import dataclass
from typing import Any

from waitress.channel import HTTPChannel

from eventreg.clock import stopwatch

HEAD_SECONDS, BODY_SECONDS = 10, 20
"""A request's head and body must arrive within this time, even if bytes keep coming."""
IDLE_SECONDS, IDLE_SECONDS_OF_PROXY = 30, 75
"""How long a connection may rest between two requests. Proxies keep theirs for a minute."""
STALLED_SECONDS, STALLED_BYTES = 20, 16 * 1024
"""A client must read this many bytes of an answer in this time, or the rest of it."""


def page(status: str, words: str) -> bytes:
    """A page with one sentence, in both languages, for when the application is not asked."""
    return f"<!doctype html><meta charset=utf-8><title>{status}</title><p>{words}</p>\n".encode()


def _answer(status: str, words: str, *more: str) -> bytes:
    """The bytes of a whole response that is sent without asking the application."""
    body = page(status, words)
    head = [
        f"HTTP/1.1 {status}",
        "Content-Type: text/html; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Connection: close",
        *more,
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


TOO_SLOW = _answer(
    "408 Request Timeout",
    "网络太慢，没收全，请再试一次。 The request came too slowly. Please try again.",
)
UNAVAILABLE = "503 Service Unavailable"
BACK_SOON = "网页马上就好，请过几秒再试。 Back in a moment. Please try again in a few seconds."
STOPPING = _answer(UNAVAILABLE, BACK_SOON, "Retry-After: 5")


@dataclass(frozen=True)
class Peer:
    """The other end of a connection: its address for the limits, and whether it is our proxy."""

    household: str
    is_proxy: bool


class Channel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """One connection. It knows for what it waits, and since when."""

    def __init__(self, server: Any, conn: Any, addr: Any, peer: Peer) -> None:
        self.peer = peer
        self.was_asked = False
        self.is_to_be_answered_here = False
        """Whether the thread that reads requests answers this one itself."""
        self.opened = stopwatch()
        self._head_since: float | None = None
        self._body_since: float | None = None
        self._flow: tuple[float, int] | None = None
        super().__init__(server, conn, addr, server.adj, map=server._map)
        self.quiet_since: float = self.creation_time

    def received(self, data: bytes) -> bool:
        """Bytes have arrived: note when the head and the body of the request began."""
        request_before = self.request
        more = bool(super().received(data))
        while self.is_to_be_answered_here:
            self.is_to_be_answered_here = False
            self.service()
        if self.request is None:
            self._head_since = self._body_since = None
            return more
        if self.request is not request_before or self._head_since is None:
            self._head_since, self._body_since = self.last_activity, None
        if self._body_since is None and self.request.headers_finished:
            self._body_since = self.last_activity
        return more

    def note_served(self, *, last: bool) -> None:
        """A whole request goes to a thread. ``last`` if the connection is closed after it."""
        self.was_asked = True
        self.quiet_since = self.last_activity
        if last:
            for request in self.requests:
                request.headers["CONNECTION"] = "close"

    @property
    def is_busy(self) -> bool:
        """Whether a request is being received or answered."""
        return bool(self.requests or self.request is not None or self.total_outbufs_len)

    @property
    def may_be_closed(self) -> bool:
        """Whether it can be closed without leaving a whole request unanswered."""
        return not (self.requests or self.total_outbufs_len or self.will_close)

    @property
    def usefulness(self) -> tuple[bool, float]:
        """A sort key. The least useful come first: those at rest after an answer, then those whose
        request has not arrived; in both, those that were quiet for longest."""
        return not self.was_asked or self.request is not None, self.quiet_since

    def waits_too_long(self, now: float) -> bool:
        """Whether the client has used up the time for what it is doing."""
        if self.total_outbufs_len:
            return self._has_stalled(now)
        self._flow = None
        if self.requests:
            return False
        if self._body_since is not None:
            return now - self._body_since >= BODY_SECONDS
        if self._head_since is not None:
            return now - self._head_since >= HEAD_SECONDS
        if not self.was_asked:
            return bool(now - self.creation_time >= HEAD_SECONDS)
        idle = IDLE_SECONDS_OF_PROXY if self.peer.is_proxy else IDLE_SECONDS
        return now - self.quiet_since >= idle

    def _has_stalled(self, now: float) -> bool:
        left = self.total_outbufs_len
        if self._flow is None or self._flow[1] - left >= STALLED_BYTES or left > self._flow[1]:
            self._flow = (now, left)
        return now - self._flow[0] >= STALLED_SECONDS

    def end(self, last_words: bytes = b"") -> None:
        """Close the connection. In the middle of a request, send ``last_words`` first."""
        if not last_words or self.request is None or self.total_outbufs_len:
            self.will_close = True
            return
        with self.outbuf_lock:
            self.outbufs[-1].append(last_words)
            self.current_outbuf_count += len(last_words)
            self.total_outbufs_len += len(last_words)
            self.close_when_flushed = True

    def del_channel(self, map: Any = None) -> None:  # noqa: A002 - waitress names it so
        """The connection was closed."""
        self.server.forget(self)
        super().del_channel(map)
