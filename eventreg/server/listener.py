"""The HTTP server of one process: waitress, with limits that stop slow or greedy clients.

Waitress reads a whole request before it takes a thread, so half a request costs no thread. This
module adds a total time limit for the head and body of each request, a limit of open connections
for each address, and an orderly stop: a request that was received is answered first, if that takes
at most ``DRAIN_SECONDS``.
"""

import logging
import socket
from collections import defaultdict
from collections.abc import Callable, Container, Iterable
from threading import get_ident
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer

from eventreg.clock import stopwatch, utc_now
from eventreg.server.channel import STOPPING, TOO_SLOW, Channel, Peer
from eventreg.server.turns import Turns
from eventreg.settings.proxies import Proxies, household, parse_address
from eventreg.settings.table import Settings

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]
MOST_CONNECTIONS = 600
"""Open at once in one process. One more takes the place of the least useful one (see ``Channel``).
If all are busy, the new one is closed."""
MOST_OF_ONE_ADDRESS = 200
"""The same for one address that is not our proxy."""
DRAIN_SECONDS = 30
"""How long a stopping process goes on answering what it has received."""
_NEWCOMER_SECONDS = 2
"""While the process stops, a connection this young may still send its first request."""
_HELD_FOR_EACH_ACCEPTED = 8
"""A process accepts one connection per turn, so that each process gets its share, and one more for
each eight that it holds, since its turns then take longer."""


