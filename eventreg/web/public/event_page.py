"""Render the event page: the seats in words, and what search engines and chat apps read. Rendered
pages are kept until something that they show changes."""

from dataclasses import dataclass, replace
from typing import Any

from flask import Response, g, render_template

from eventreg import i18n
from eventreg.core.event import events
from eventreg.core.event.events import Phase
from eventreg.core.models.event import Event
from eventreg.core.registration import waitlist
from eventreg.core.registration.availability import Glance
from eventreg.web import addresses, kept_pages
from eventreg.web.event_facts import Moment, facts, moment, seats_now
from eventreg.web.language import count, day, hour, say, words
from eventreg.web.language import date as day_and_half
from eventreg.web.wire import browser

FEW = 5
"""The page gives the number of seats left only if it is this small."""


@dataclass(frozen=True)
class EventView:
    """Everything that the page depends on besides the event, its language and the text size: equal
    views are the same page but for ``data-seats-left``."""

    moment: Moment
    in_chat_app: bool
    left: int
    """Seats left, as far as the words say it: any number above ``FEW`` is ``FEW + 1``."""
    held: int
    """Seats that are held for the telephone line, if no other is left; else 0."""
    room_to_wait: bool

    @property
    def seat_note(self) -> bool:
        """Whether the seat line is highlighted."""
        return self.moment.phase is not Phase.OPEN or self.left <= FEW


def answer(seen: Glance, page: str) -> Response:
    """The response with the page, kept if nothing that it shows has changed. Each request reads the
    seats anew."""
    event, counted = seen.event, seats_now(seen.event, seen.counted)
    room = waitlist.has_room(event, counted, 1)
    view = _view(event, counted.left, counted.held, room)

    def made() -> dict[str, object]:
        return _values(event, page, view, kept_pages.mark("left"))

    kept = kept_pages.page("public/event_page.html", (event, page, view), made)
    return kept_pages.answer(kept, {"left": str(counted.left)})


def preview(found: Event) -> str:
    """A draft's page, as guests would see it while every seat is free."""
    capacity = events.definition(found).capacity
    view = replace(_view(found, capacity, 0, True), in_chat_app=False)
    return render_template("public/event_page.html", **_values(found, "event", view, str(capacity)))


def _view(found: Event, left: int, held: int, room: bool) -> EventView:
    return EventView(
        moment(found), browser.in_chat_app(), min(left, FEW + 1), 0 if left else held, room
    )


def _values(found: Event, page: str, view: EventView, left: str) -> dict[str, object]:
    """The values of the template. ``left`` is the number of seats for other programs."""
    zone = events.zone(found)
    return {
        "page": page,
        "view": view,
        "left": left,
        "is_today": found.starts_at.astimezone(zone).date() == view.moment.today,
        "check_in_half": i18n.half_of_day(found.check_in_opens_at.astimezone(zone)),
        "seat_line": _seat_line(found, view),
        "description": _in_a_line(found),
        "linked_data": _linked_data(found, view),
        **facts(found),
    }


def _seat_line(found: Event, view: EventView) -> str:
    """The sentence that says whether one can register now."""
    if view.moment.phase is Phase.NOT_YET_OPEN:
        opens, zone = found.registration_opens_at or found.starts_at, events.zone(found)
        return say("seats_not_yet", day=day(opens, zone), time=hour(opens, zone))
    if view.moment.phase is not Phase.OPEN:
        return say(f"seats_{view.moment.phase}")
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
