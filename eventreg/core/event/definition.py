"""The event definition: everything that an event file says, typed and frozen.

The keys are described in docs/event-file.md. ``event_file`` reads the definition from TOML.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints

from eventreg.core.event.field_types import (
    Count,
    Day,
    Line,
    Link,
    LocalDateTime,
    Moment,
    Name,
    Part,
    Weekday,
    Words,
    Zone,
)
from eventreg.core.values import phones
from eventreg.core.values.notices import NoticeKind


class Waitlist(Part):
    """``[waitlist]``"""

    open: bool = True
    size: Count = 20
    reach_within_hours: Annotated[int, Field(ge=1, le=24 * 14)] = 24


class RegistrationWindow(Part):
    """``[registration]``: by default from now until check-in opens."""

    opens_at: Moment | None = None
    closes_at: Moment | None = None


class CheckInWindow(Part):
    """``[check_in]``: by default it opens half an hour before the start, and who comes after the
    start is late."""

    opens_at: Moment | None = None
    closes_at: Moment | None = None
    release_at: Moment | None = None


class AgendaItem(Part):
    """One of ``[[agenda]]``"""

    at: Moment
    until: Moment | None = None
    text: Words


class Topic(Part):
    """One of ``[[topics]]``: shown on the page, not asked in the form."""

    picture: Literal["neck", "back", "legs", "hands"]
    text: Words


class Said(Part):
    """One of ``[[asked]]``, ``[[bring]]``, ``[[promises]]``"""

    text: Words


class Place(Part):
    """``[place]``"""

    name: Words
    address: Words | None = None
    transport: Words | None = None
    access: Words | None = None
    map: Link | None = None
    """A page with a map, which is asked only if a guest opens it."""


class Speaker(Part):
    """``[speaker]``: name if it is known, post and institution, no praise."""

    name: Name | None = None
    post: Words | None = None
    institution: Words | None = None
    about: Words | None = None


class Host(Part):
    """One of ``[[hosts]]``"""

    name: Name


class PhoneLine(Part):
    """``[phone_line]``: the number for registering by telephone, its hours, and the seats kept for
    its callers."""

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


class DayPhone(Part):
    """``[day_phone]``: the number for the day of the event."""

    number: Line
    from_: dt.time | None = Field(default=None, alias="from")
    until: dt.time | None = None


class CallHours(Part):
    """``[calls]``: the hours in which staff may call people."""

    opens: dt.time = dt.time(9)
    closes: dt.time = dt.time(20)


class Gift(Part):
    """``[gift]``"""

    text: Words
    stock: Count | None = None
    at_check_in: bool = False
    """Whether check-in gives the gift."""


class Notice(Part):
    """``[notice]``: a change that everybody who registered must be told about."""

    kind: NoticeKind = Field(strict=False)
    text: Words


class Privacy(Part):
    """``[privacy]``"""

    keep_days: Annotated[int, Field(ge=0, le=365)] = 30
    server: Words | None = None
    """Where the server stands, for the privacy page."""


class Site(Part):
    """``[site]``: who runs the page, for its header and footer."""

    short_name: Name | None = None
    legal_name: Name | None = None
    filing: Name | None = None


class Definition(Part):
    """One event file, validated and frozen."""

    slug: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
    capacity: Annotated[int, Field(ge=1, le=100_000)]
    timezone: Zone
    starts_at: LocalDateTime
    ends_at: Moment
    title: Words
    title_breaks: Words | None = None
    """The title with ``|`` at the places at which a line may end."""
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
        """The moment as a local date-time. A bare time is on the day of the event. ``None`` stays
        ``None``."""
        return (
            dt.datetime.combine(self.starts_at.date(), moment)
            if isinstance(moment, dt.time)
            else moment
        )

    @property
    def check_in_opens(self) -> dt.datetime:
        """When check-in opens, as a local date-time."""
        opens: dt.datetime | None = self.local(self.check_in.opens_at)
        return opens or self.starts_at - dt.timedelta(minutes=30)

    @property
    def check_in_closes(self) -> dt.datetime:
        """When check-in closes, as a local date-time. People who come from then on are late."""
        closes: dt.datetime | None = self.local(self.check_in.closes_at)
        return closes or self.starts_at

    def aware(self, moment: Moment | None) -> dt.datetime | None:
        """The moment with the event's time zone. ``None`` stays ``None``."""
        local: dt.datetime | None = self.local(moment)
        return local.replace(tzinfo=ZoneInfo(self.timezone)) if local else None

    def texts(self) -> Iterator[tuple[str, str]]:
        """Every text of the file, with its path; also the slug and the time zone."""
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
    """The definition in a text that ``dump`` made."""
    return Definition.model_validate_json(stored)
