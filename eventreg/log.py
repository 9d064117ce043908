"""Write the log to the error output: one line for each event, as JSON or as text for people.

An event has a name of ``EVENTS`` and fields of ``FIELDS``, and docs/logs.md lists both. No field
holds a name, a telephone number, an address, an answer or a secret. Of an error the log says its
type and where it happened, never its text, because that may hold what somebody typed.
"""

import json
import logging
import os
import re
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

from eventreg.clock import utc_now

FORMATS = ("json", "text")
_INFO, _WARNING, _ERROR = logging.INFO, logging.WARNING, logging.ERROR
EVENTS: Mapping[str, int] = {
    "started": _INFO,
    "stopping": _INFO,
    "stopped": _INFO,
    "process-ended": _ERROR,
    "request": _INFO,
    "denied": _WARNING,
    "limit-hit": _WARNING,
    "unhandled": _ERROR,
    "signed-in": _INFO,
    "signed-out": _INFO,
    "sign-in-failed": _WARNING,
    "account-changed": _WARNING,
    "exported": _WARNING,
    "data-seen": _INFO,
    "imported": _INFO,
    "event-changed": _INFO,
    "erased": _WARNING,
    "purge-failed": _ERROR,
    "scrub-owed": _WARNING,
    "erasure-unsure": _WARNING,
    "old-backups-kept": _ERROR,
    "backup-failed": _ERROR,
    "alarm-not-sent": _ERROR,
    "moved": _ERROR,
    "sync-conflict": _WARNING,
    "rush": _WARNING,
    "ticket-not-found": _INFO,
    "mail-failed": _WARNING,
    "mail-not-written": _ERROR,
    "job-delayed": _WARNING,
    "job-failed": _ERROR,
    "database-away": _ERROR,
    "file-lost": _ERROR,
    "file-replaced": _WARNING,
    "other-secret-key": _WARNING,
    "no-pg-dump": _WARNING,
    "redis-away": _ERROR,
    "proxy-not-trusted": _WARNING,
    "outage-page-not-written": _WARNING,
    "reader-broke": _ERROR,
    "library": _WARNING,
}
"""Every event with its level. ``library`` is whatever a library logs."""
FIELDS = (
    *("request", "number", "method", "route", "status", "ms", "staff", "role", "registration"),
    *("action", "account", "count", "kind", "limit", "slug", "mail", "job", "process", "exit"),
    *("version", "settings", "workers", "error", "stack", "logger", "at"),
)
"""Every field besides ``time``, ``level``, ``event`` and ``message``."""
Value = str | int | float | None
_POOL = "sqlalchemy.pool"
"""It reports connections that broke when the database went away. A stack would look like a fault of
the program, which says ``database-away``."""
_ROOT = f"{Path(__file__).resolve().parent.parent}/"
_MOST_FRAMES = 30
_TOGETHER = 15
_later: deque[str] = deque()
"""Lines of requests that are to be written."""
_has_lines: threading.Event | None = None
"""Says that there are some; ``None`` if each line is written at once."""
_ours = logging.getLogger("eventreg")
_SAFE = re.compile(r"[A-Za-z0-9_ .,:/<>+-]{0,120}")
_TELLING = re.compile(r"[^\s@]+@[^\s@]+|\b\d{7,}\b")


def event(
    name: str, message: str = "", *, error: BaseException | None = None, **fields: Value
) -> None:
    """Log one event. ``message`` is a sentence for the operator, and holds nothing about a person.
    Of ``error``, the type and the place are logged."""
    _ours.log(
        EVENTS[name],
        message or name,
        extra={"event": name, "fields": fields, "error": error},
    )


def request(
    id_: str, method: str, route: str, status: int, ms: float, more: Mapping[str, Value]
) -> None:
    """Log an answered request. Quicker than ``event``, since every guest waits for it. The caller
    makes sure that each value is safe."""
    is_text, rest = _line is _in_text, ""
    if more:
        rest = _pairs(more) if is_text else f", {_in_json(dict(more))[1:-1]}"
    line = _REQUEST_IN_TEXT if is_text else _REQUEST_IN_JSON
    made = line % (_moment(), id_, method, route, status, ms, rest)
    if _has_lines is None:
        write(made)
        return
    _later.append(made)
    if not _has_lines.is_set():
        _has_lines.set()


def buffer() -> None:
    """For a process that answers requests: from now on, write the lines of requests together, ten
    times a second, and before any other event. ``flush`` writes the last ones."""
    global _has_lines  # noqa: PLW0603 - there is one log in a process
    _has_lines = threading.Event()
    Thread(target=_write_together, args=(_has_lines,), daemon=True).start()


def _write_together(has_lines: threading.Event) -> None:
    pause = threading.Event()
    while True:
        has_lines.wait()
        pause.wait(0.1)
        has_lines.clear()
        flush()


