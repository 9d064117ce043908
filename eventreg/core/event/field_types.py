"""The types of the values in an event file: texts in two languages, local times, counts."""

import datetime as dt
import re
from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
)


def _secure_link(link: str) -> str:
    if not _HTTPS.fullmatch(link):
        raise ValueError("must begin with https:// and have no space")
    return link


_HTTPS = re.compile(r"https://[^\s/?#\"<>\\]+[^\s\"<>\\]*")
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Link = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=2000),
    AfterValidator(_secure_link),
]
"""The address of a page elsewhere."""
Count = Annotated[int, Field(ge=0, le=1_000_000)]


@cache
def _zones() -> frozenset[str]:
    """The names of all time zones. Cached, because finding them reads hundreds of files."""
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
"""The years that an event file may name: adding days to such a date stays within the calendar."""
WRITTEN = "written"
"""The validation context for reading a file. Without it any year is accepted: an older version may
have stored such a row."""


def _within_years(moment: dt.date, info: ValidationInfo) -> dt.date:
    if info.context == WRITTEN and not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"must be in a year from {FIRST_YEAR} to {LAST_YEAR}")
    return moment


class Part(BaseModel):
    """A table of the event file. Refuses unknown keys and values of another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Words(Part):
    """A text in both languages. Neither may be missing."""

    zh: Line
    en: Line

    def in_(self, language: str) -> str:
        """The text in ``zh`` or ``en``."""
        return self.zh if language == "zh" else self.en


def _same_in_both(value: object) -> object:
    return {"zh": value, "en": value} if isinstance(value, str) else value


Name = Annotated[Words, BeforeValidator(_same_in_both)]
"""A proper name, which may be given once for both languages."""
LocalDateTime = Annotated[
    dt.datetime, AfterValidator(_without_offset), AfterValidator(_within_years)
]
Day = Annotated[dt.date, AfterValidator(_within_years)]
Moment = LocalDateTime | dt.time
"""A local date-time, or a local time on the day of the event, in the event's time zone."""
Zone = Annotated[str, AfterValidator(_known_zone)]
"""The name of a time zone."""
Weekday = Annotated[int, Field(ge=1, le=7)]
"""1 for Monday to 7 for Sunday."""
