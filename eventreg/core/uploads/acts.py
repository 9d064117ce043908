"""Acts of a door device, as it uploads them: one batch of JSON becomes acts, without a database.

A batch is refused as a whole if it is no batch. One bad act never refuses its batch: it becomes an
``Invalid`` in its place.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NoReturn

from eventreg.core.door import devices
from eventreg.core.door_errors import BatchMalformed, BatchTooLarge, BatchWrong

MOST = 500
"""Acts of one batch."""
DEEPEST = 16
"""How deeply the JSON of a batch may be nested."""
_KEY = re.compile(r"[0-9A-Za-z._:-]{1,64}")
_LONGEST_TEXT = 200
_MOST_ABSENT = 5_000
_LARGEST = 2**31 - 1


class Kind(StrEnum):
    """What a device can record."""

    CHECK_IN = "check-in"
    UNDO = "undo"
    GIFT = "gift"
    GIFT_UNDO = "gift-undo"
    GIFT_OWED = "gift-owed"
    WALK_IN = "walk-in"
    RENAME = "rename"
    CONFIRM_NAME = "confirm-name"
    SEAT = "seat"
    RESTORE = "restore"
    PRESENT = "present"
    RELEASE = "release"


@dataclass(frozen=True)
class Act:
    """One act. ``at`` is when it happened by the device's clock, ``None`` if it does not say so
    with a time zone."""

    key: str
    kind: Kind
    device: str
    """The device that recorded it."""
    seq: int | None = None
    """The device's own count."""
    attendee: str = ""
    """A person's random id, or the key of an earlier walk-in; empty for a walk-in."""
    at: datetime | None = None
    name: str = ""
    phone: str = ""
    absent: Sequence[str] = ()
    """Of a release: those who had not come, as the volunteer saw it."""


@dataclass(frozen=True)
class Invalid:
    """An act that cannot be read. ``key`` is ``None`` if not even that can be."""

    key: str | None


@dataclass(frozen=True)
class Batch:
    """What one device uploads at once."""

    device: str
    now: datetime | None
    """The device's clock, when it sent the batch."""
    unsent: int | None
    """How many acts it had not uploaded then."""
    acts: Sequence[Act | Invalid]


class _Wrong(Exception):
    """A value has the wrong type or form."""


def parse(body: bytes) -> Batch:
    """The batch in the body of an upload.

    Raises ``BatchMalformed``, ``BatchWrong``, or ``BatchTooLarge`` for more than 500 acts.
    """
    sent = _loaded(body)
    if not isinstance(sent, dict):
        raise BatchWrong("batch")
    device, acts = sent.get("device"), sent.get("acts")
    if not devices.is_well_formed(device):
        raise BatchWrong("device")
    if not isinstance(acts, list):
        raise BatchWrong("acts")
    if len(acts) > MOST:
        raise BatchTooLarge
    try:
        now = _time(sent.get("now"))
    except _Wrong:
        raise BatchWrong("now") from None
    try:
        unsent = _number(sent.get("unsent"))
    except _Wrong:
        raise BatchWrong("unsent") from None
    return Batch(str(device), now, unsent, [_act(one, str(device)) for one in acts])


def _loaded(body: bytes) -> Any:
    try:
        sent = json.loads(body.decode(), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BatchMalformed from error
    if any(depth > DEEPEST for depth in _depths(sent)):
        raise BatchMalformed
    return sent


def _no_number(constant: str) -> NoReturn:
    """JSON has no NaN and no Infinity, though Python reads them."""
    raise ValueError(constant)


def _depths(sent: Any) -> Iterator[int]:
    """The depth of each object and array, without recursion."""
    waiting = [(sent, 1)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, dict | list):
            yield depth
            inside = value.values() if isinstance(value, dict) else value
            waiting += [(one, depth + 1) for one in inside]


def _act(sent: Any, uploader: str) -> Act | Invalid:
    """One act; ``Invalid`` if a value is missing, or of a wrong type or form."""
    key = sent.get("key") if isinstance(sent, dict) else None
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        return Invalid(None)
    try:
        kind = Kind(sent.get("act"))
    except ValueError:
        return Invalid(key)
    try:
        made = Act(
            key,
            kind,
            _device(sent.get("device"), uploader),
            _number(sent.get("seq")),
            _text(sent.get("attendee"), 64),
            _time(sent.get("at")),
            _text(sent.get("name")),
            _text(sent.get("phone")),
            _texts(sent.get("absent")),
        )
    except _Wrong:
        return Invalid(key)
    needs_person = kind not in {Kind.WALK_IN, Kind.RELEASE} and not made.attendee
    needs_name = kind in {Kind.WALK_IN, Kind.RENAME} and not made.name.strip()
    return Invalid(key) if needs_person or needs_name else made


def _device(sent: Any, uploader: str) -> str:
    if sent is None:
        return uploader
    if not devices.is_well_formed(sent):
        raise _Wrong
    return str(sent)


def _text(sent: Any, longest: int = _LONGEST_TEXT) -> str:
    """A text that a database can store: no control character, and no half of a character."""
    if sent is None:
        return ""
    if not isinstance(sent, str) or len(sent) > longest:
        raise _Wrong
    if not sent.isprintable() and any(unicodedata.category(c) in {"Cc", "Cs"} for c in sent):
        raise _Wrong
    return sent


def _texts(sent: Any) -> Sequence[str]:
    if sent is None:
        return ()
    if not isinstance(sent, list) or len(sent) > _MOST_ABSENT:
        raise _Wrong
    return tuple(_text(one, 64) for one in sent)


def _number(sent: Any) -> int | None:
    if sent is None:
        return None
    if not isinstance(sent, int) or isinstance(sent, bool) or not 0 <= sent <= _LARGEST:
        raise _Wrong
    return sent


def _time(sent: Any) -> datetime | None:
    """The moment in an ISO text; ``None`` without one or without a time zone: such a clock says
    nothing. A moment outside the years 1 to 9999 in UTC says nothing, either."""
    if sent is None:
        return None
    if not isinstance(sent, str) or len(sent) > 40:
        raise _Wrong
    try:
        moment = datetime.fromisoformat(sent)
    except ValueError:
        raise _Wrong from None
    try:
        return moment.astimezone(UTC) if moment.tzinfo else None
    except OverflowError:
        return None
