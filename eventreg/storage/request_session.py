"""The session of a request."""

from contextlib import suppress

from flask_sqlalchemy.session import Session
from sqlalchemy.exc import InterfaceError, OperationalError


class RequestSession(Session):
    """A session that can be closed also if the database has gone away since it was last asked.

    A request closes its session when its answer is made already. An error then would replace the
    answer, and a guest would not be told of a seat that is theirs. Whoever asks next notices.
    """

    def close(self) -> None:
        """Close it. SQLAlchemy throws a broken connection away."""
        with suppress(OperationalError, InterfaceError):
            super().close()
