"""Who answers while no process serves pages: at the start, while the tables are brought up to date,
and at the end, until the last process has ended.

It runs in a thread of the parent, and only then. At the start it has ended before the parent forks;
from the signal to stop on, the parent forks no more.
"""

import os
import select
import socket
from collections.abc import Callable
from threading import Event, Lock, Thread

from eventreg.server.channel import Channel
from eventreg.server.listener import Listener, Wsgi
from eventreg.settings.proxies import Proxies

PATIENCE = 0.5
"""Seconds. A start that takes less keeps guests waiting for a moment instead of refusing them."""
_LONGEST_HANDOVER = 10.0


class _Doorkeepers(Listener):
    """It answers every request itself, without threads, and closes the connection after it."""

    def is_last(self, _task: Channel) -> bool:
        """The pages will be served by others."""
        return True

    def is_answered_at_once(self, _task: Channel) -> bool:
        """Nothing that it answers takes long."""
        return True


class Doorkeeper:
    """Answers with ``app`` on the listening socket from the end of ``wait`` until ``stop``.

    ``wait`` gets an event that is set by ``stop``, and returns whether there is no need any more.
    """

    def __init__(
        self,
        app: Wsgi,
        listening: socket.socket,
        proxies: Proxies,
        wait: Callable[[Event], bool] = lambda stopped: stopped.wait(PATIENCE),
    ) -> None:
        self._app = app
        self._listening = listening
        self._proxies = proxies
        self._wait = wait
        self._stopped = Event()
        self._change = Lock()
        self._server: Listener | None = None
        self._thread = Thread(target=self._keep, daemon=True)

    def start(self) -> None:
        """Begin, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Answer what has been received, and end. Whoever connects from now on has to wait."""
        with self._change:
            self._stopped.set()
            if self._server:
                self._server.stop()
        if self._thread.ident:
            self._thread.join()

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _keep(self) -> None:
        if self._wait(self._stopped):
            return
        with self._change:
            if self._stopped.is_set():
                return
            self._server = _Doorkeepers(self._app, self._listening.dup(), 0, self._proxies)
        self._server.run()


class HandOver:
    """Says when the last process has stopped accepting connections. Each of them has accepted those
    that were made before the signal to stop, so that these guests are still served."""

    def __init__(self) -> None:
        self._closed_by_all, held = os.pipe()
        self._held: int | None = held

    def leave(self) -> None:
        """This process accepts no connections, or no more."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def wait(self, _stopped: Event) -> bool:
        """Wait until all processes have left."""
        select.select([self._closed_by_all], [], [], _LONGEST_HANDOVER)
        return False
