"""Guests who all register in the same minute, through the proxy."""

import urllib.parse
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from threading import Event, Lock

from tests.server.test_many_machines import REGISTER, typed
from tests.server.test_server import hidden
from tests.support.proxies import Proxy
from tests.support.tokens import another

PATIENCE = 600
"""How often a guest presses the button before giving up, a tenth of a second apart."""


def opened_form(proxy: Proxy) -> dict[str, str]:
    """A form that was opened ten seconds ago, since a form sent within two is refused."""
    return another(hidden(proxy.ask("GET", REGISTER).text), older=10)


@dataclass
class Rush:
    """Guests who register through the proxy, and press the button again if no answer comes, or if
    it says that the page will be back in a moment."""

    proxy: Proxy
    form: dict[str, str]
    told: list[str] = field(default_factory=list)
    pressed_again: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    _changed: Event = field(default_factory=Event)
    _lock: Lock = field(default_factory=Lock)

    def guest(self, number: int) -> tuple[int, str]:
        """One guest, from an address of their own. Returns the last status, and the ticket."""
        body = urllib.parse.urlencode(typed(self.form, number))
        for _ in range(PATIENCE):
            with suppress(OSError, HTTPException):
                said = self.proxy.ask("POST", REGISTER, source=self._address(number), body=body)
                if said.status < 500:
                    ticket = urllib.parse.urlsplit(said.headers.get("Location", "")).path
                    self._note(ticket if said.status == 303 else "")
                    return said.status, ticket
                self.refused.append(said.status)
            self.pressed_again.append(number)
            Event().wait(0.1)
        return 0, ""

    def come(self, crowd: ThreadPoolExecutor, people: range) -> list[Future[tuple[int, str]]]:
        """All these guests come. Returns what each will be answered."""
        return [crowd.submit(self.guest, number) for number in people]

    def wait_until_told(self, seats: int) -> None:
        """Wait until that many guests have a ticket."""
        for _ in range(1200):
            self._changed.clear()
            if len(self.told) >= seats:
                return
            self._changed.wait(0.1)
        raise AssertionError(f"only {len(self.told)} of {seats} have a ticket")

    def reader(self, number: int) -> int:
        """Somebody who only opens the page."""
        return self.proxy.ask("GET", "/zh/events/small", source=self._address(number)).status

    def _note(self, ticket: str) -> None:
        with self._lock:
            self.told += [ticket] if ticket else []
        self._changed.set()

    @staticmethod
    def _address(number: int) -> str:
        return f"127.0.{1 + number // 250}.{2 + number % 250}"
