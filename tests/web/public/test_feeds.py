"""The facts that other sites and calendars read."""

import json

import pytest
from icalendar import Calendar, Event

from tests.support.factories import House, local, toml

OF_GUESTS = ("张桂芳", "13800138000")


@pytest.fixture
def three(house: House) -> House:
    """An event that is over, one with a guest, and a cancelled one."""
    house.apply(toml(capacity=3))
    house.apply(
        toml(capacity=3).replace('slug = "small"', 'slug = "over"').replace("2030-06-", "2030-05-")
    )
    house.apply(
        toml(capacity=3).replace('slug = "small"', 'slug = "gone"')
        + """
[notice]
kind = "cancelled"
text = { zh = "活动取消。", en = "The lecture is cancelled." }
"""
    )
    house.register("张桂芳", phone="13800138000")
    house.now = local("2030-06-03 08:00")
    return house


def test_a_calendar_follows_the_events_to_come_and_learns_no_guest(three: House) -> None:
    answer = three.client().get("/en/events.ics")
    assert (answer.status_code, answer.mimetype) == (200, "text/calendar")
    calendar = Calendar.from_ical(answer.text)
    entries = {str(one["URL"]).rpartition("/")[2]: one for one in calendar.walk("VEVENT")}
    assert {slug: str(one["STATUS"]) for slug, one in entries.items()} == {
        "small": "CONFIRMED",
        "gone": "CANCELLED",
    }
    single = Calendar.from_ical(three.client().get("/en/events/small/event.ics").text)
    (entry,) = single.walk("VEVENT")
    assert isinstance(entry, Event)
    assert entries["small"]["UID"] == entry["UID"], "one who has both sees the event once"
    assert not calendar.walk("VALARM"), "no reminder for a lecture that one has not registered for"
    assert not any(word in answer.text for word in OF_GUESTS)


def test_another_site_lists_the_events_with_their_free_seats(three: House) -> None:
    answer = three.client().get("/en/events.json", headers={"Origin": "https://health.example.org"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Set-Cookie" not in answer.headers
    listed = {one["slug"]: one for one in json.loads(answer.text)["events"]}
    assert sorted(listed) == ["gone", "small"]
    small = listed["small"]
    assert (small["phase"], small["capacity"], small["seats_left"]) == ("open", 3, 2)
    assert small["starts_at"] == "2030-06-10T09:00:00+08:00"
    assert small["page"].endswith("/en/events/small")
    assert three.client().get(f"/en/events/small{small['register'].partition('/small')[2]}")
    assert (listed["gone"]["phase"], listed["gone"]["notice"]) == (
        "cancelled",
        "The lecture is cancelled.",
    )
    assert not any(word in answer.text for word in OF_GUESTS)
    assert set(small) == {
        *("slug", "title", "summary", "phase", "place", "phone", "capacity", "seats_left"),
        *("starts_at", "ends_at", "check_in_opens_at", "check_in_closes_at"),
        *("registration_opens_at", "registration_closes_at", "notice", "changed_at"),
        *("page", "register", "calendar", "poster"),
    }, "what is new here is public: look at it, and add it to docs/addresses.md"


def test_an_empty_house_has_empty_feeds(house: House) -> None:
    assert house.client().get("/zh/events.json").json == {"events": []}
    calendar = Calendar.from_ical(house.client().get("/zh/events.ics").text)
    assert not calendar.walk("VEVENT")
    assert house.client().get("/fr/events.json").status_code == 404


def test_the_desk_copies_links_for_the_website_of_the_health_centre(three: House) -> None:
    three.hire()
    page = three.signed_in("desmond").get("/staff/events/small/elsewhere?lang=en").text
    site = three.app.extensions["settings"].public_url
    for lang in ("zh", "en"):
        assert f'value="{site}/{lang}/events/small"' in page
        assert f'value="{site}/{lang}/events.ics"' in page
        assert f'href="/{lang}/events/small/poster"' in page
    assert f"&lt;a href=&#34;{site}/zh/events/small&#34;&gt;" in page
