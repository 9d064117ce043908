"""The event definition: every fact and word of one event, typed and frozen. ``event_file`` reads it
from TOML.

The keys are those of docs/event-file.md.
"""

import datetime as dt
from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
)

from eventreg.core.values import phones

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]


@cache
def _zones() -> frozenset[str]:
    """The names of all zones; looking for them walks through hundreds of files."""
    return frozenset(available_timezones())


def _known_zone(name: str) -> str:
    if name not in _zones():
        raise ValueError("must be the name of a time zone, such as Asia/Shanghai")
    return name


def _without_offset(moment: dt.datetime | dt.time) -> dt.datetime | dt.time:
    if moment.tzinfo:
        raise ValueError("must be local, without an offset")
    return moment


FIRST_YEAR, LAST_YEAR = 2000, 2100
"""Of anything in an event file: so that no sum of times leaves the calendar, in whatever zone."""
WRITTEN = "written"
"""Said where a file is read. A row that an older program stored is loaded whatever its year."""


def _in_our_time(moment: dt.date, asked: ValidationInfo) -> dt.date:
    if asked.context == WRITTEN and not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"must be in a year from {FIRST_YEAR} to {LAST_YEAR}")
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
LocalDateTime = Annotated[
    dt.datetime, AfterValidator(_without_offset), AfterValidator(_in_our_time)
]
Day = Annotated[dt.date, AfterValidator(_in_our_time)]
Moment = LocalDateTime | dt.time
"""A local date-time, or a local time on the day of the event, both meant in the event's time
zone."""


class Waitlist(_Part):
    """``[waitlist]``"""

    open: bool = True
    size: Count = 20
    reach_within_hours: Annotated[int, Field(ge=1, le=24 * 14)] = 24


class RegistrationWindow(_Part):
    """``[registration]``: from now, and until check-in opens, unless it says otherwise."""

    opens_at: Moment | None = None
    closes_at: Moment | None = None


class CheckInWindow(_Part):
    """``[check_in]``: opens half an hour before the start and is on time until the start, unless it
    says otherwise."""

    opens_at: Moment | None = None
    closes_at: Moment | None = None
    release_at: Moment | None = None


class AgendaItem(_Part):
    """One of ``[[agenda]]``"""

    at: Moment
    until: Moment | None = None
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
    """``[phone_line]``: the number to register by, when somebody is there, and seats kept for its
    callers."""

    number: Line
    area_code: Annotated[str, StringConstraints(pattern=r"^0\d{2,3}$")] | None = None
    calls_from: Line | None = None
    weekdays: tuple[Weekday, ...] = Field(default=(1, 2, 3, 4, 5), min_length=1, strict=False)
    opens: dt.time = dt.time(9)
    closes: dt.time = dt.time(17)
    closed_on: tuple[Day, ...] = Field(default=(), strict=False)
    open_on: tuple[Day, ...] = Field(default=(), strict=False)
    held_seats: Count = 0
    held_until: Moment | None = None

    @property
    def shown(self) -> str:
        """The number as it is printed, with its area code."""
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


class CallHours(_Part):
    """``[calls]``: when we may ring people up, which is not when they may ring us."""

    opens: dt.time = dt.time(9)
    closes: dt.time = dt.time(20)


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
    calls: CallHours = CallHours()
    gift: Gift | None = None
    bring: tuple[Said, ...] = Field(default=(), strict=False)
    promises: tuple[Said, ...] = Field(default=(), strict=False)
    notice: Notice | None = None
    privacy: Privacy = Privacy()
    site: Site = Site()

    def local(self, moment: Moment | None) -> Any:
        """A moment as local date-time: a bare time is meant on the day of the event. ``None`` stays
        ``None``."""
        return (
            dt.datetime.combine(self.starts_at.date(), moment)
            if isinstance(moment, dt.time)
            else moment
        )

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
        yield from (
            (path, value) for path, value in leaves(self.model_dump()) if isinstance(value, str)
        )


def leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every value inside tables and lists, with its path: ``agenda.0.text.zh``."""
    if isinstance(value, dict | list | tuple):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, f"{path}.{key}" if path else str(key))
    else:
        yield path, value


def dump(definition: Definition) -> str:
    """The definition as JSON, for the event's row."""
    return definition.model_dump_json(by_alias=True)


def load(stored: str) -> Definition:
    """The definition back from ``dump``."""
    return Definition.model_validate_json(stored)
