"""The event file: every fact and word of one event, in TOML, validated whole and then frozen.

The keys are those of docs/event-file.md. A mistake never stands alone: all are reported at once, each with the key's path
and what was expected.
"""

import datetime as dt
import tomllib
from collections.abc import Iterator
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from eventreg.core import phones
from eventreg.core.errors import FieldRefused
from eventreg.core.wording import forbidden_words

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("must be the name of a time zone, such as Asia/Shanghai")
    return name


def _without_offset(moment: dt.datetime | dt.time) -> dt.datetime | dt.time:
    if moment.tzinfo:
        raise ValueError("must be local, without an offset")
    return moment


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Words(_Part):
    """A text in both languages; one alone is a mistake."""

    zh: Line
    en: Line

    def in_(self, language: str) -> str:
        """The text in ``zh`` or ``en``."""
        return self.zh if language == "zh" else self.en


def _same_in_both(value: object) -> object:
    return {"zh": value, "en": value} if isinstance(value, str) else value


Name = Annotated[Words, BeforeValidator(_same_in_both)]
"""A proper name may be given once for both languages."""
LocalDateTime = Annotated[dt.datetime, AfterValidator(_without_offset)]
Moment = LocalDateTime | dt.time
"""A local date-time, or a local time on the day of the event, both meant in the event's time zone."""


class Waitlist(_Part):
    """``[waitlist]``"""

    open: bool = True
    size: Count = 20


class RegistrationWindow(_Part):
    """``[registration]``: from now, and until check-in opens, unless it says otherwise."""

    opens_at: Moment | None = None
    closes_at: Moment | None = None


class CheckInWindow(_Part):
    """``[check_in]``: opens half an hour before the start and is on time until the start, unless it says otherwise."""

    opens_at: Moment | None = None
    closes_at: Moment | None = None
    release_at: Moment | None = None


class AgendaItem(_Part):
    """One of ``[[agenda]]``"""

    at: dt.time
    until: dt.time | None = None
    text: Words


class Topic(_Part):
    """One of ``[[topics]]``: shown, never asked."""

    picture: Literal["neck", "back", "legs", "hands"]
    text: Words


class Said(_Part):
    """One of ``[[asked]]``, ``[[bring]]``, ``[[promises]]``"""

    text: Words


class Place(_Part):
    """``[place]``"""

    name: Words
    address: Words | None = None
    transport: Words | None = None
    access: Words | None = None


class Speaker(_Part):
    """``[speaker]``: name where one is known, post and institution, never praise."""

    name: Name | None = None
    post: Words | None = None
    institution: Words | None = None
    about: Words | None = None


class Host(_Part):
    """One of ``[[hosts]]``"""

    name: Name


Weekday = Annotated[int, Field(ge=1, le=7)]


class PhoneLine(_Part):
    """``[phone_line]``: the number to register by, when somebody is there, and seats kept for its callers."""

    number: Line
    area_code: Annotated[str, StringConstraints(pattern=r"^0\d{2,3}$")] | None = None
    calls_from: Line | None = None
    weekdays: tuple[Weekday, ...] = Field(default=(1, 2, 3, 4, 5), min_length=1, strict=False)
    opens: dt.time = dt.time(9)
    closes: dt.time = dt.time(17)
    closed_on: tuple[dt.date, ...] = Field(default=(), strict=False)
    open_on: tuple[dt.date, ...] = Field(default=(), strict=False)
    held_seats: Count = 0
    held_until: Moment | None = None

    @property
    def shown(self) -> str:
        """The number as it is printed: 0574-56116778."""
        return f"{self.area_code}-{self.number}" if self.area_code else self.number

    @property
    def dial(self) -> str:
        """The number as a ``tel:`` link needs it."""
        return phones.dial(self.number, self.area_code)


class DayPhone(_Part):
    """``[day_phone]``: who answers on the morning itself."""

    number: Line
    from_: dt.time | None = Field(default=None, alias="from")
    until: dt.time | None = None


class Gift(_Part):
    """``[gift]``"""

    text: Words
    stock: Count | None = None


class Notice(_Part):
    """``[notice]``: something that everybody who registered must learn."""

    kind: Literal["moved", "cancelled", "speaker-replaced"]
    text: Words


