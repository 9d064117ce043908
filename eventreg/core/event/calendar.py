"""Write the event as a calendar file (RFC 5545). It holds no personal data."""

from datetime import UTC, timedelta
from urllib.parse import urlsplit

from eventreg import i18n
from eventreg.core.event import events
from eventreg.core.event.definition import Definition
from eventreg.core.models.event import Event

_REMIND = timedelta(days=-1)


def entry(event: Event, language: str, *, page: str) -> bytes:
    """The file in ``zh`` or ``en``. ``page`` is the full address of the event's page.

    The id is made of the slug and the host in ``page``. The sequence grows with each version of the
    event, so that a calendar updates its entry if it reads the file again.
    """
    # Loading the library takes 0.1 s, so it is loaded when it is first used.
    from icalendar import Alarm, Calendar  # noqa: PLC0415
    from icalendar import Event as Entry  # noqa: PLC0415

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
    reminder = Alarm()
    reminder.add("action", "DISPLAY")
    reminder.add("trigger", _REMIND)
    reminder.add("description", definition.title.in_(language))
    made.add_component(reminder)
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//eventreg//event//EN")
    calendar.add("method", "PUBLISH")
    calendar.add_component(made)
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