def flush() -> None:
    """Write the lines that wait. Few at a time, since a pipe keeps only a short text together when
    several processes write to it."""
    while _later:
        some: list[str] = []
        with suppress(IndexError):  # another thread writes them, too
            while len(some) < _TOGETHER:
                some.append(_later.popleft())
        if some:
            write("\n".join(some))


_REQUEST_IN_JSON = (
    '{"time": "%s", "level": "info", "event": "request", "request": "%s", "method": "%s", '
    '"route": "%s", "status": %d, "ms": %.1f%s}'
)
_REQUEST_IN_TEXT = "%s INFO request request=%s method=%s route=%s status=%d ms=%.1f%s"


def begin(format_: str = "") -> None:
    """Write the log in this format from now on; without one, as text on a terminal and as JSON
    otherwise."""
    global _line  # noqa: PLW0603 - there is one log in a process
    _line = _LINES[format_ or ("text" if os.isatty(2) else "json")]
    _ours.setLevel(_INFO)
    if _handler not in logging.getLogger().handlers:
        logging.getLogger().addHandler(_handler)


def catch_all() -> None:
    """For the server: also log an error that ends the program, or a thread."""
    sys.excepthook = lambda _kind, error, _trace: _ended("the program", error)
    threading.excepthook = lambda ended: _ended("a thread", ended.exc_value)


def in_requests(context: Callable[[], Mapping[str, Value]]) -> None:
    """Add the fields that ``context`` returns to each event: they say during which request it
    happened. Their values are safe."""
    global _context  # noqa: PLW0603 - there is one log in a process
    _context = context


def write(line: str) -> None:
    """Write one line to the error output. If nobody can read it any more, the program goes on."""
    left = f"{line}\n".encode("utf-8", "backslashreplace")
    try:
        while left:
            left = left[os.write(2, left) :]
    except OSError:
        pass


def _ended(what: str, error: BaseException | None) -> None:
    if not isinstance(error, KeyboardInterrupt):
        event("unhandled", f"{what} ends", error=error)


class _Handler(logging.Handler):
    """Takes the events of this program, and the records of libraries."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line. An error in here must not break what is logged."""
        flush()
        try:
            write(_line(dict(_entry(record))))
        except Exception as error:
            write(f"the log is broken: {type(error).__name__}")


def _entry(record: logging.LogRecord) -> Iterator[tuple[str, Any]]:
    """The fields of a record, in the order of the line."""
    name: str = getattr(record, "event", "library")
    yield from (("time", _moment()), ("level", record.levelname.lower()), ("event", name))
    error: BaseException | None = getattr(record, "error", None)
    if name == "library":
        # Only the part of its message that stands in its code: the rest may be a ticket's address.
        message = str(record.msg) if record.args else ""
        yield from (("logger", record.name), ("at", f"{record.module}:{record.lineno}"))
        error = record.exc_info[1] if record.exc_info else None
    else:
        message = record.getMessage()
    if message not in {"", name}:
        yield "message", _TELLING.sub("…", message)
    yield from _context().items()
    for field, value in getattr(record, "fields", {}).items():
        if value is not None:
            yield field, _safe(value)
    if error is not None:
        yield "error", type(error).__name__
        if not record.name.startswith(_POOL):
            yield "stack", list(_stack(error))


def _safe(value: Value) -> Value:
    """The value of a field, or … if a person may have typed it."""
    unsafe = isinstance(value, str) and not (_SAFE.fullmatch(value) and not _TELLING.search(value))
    return "…" if unsafe else value


def _stack(error: BaseException | None) -> Iterator[str]:
    """Where an error happened, and the errors that led to it: types and places, no values."""
    told: set[int] = set()
    while error is not None and id(error) not in told:
        told.add(id(error))
        yield type(error).__qualname__
        frames, trace = [], error.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            place = code.co_filename.removeprefix(_ROOT).rpartition("/site-packages/")[2]
            frames.append(f"{place}:{trace.tb_lineno} {code.co_name}")
            trace = trace.tb_next
        yield from frames[-_MOST_FRAMES:]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _moment() -> str:
    return utc_now().isoformat(timespec="milliseconds")


_in_json = json.JSONEncoder(ensure_ascii=True).encode
"""Everything that is not ASCII is escaped: no character can begin or turn a line."""


def _pairs(fields: Mapping[str, Value]) -> str:
    return "".join([f" {name}={value}" for name, value in fields.items()])


def _in_text(entry: dict[str, Any]) -> str:
    """The line for people: time, level, event, message, and the rest as name=value."""
    begins = [entry.pop("time"), entry.pop("level").upper(), entry.pop("event")]
    said, stack = entry.pop("message", ""), entry.pop("stack", [])
    head = " ".join(filter(None, [*begins, said]))
    line = head + _pairs(entry) + "".join(f" | {frame}" for frame in stack)
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in line)


_LINES: Mapping[str, Callable[[dict[str, Any]], str]] = {"json": _in_json, "text": _in_text}
_line: Callable[[dict[str, Any]], str] = _in_json
_context: Callable[[], Mapping[str, Value]] = dict
_handler = _Handler()