class Privacy(_Part):
    """``[privacy]``"""

    keep_days: Annotated[int, Field(ge=0, le=365)] = 30


class Site(_Part):
    """``[site]``: who stands behind the page, for header and footer."""

    short_name: Name | None = None
    legal_name: Name | None = None
    filing: Name | None = None


class Definition(_Part):
    """One event file, validated and frozen; not yet counted."""

    slug: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
    capacity: Annotated[int, Field(ge=1, le=100_000)]
    timezone: Annotated[str, AfterValidator(_known_zone)]
    starts_at: LocalDateTime
    ends_at: Moment
    title: Words
    theme: Words | None = None
    summary: Words | None = None
    health_note: Words | None = None
    max_party: Annotated[int, Field(ge=1, le=10)] = 2
    max_per_phone: Annotated[int, Field(ge=1, le=100)] = 4
    waitlist: Waitlist = Waitlist()
    registration: RegistrationWindow = RegistrationWindow()
    check_in: CheckInWindow = CheckInWindow()
    agenda: tuple[AgendaItem, ...] = Field(default=(), strict=False)
    topics: tuple[Topic, ...] = Field(default=(), strict=False)
    asked: tuple[Said, ...] = Field(default=(), strict=False)
    place: Place
    speaker: Speaker | None = None
    hosts: tuple[Host, ...] = Field(default=(), strict=False)
    phone_line: PhoneLine | None = None
    day_phone: DayPhone | None = None
    gift: Gift | None = None
    bring: tuple[Said, ...] = Field(default=(), strict=False)
    promises: tuple[Said, ...] = Field(default=(), strict=False)
    notice: Notice | None = None
    privacy: Privacy = Privacy()
    site: Site = Site()

    def local(self, moment: Moment | None) -> Any:
        """A moment as local date-time: a bare time is meant on the day of the event. ``None`` stays ``None``."""
        return dt.datetime.combine(self.starts_at.date(), moment) if isinstance(moment, dt.time) else moment

    @property
    def check_in_opens(self) -> dt.datetime:
        """Local."""
        opens: dt.datetime | None = self.local(self.check_in.opens_at)
        return opens or self.starts_at - dt.timedelta(minutes=30)

    @property
    def check_in_closes(self) -> dt.datetime:
        """Local: who comes later is late."""
        closes: dt.datetime | None = self.local(self.check_in.closes_at)
        return closes or self.starts_at

    def aware(self, moment: Moment | None) -> dt.datetime | None:
        """A moment of the file as the moment it means, with the event's time zone."""
        local: dt.datetime | None = self.local(moment)
        return local.replace(tzinfo=ZoneInfo(self.timezone)) if local else None

    def texts(self) -> Iterator[tuple[str, str]]:
        """Every text of the file with its path, for checking words."""
        yield from _texts("", self.model_dump())


