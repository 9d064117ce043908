"""The connections of this process to the database file that are still open."""

from threading import Lock
from weakref import WeakSet

from eventreg.storage.sqlite.file_connection import FileConnection, Log


class OpenConnections:
    """Knows which connections are open, and which of them someone uses."""

    def __init__(self) -> None:
        self._all: WeakSet[FileConnection] = WeakSet()
        self._lending = Lock()
        """Held while a connection is lent, or is closed because no one uses it."""

    def add(self, connection: FileConnection) -> None:
        """A connection was opened."""
        self._all.add(connection)

    def all(self) -> list[FileConnection]:
        """Those that are open now."""
        return [one for one in list(self._all) if not one.is_closed]

    def lend(self, connection: FileConnection) -> None:
        """Someone uses the connection from now on."""
        with self._lending:
            connection.is_in_use = True

    def take_back(self, connection: FileConnection) -> None:
        """No one uses the connection any more. It is closed if its log was given up."""
        with self._lending:
            connection.is_in_use = False
        if connection.is_old:
            connection.close()

    def give_up(self, log: Log) -> None:
        """Never lend a connection with this log again. Those that are in use are closed when they
        come back, the others now."""
        for one in self.all():
            with self._lending:
                if one.log == log:
                    one.is_old = True
                    if not one.is_in_use:
                        one.close()
