"""Tell somebody when something turns red, when it is green again, and once a week that all is well.

What was told is kept in ``operation_runs``, so that a restart or a second machine tells nothing
twice. While the database is away, this process remembers it.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from flask import Flask, current_app

from eventreg import i18n, log
from eventreg.app_clock import current_time
from eventreg.clock import stopwatch
from eventreg.core import operation_runs
from eventreg.core.errors import Busy
from eventreg.core.operation_runs import Operation
from eventreg.settings.table import Settings
from eventreg.storage.session import AWAY, Session, reading, write
from eventreg.watching import messages, status
from eventreg.watching.status import Point

WEEKLY = timedelta(days=7)
_WEEKLY, _PING = "weekly-mail", "ping"
_DOCTOR_EVERY = 60 * 60
"""Seconds between two runs of ``doctor``, which looks at every row."""


class Watch:
    """Watches one server from the process of its background jobs."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        """The points of which this process has told that they are red."""
        self._of_doctor: list[Point] = []
        self._doctor_due = 0.0

    def look(self) -> None:
        """Look at everything, and tell what has changed. Raises nothing for what is red."""
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        now = current_time()
        found = [*status.quick(app, now=now), *self._looked_by_doctor()]
        watched = [one for one in found if one.raises_alarm]
        self._tell_red([one for one in watched if not one.is_good], now)
        self._tell_green([one for one in watched if one.is_good], now)
        _ping(now)
        if not status.bad(watched):
            _tell_weekly(now)

    def _looked_by_doctor(self) -> list[Point]:
        if self._doctor_due <= stopwatch():
            self._of_doctor = status.of_doctor()
            self._doctor_due = stopwatch() + _DOCTOR_EVERY
        return self._of_doctor

    def _tell_red(self, red: Sequence[Point], now: datetime) -> None:
        new = [one for one in red if one.code not in self._told and not _was_told(one)]
        self._told |= {one.code for one in red} - {one.code for one in new}
        if new and _tell("alarm_red", new, is_bad=True):
            self._told |= {one.code for one in new}
            _note(lambda session: _failed(session, new, now))

    def _tell_green(self, green: Sequence[Point], now: datetime) -> None:
        again = [one for one in green if one.code in self._told or _was_told(one)]
        if again and _tell("alarm_green", again, is_bad=False):
            self._told -= {one.code for one in again}
            _note(lambda session: _succeeded(session, again, now))


def _failed(session: Session, red: Sequence[Point], now: datetime) -> None:
    for one in red:
        operation_runs.failed(session, _name(one), "red", now=now)


def _succeeded(session: Session, green: Sequence[Point], now: datetime) -> None:
    for one in green:
        operation_runs.succeeded(session, _name(one), now=now)


def _name(point: Point) -> str:
    return f"alarm:{point.code}"


def _was_told(point: Point) -> bool:
    with suppress(Busy, *AWAY):
        found = operation_runs.last(reading(), _name(point)).is_failing
        reading().rollback()
        return found
    return False


def _tell(subject: str, about: Sequence[Point], *, is_bad: bool) -> bool:
    """Whether at least one channel took the message."""
    return _arrived(messages.tell(*in_words(subject, about), is_bad=is_bad))


def send_test() -> dict[str, str]:
    """Send a test by every channel. Returns each with the reason for which it failed."""
    return messages.tell(*in_words("alarm_test", []), is_bad=False)


def _arrived(answers: dict[str, str]) -> bool:
    for channel, reason in answers.items():
        if reason:
            said = f"the alarm was not sent by {channel}: {reason}"
            log.event("alarm-not-sent", said, kind=channel)
    return any(not reason for reason in answers.values())


def in_words(subject: str, about: Sequence[Point]) -> tuple[str, str]:
    """Subject and text, in Chinese and English. They name no guest: a point about rows has no
    details here."""
    settings: Settings = current_app.extensions["settings"]
    host = settings.public_url.partition("//")[2]
    lines = []
    for language in i18n.LANGUAGES:
        lines.append(i18n.sentence(language, subject))
        lines += [_line(language, one) for one in about]
        lines.append(f"{settings.public_url}/staff/status?lang={language}")
        lines.append("")
    heading = " / ".join(i18n.sentence(one, subject) for one in i18n.LANGUAGES)
    return f"[{host}] {heading}", "\n".join(lines)


def _line(language: str, point: Point) -> str:
    values = {
        name: f"{value:%Y-%m-%d %H:%M} UTC" if isinstance(value, datetime) else value
        for name, value in point.values.items()
    }
    said = i18n.sentence(language, f"status_{point.sentence}", **values)
    if point.is_good:
        return f"✓ {said}"
    return f"✕ {said} {i18n.sentence(language, f'mend_{point.code}')}"


def _ping(now: datetime) -> None:
    """Tell the watchdog elsewhere about a backup that it has not heard of."""
    settings: Settings = current_app.extensions["settings"]
    if not settings.ping_url:
        return
    with suppress(Busy, *AWAY):
        made = operation_runs.last(reading(), Operation.BACKUP)
        heard = operation_runs.last(reading(), _PING).succeeded_at
        reading().rollback()
        if made.succeeded_at is None or (heard is not None and heard >= made.succeeded_at):
            return
        if reason := messages.ping():
            log.event("alarm-not-sent", f"the ping was not sent: {reason}", kind="ping")
            _note(lambda session: operation_runs.failed(session, _PING, "not-sent", now=now))
        else:
            _note(lambda session: operation_runs.succeeded(session, _PING, now=now))


def _tell_weekly(now: datetime) -> None:
    with suppress(Busy, *AWAY):
        last = operation_runs.last(reading(), _WEEKLY).succeeded_at
        reading().rollback()
        if (last is None or now - last >= WEEKLY) and _tell("alarm_weekly", [], is_bad=False):
            _note(lambda session: operation_runs.succeeded(session, _WEEKLY, now=now))


def _note(act: Callable[[Session], None]) -> None:
    """Write it down. While the database is away, this process remembers it by itself."""
    with suppress(Busy, *AWAY):
        write(act)
    reading().rollback()
