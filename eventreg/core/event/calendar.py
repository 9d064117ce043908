"""Write events as a calendar file (RFC 5545). It holds no personal data."""

from collections.abc import Callable, Iterable
from datetime import UTC, timedelta
from typing import Any
from urllib.parse import urlsplit

from eventreg import i18n
from eventreg.core.event import events
from eventreg.core.event.definition import Definition
from eventreg.core.models.event import Event

_REMIND = timedelta(days=-1)


def entry(event: Event, language: str, *, page: str) -> bytes:
    """The file of one event in ``zh`` or ``en``, with a reminder. ``page`` is the full address of
    the event's page.

    The id is made of the slug and the host in ``page``. The sequence grows with each version of the
    event, so that a calendar updates its entry if it reads the file again.
    """
    # Loading the library takes 0.1 s, so it is loaded when it is first used.
    from icalendar import Alarm  # noqa: PLC0415

    made = _entry(event, language, page)
    reminder = Alarm()
    reminder.add("action", "DISPLAY")
    reminder.add("trigger", _REMIND)
    reminder.add("description", events.definition(event).title.in_(language))
    made.add_component(reminder)
    return _file([made])


def feed(
    listed: Iterable[Event], language: str, *, name: str, page_of: Callable[[Event], str]
) -> bytes:
    """A file of several events, for calendars that read it again and again. It has no reminders:
    who follows it has not registered."""
    entries = [_entry(event, language, page_of(event)) for event in listed]
    return _file(entries, {"x-wr-calname": name, "x-published-ttl": "PT1H"})


def _entry(event: Event, language: str, page: str) -> Any:
    from icalendar import Event as Entry  # noqa: PLC0415 - as above

    definition, zone = events.definition(event), events.zone(event)
    made = Entry()
    made.add("uid", f"{event.slug}@{urlsplit(page).hostname}")
    made.add("dtstamp", event.applied_at.astimezone(UTC))
    made.add("last-modified", event.applied_at.astimezone(UTC))
    made.add("sequence", event.version - 1)
    made.add("status", "CANCELLED" if event.notice == "cancelled" else "CONFIRMED")
    made.add("dtstart", event.starts_at.astimezone(zone))
    made.add("dtend", event.ends_at.astimezone(zone))
    made.add("summary", definition.title.in_(language))
    made.add("location", _where(definition, language))
    made.add("description", _what(event, definition, language))
    made.add("url", page)
    return made


def _file(entries: Iterable[Any], about: dict[str, str] | None = None) -> bytes:
    from icalendar import Calendar  # noqa: PLC0415 - as above

    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//eventreg//event//EN")
    calendar.add("method", "PUBLISH")
    for key, value in (about or {}).items():
        calendar.add(key, value)
    for one in entries:
        calendar.add_component(one)
    calendar.add_missing_timezones()
    text: bytes = calendar.to_ical()
    return text


def _where(definition: Definition, language: str) -> str:
    place = definition.place
    parts = [text.in_(language) for text in (place.name, place.address) if text]
    return i18n.sentence(language, "list_comma").join(parts)


def _what(event: Event, definition: Definition, language: str) -> str:
    zone, line = events.zone(event), definition.phone_line
    times = {
        "opens": i18n.time(event.check_in_opens_at.astimezone(zone)),
        "closes": i18n.time(event.check_in_closes_at.astimezone(zone)),
    }
    lines = [
        i18n.sentence(language, "ticket_check_in", **times),
        i18n.sentence(language, "ticket_any_way"),
    ]
    if definition.place.transport:
        lines.append(definition.place.transport.in_(language))
    if line:
        lines.append(i18n.sentence(language, "cannot_come", number=line.shown))
    if event.notice and definition.notice:
        lines.insert(0, definition.notice.text.in_(language))
    return "\n".join(lines)