def _texts(path: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(f"{path}.{key}".strip("."), inner)
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from _texts(f"{path}.{place}", inner)


class DefinitionInvalid(Exception):
    """The event file has mistakes; each is one line of ``mistakes``: file, key path, what was expected."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


_EXPECTED = {
    "missing": "is missing",
    "extra_forbidden": "is not a key of event files",
    "datetime_type": "must be a local date-time, such as 2030-01-31T09:00:00",
    "time_type": "must be a local time, such as 09:00:00",
    "date_type": "must be a date, such as 2030-01-31",
    "string_pattern_mismatch": "must match {pattern}",
    "Words": 'must be a text in both languages: {{ zh = "…", en = "…" }}',
}


def _mistakes(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Each mistake once, as path and expectation; the branches of "date-time or time" are one mistake."""
    seen = set()
    for fault in error.errors(include_url=False):
        path = ".".join(str(step) for step in fault["loc"] if step not in {"datetime", "time"})
        if path not in seen:
            seen.add(path)
            yield path, _expected(fault["type"], fault["msg"], fault.get("ctx", {}))


def _expected(kind: str, said: str, context: dict[str, Any]) -> str:
    if context.get("class_name") == "Words":
        kind = "Words"
    ours = _EXPECTED.get(kind)
    return ours.format(**context) if ours else said.removeprefix("Value error, ").replace("Input should be", "must be")


class _Raw:
    """The TOML as it was read, looked into without trusting it: rules between keys are checked even where others fail."""

    def __init__(self, toml: dict[str, Any]) -> None:
        self._toml = toml

    def get(self, path: str, kind: type | tuple[type, ...]) -> Any:
        """The value at ``path`` if it is of that kind, else ``None``."""
        value: Any = self._toml
        for step in path.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        return value if isinstance(value, kind) and not isinstance(value, bool) else None

    def local(self, path: str) -> dt.datetime | None:
        """The local date-time at ``path``; a bare time is meant on the day of the event."""
        starts, moment = self.get("starts_at", dt.datetime), self.get(path, (dt.datetime, dt.time))
        if isinstance(moment, dt.time) and starts:
            moment = dt.datetime.combine(starts.date(), moment)
        return moment if isinstance(moment, dt.datetime) and not moment.tzinfo else None

    def agenda(self) -> list[dict[str, Any]]:
        """The items that are tables."""
        return [item for item in self.get("agenda", list) or [] if isinstance(item, dict)]


def _impossible(raw: _Raw) -> Iterator[tuple[str, str]]:
    """Values that are right each alone and cannot be right together."""
    yield from _out_of_order(raw)
    capacity, held = raw.get("capacity", int), raw.get("phone_line.held_seats", int)
    if capacity is not None and held is not None and held > capacity:
        yield "phone_line.held_seats", "must be at most capacity"
    if (raw.get("max_per_phone", int) or 4) < (raw.get("max_party", int) or 2):
        yield "max_per_phone", "must be at least max_party"
    for line in ("phone_line", "day_phone"):
        number = raw.get(f"{line}.number", str)
        if number is not None and not _can_be_rung(number, raw.get("phone_line.area_code", str)):
            yield f"{line}.number", "must be a number that can be rung, with phone_line.area_code where it needs one"


def _out_of_order(raw: _Raw) -> Iterator[tuple[str, str]]:
    later_than = {
        "ends_at": "starts_at",
        "registration.closes_at": "registration.opens_at",
        "check_in.closes_at": "check_in.opens_at",
        "check_in.release_at": "check_in.opens_at",
    }
    for later, earlier in later_than.items():
        first, second = raw.local(earlier), raw.local(later)
        if first and second and second <= first:
            yield later, f"must be after {earlier}"
    for earlier, later, table in (("opens", "closes", "phone_line"), ("from", "until", "day_phone")):
        begin, end = raw.get(f"{table}.{earlier}", dt.time), raw.get(f"{table}.{later}", dt.time)
        if begin and end and end <= begin:
            yield f"{table}.{later}", f"must be after {table}.{earlier}"
    for place, item in enumerate(raw.agenda()):
        at, until = item.get("at"), item.get("until")
        if isinstance(at, dt.time) and isinstance(until, dt.time) and until <= at:
            yield f"agenda.{place}.until", f"must be after agenda.{place}.at"


def _can_be_rung(number: str, area_code: str | None) -> bool:
    try:
        phones.parse(number, area_code)
    except FieldRefused:
        return False
    return True


def parse(toml: str, file: str = "event file") -> Definition:
    """The definition that a TOML text holds; raises ``DefinitionInvalid`` with every mistake in it."""
    try:
        raw = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        raise DefinitionInvalid([f"{file}: not TOML: {error}"]) from error
    mistakes = []
    try:
        definition = Definition.model_validate(raw)
    except ValidationError as error:
        mistakes = list(_mistakes(error))
    known = {path for path, _ in mistakes}
    mistakes += [mistake for mistake in _impossible(_Raw(raw)) if mistake[0] not in known]
    if mistakes:
        raise DefinitionInvalid([f"{file}: {path}: {expected}" for path, expected in mistakes])
    return definition


def warnings(definition: Definition, file: str = "event file") -> list[str]:
    """Words that the event file should not use, each with its path: an organiser's decision, not a mistake."""
    return [
        f"{file}: {path}: {word!r} promises a cure or pushes; choose another word"
        for path, words in definition.texts()
        for word in forbidden_words(words)
    ]


def dump(definition: Definition) -> str:
    """The definition as JSON, for the event's row."""
    return definition.model_dump_json(by_alias=True)


def load(stored: str) -> Definition:
    """The definition back from ``dump``."""
    return Definition.model_validate_json(stored)
