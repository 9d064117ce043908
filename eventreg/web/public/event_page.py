"""Render the event page: the seats in words, and what search engines and chat apps read. Rendered
pages are cached until something that they show changes."""

import gzip
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from flask import Response, g, render_template, request

from eventreg import i18n
from eventreg.core.event import events
from eventreg.core.event.events import Phase
from eventreg.core.models.event import Event
from eventreg.core.registration import waitlist
from eventreg.core.registration.availability import Glance
from eventreg.web import addresses
from eventreg.web.event_facts import calls, facts, seats_now
from eventreg.web.language import count, day, hour, say, words
from eventreg.web.language import date as day_and_half
from eventreg.web.wire import browser

FEW = 5
"""The page gives the number of seats left only if it is this small."""
_CACHED = 256


@dataclass(frozen=True)
class EventView:
    """Everything that the page depends on besides the event, as a key of the cache: equal views are
    the same page."""

    language: str
    size: str
    size_is_carried: bool
    in_chat_app: bool
    today: date
    phase: Phase
    left: int
    held: int
    """Seats that are held for the telephone line."""
    room_to_wait: bool
    calls_answered: bool
    calls_open: datetime | None
    day_phone: tuple[bool, bool]
    """Whether the number of the day is shown, and whether it is answered."""

    @property
    def seat_note(self) -> bool:
        """Whether the seat line is highlighted."""
        return self.phase is not Phase.OPEN or self.left <= FEW


def answer(seen: Glance, page: str) -> Response:
    """The response with the page, from the cache if nothing that it shows has changed. Each request
    reads the seats anew."""
    counted = seats_now(seen.event, seen.counted)
    room = waitlist.has_room(seen.event, counted, 1)
    packed = "gzip" in request.environ.get("HTTP_ACCEPT_ENCODING", "")
    seen_by = (g.language, g.size, g.size_is_carried, browser.in_chat_app())
    text, zipped = _page_of_second(
        seen.event, page, seen_by, (counted.left, counted.held), room, int(g.now.timestamp())
    )
    made = Response(zipped if packed else text, mimetype="text/html")
    made.headers.add("Vary", "Accept-Encoding")
    if packed:
        made.headers.add("Content-Encoding", "gzip")
    return made


def preview(found: Event) -> str:
    """A draft's page, as guests would see it while every seat is free."""
    seen_by = (g.language, g.size, False, False)
    return _made(
        found, "event", _view(found, seen_by, (events.definition(found).capacity, 0), True)
    ).decode()


@lru_cache(maxsize=_CACHED)
def _page_of_second(
    found: Event,
    page: str,
    seen_by: tuple[str, str, bool, bool],
    left: tuple[int, int],
    room: bool,
    _second: int,
) -> tuple[bytes, bytes]:
    """The page in this second. Phases and telephone hours change on full seconds, so within one
    second the page stays the same."""
    return _rendered(found, page, _view(found, seen_by, left, room))


def _view(
    found: Event, seen_by: tuple[str, str, bool, bool], left: tuple[int, int], room: bool
) -> EventView:
    line = calls(found)
    on_the_day = line.on_the_day if line else None
    return EventView(
        *seen_by,
        today=g.now.astimezone(events.zone(found)).date(),
        phase=events.phase(found, g.now),
        left=left[0],
        held=left[1],
        room_to_wait=room,
        calls_answered=bool(line and line.answered),
        calls_open=line.opens if line else None,
        day_phone=(on_the_day is not None, bool(on_the_day and on_the_day.answered)),
    )


@lru_cache(maxsize=_CACHED)
def _rendered(found: Event, page: str, view: EventView) -> tuple[bytes, bytes]:
    """The page, and the same compressed."""
    text = _made(found, page, view)
    return text, gzip.compress(text, 9, mtime=0)


def _made(found: Event, page: str, view: EventView) -> bytes:
    zone = events.zone(found)
    return render_template(
        "public/event_page.html",
        page=page,
        view=view,
        is_today=found.starts_at.astimezone(zone).date() == view.today,
        check_in_half=i18n.half_of_day(found.check_in_opens_at.astimezone(zone)),
        seat_line=_seat_line(found, view),
        description=_in_a_line(found),
        linked_data=_linked_data(found, view),
        **facts(found),
    ).encode()


def _seat_line(found: Event, view: EventView) -> str:
    """The sentence that says whether one can register now."""
    if view.phase is Phase.NOT_YET_OPEN:
        opens, zone = found.registration_opens_at or found.starts_at, events.zone(found)
        return say("seats_not_yet", day=day(opens, zone), time=hour(opens, zone))
    if view.phase is not Phase.OPEN:
        return say(f"seats_{view.phase}")
    if not view.left and view.held:
        return count("seats_by_phone", view.held)
    if not view.left:
        return say("seats_full_waiting" if view.room_to_wait else "seats_full")
    return count("seats_few", view.left) if view.left <= FEW else say("seats_many")


def _in_a_line(found: Event) -> str:
    """The event in one line, which chat apps show below the title."""
    definition, zone = events.definition(found), events.zone(found)
    when = f"{day_and_half(found.starts_at, zone)} {hour(found.starts_at, zone)}"
    return " · ".join(
        [when, words(definition.place.name), say("free_seats", seats=definition.capacity)]
    )


def _linked_data(found: Event, view: EventView) -> dict[str, Any]:
    """The event for search engines (schema.org/Event)."""
    definition, zone = events.definition(found), events.zone(found)
    place, notice = definition.place, definition.notice
    address = addresses.event_page(found.slug, g.language)
    status = {"cancelled": "EventCancelled", "moved": "EventRescheduled"}.get(
        notice.kind if notice else ""
    )
    data = {
        "@context": "https://schema.org",
        "@type": "Event",
        "name": words(definition.title),
        "description": words(definition.summary or definition.theme),
        "startDate": found.starts_at.astimezone(zone).isoformat(),
        "endDate": found.ends_at.astimezone(zone).isoformat(),
        "doorTime": found.check_in_opens_at.astimezone(zone).isoformat(),
        "eventStatus": f"https://schema.org/{status or 'EventScheduled'}",
        "eventAttendanceMode": "https://schema.org/OfflineEventAttendanceMode",
        "inLanguage": g.language,
        "url": address,
        "isAccessibleForFree": True,
        "maximumAttendeeCapacity": definition.capacity,
        "location": {"@type": "Place", "name": words(place.name), "address": words(place.address)},
        "organizer": [
            {"@type": "Organization", "name": words(host.name)} for host in definition.hosts
        ],
        "offers": {
            "@type": "Offer",
            "price": 0,
            "priceCurrency": "CNY",
            "url": address,
            "availability": f"https://schema.org/{'InStock' if view.left else 'SoldOut'}",
        },
    }
    return {key: value for key, value in data.items() if value}