class Listener(TcpWSGIServer):  # type: ignore[misc]  # waitress has no types
    """The server of one process, on a listening socket that other processes may share."""

    def __init__(
        self,
        app: Flask | Wsgi,
        listening: socket.socket,
        threads: int,
        proxies: Proxies,
        *,
        at_once: Container[str] = (),
        on_closed: Callable[[], None] = lambda: None,
    ) -> None:
        """``at_once`` holds the paths that are answered without waiting for a thread, so they must
        not take long. ``on_closed`` is called when no more connections are accepted."""
        self._proxies = proxies
        self._at_once = at_once
        self._on_closed = on_closed
        self._reader = 0
        self._of_peer: defaultdict[Peer, set[Channel]] = defaultdict(set)
        self._accepted = 0
        self.is_stopping = False
        dispatcher = Turns()
        dispatcher.set_thread_count(threads)
        super().__init__(
            app,
            map={},
            _sock=listening,
            dispatcher=dispatcher,
            adj=_adjustments(listening, threads),
            bind_socket=False,
            sockinfo=(listening.family, listening.type, listening.proto, listening.getsockname()),
        )

    def run(self) -> None:
        """Answer until ``stop`` is called, and then everything that was received before."""
        self._reader = get_ident()
        while not self.is_stopping:
            self._turn(1)
        self._drain()
        self.task_dispatcher.shutdown(timeout=1)

    def stop(self) -> None:
        """Make ``run`` end. May be called from a signal handler."""
        self.is_stopping = True
        self.pull_trigger()

    def watch(self, lifeline: int) -> None:
        """Also stop when the other end of this pipe is closed, since the parent is then gone."""
        _Lifeline(self, lifeline)

    def add_task(self, task: Channel) -> None:
        """Let a thread answer the next request of this connection, or answer it at once."""
        task.note_served(last=self.is_last(task))
        if get_ident() == self._reader and self.is_answered_at_once(task):
            task.is_to_be_answered_here = True
        else:
            super().add_task(task)

    def is_last(self, _task: Channel) -> bool:
        """Whether the connection is closed after its next request."""
        return self.is_stopping

    def is_answered_at_once(self, task: Channel) -> bool:
        """Whether the next request of the connection waits for no thread."""
        return getattr(task.requests[0], "path", "") in self._at_once

    def _turn(self, seconds: float) -> None:
        self.asyncore.loop(timeout=seconds, use_poll=True, map=self._map, count=1)

    def handle_accept(self) -> None:
        """Accept waiting connections."""
        for _ in range(1 + len(self.active_channels) // _HELD_FOR_EACH_ACCEPTED):
            before = self._accepted
            super().handle_accept()
            if self._accepted == before:
                break

    def channel_class(self, _server: Any, conn: Any, addr: Any, _adj: Any, **_: Any) -> None:
        """Keep an accepted connection, or close it if there is no room."""
        self._accepted += 1
        address = parse_address(addr[0])
        peer = Peer(household(address), self._proxies.has(address))
        if self._make_room(peer):
            self._of_peer[peer].add(Channel(self, conn, addr, peer))
        else:
            conn.close()

    def forget(self, channel: Channel) -> None:
        """A connection was closed."""
        mine = self._of_peer[channel.peer]
        mine.discard(channel)
        if not mine:
            del self._of_peer[channel.peer]

    def _make_room(self, peer: Peer) -> bool:
        """Return whether one more connection fits. If necessary, close one that only waits."""
        if not peer.is_proxy and len(self._of_peer.get(peer, ())) >= MOST_OF_ONE_ADDRESS:
            return self._close_one_of(self._of_peer[peer])
        if len(self.active_channels) >= MOST_CONNECTIONS:
            return self._close_one_of(self.active_channels.values())
        return True

    @staticmethod
    def _close_one_of(channels: Iterable[Channel]) -> bool:
        least = min(
            (one for one in channels if one.may_be_closed),
            key=lambda one: one.usefulness,
            default=None,
        )
        if least is None:
            return False
        least.handle_close()
        return True

    def maintenance(self, now: float) -> None:
        """Once a second: end the connections that wait too long."""
        for channel in list(self.active_channels.values()):
            if channel.waits_too_long(now):
                channel.end(TOO_SLOW)

    def _drain(self) -> None:
        before = -1
        while before < self._accepted:  # accept what is still in the queue
            before = self._accepted
            self.handle_accept()
        wasyncore.dispatcher.close(self)
        self._on_closed()
        until = stopwatch() + DRAIN_SECONDS
        while self.active_channels and stopwatch() < until:
            self._turn(0.05)
            self._end_resting()
            self.maintenance(utc_now().timestamp())
        for channel in list(self.active_channels.values()):
            channel.end(STOPPING)
        self._turn(0.05)
        wasyncore.close_all(self._map, ignore_all=True)

    def _end_resting(self) -> None:
        for channel in list(self.active_channels.values()):
            is_new = not channel.was_asked and stopwatch() - channel.opened < _NEWCOMER_SECONDS
            if not channel.is_busy and not is_new:
                channel.end()


class _Lifeline(wasyncore.file_dispatcher):  # type: ignore[misc]  # waitress has no types
    """The read end of a pipe whose other end only the parent holds. It becomes readable when the
    parent is gone."""

    def __init__(self, listener: Listener, descriptor: int) -> None:
        self._listener = listener
        super().__init__(descriptor, map=listener._map)

    def writable(self) -> bool:
        """Nothing is ever written to it."""
        return False

    def handle_close(self) -> None:
        """The parent is gone."""
        self.close()
        self._listener.stop()


def _adjustments(listening: socket.socket, threads: int) -> Adjustments:
    return Adjustments(
        sockets=[listening],
        threads=threads,
        backlog=1024,
        connection_limit=10 * MOST_CONNECTIONS,  # our own limit is smaller, and makes room
        cleanup_interval=1,
        max_request_header_size=8 * 1024,
        max_request_body_size=4 * 1024 * 1024,
        # the application decides which proxies it trusts
        clear_untrusted_proxy_headers=False,
        log_socket_errors=False,
        ident=None,
    )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises ``OSError`` if the address is taken or not of this machine."""
    bare = host.strip("[]")
    family = socket.AF_INET6 if ":" in bare else socket.AF_INET
    return socket.create_server((bare, port), family=family, backlog=1024)


def serve(
    app: Flask,
    listening: socket.socket,
    settings: Settings,
    *,
    at_once: Container[str],
    on_closed: Callable[[], None],
) -> Listener:
    """The server of this process, ready to run."""
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a rush is not an error
    return Listener(
        app,
        listening,
        settings.threads,
        settings.proxies,
        at_once=at_once,
        on_closed=on_closed,
    )
