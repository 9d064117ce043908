"""The calendar entry."""

from datetime import timedelta

from icalendar import Calendar, Event, Timezone

from tests.support.factories import House, local, toml
from tests.support.houses import monday_morning

morning = monday_morning


def entry_of(house: House, language: str, slug: str) -> tuple[Calendar, Event]:
    """The calendar entry, read by a strict reader."""
    answer = house.client().get(f"/{language}/events/{slug}/event.ics")
    assert answer.status_code == 200
    assert answer.content_type == "text/calendar; charset=utf-8"
    assert f'filename="{slug}.ics"' in answer.headers["Content-Disposition"]
    assert all(len(line) <= 75 for line in answer.data.split(b"\r\n")), "lines are folded"
    calendar = Calendar.from_ical(answer.text)
    (entry,) = calendar.walk("VEVENT")
    assert isinstance(entry, Event)
    return calendar, entry


def test_the_calendar_entry_has_the_local_time_and_no_guest(morning: House) -> None:
    calendar, entry = entry_of(morning, "zh", "open")
    assert [zone["TZID"] for zone in calendar.walk("VTIMEZONE") if isinstance(zone, Timezone)] == [
        "Asia/Shanghai"
    ]
    assert entry.start == local("2030-06-17 09:00")
    assert entry.end == local("2030-06-17 11:00")
    assert entry["SUMMARY"] == "中老年人自我保健与康复"
    assert entry["LOCATION"] == "爸妈体验中心、宁波市灵桥路 285 号"
    assert "8:45–9:00 签到" in str(entry["DESCRIPTION"])
    assert "0574-56116778" in str(entry["DESCRIPTION"])
    assert entry["URL"] == "https://lecture.example.org/zh/events/open"
    assert entry["STATUS"] == "CONFIRMED"
    assert "张" not in calendar.to_ical().decode()
    assert entry_of(morning, "zh", "cancelled")[1]["STATUS"] == "CANCELLED"


def test_a_calendar_entry_downloaded_again_updates_the_first(house: House) -> None:
    house.apply(toml())
    first = entry_of(house, "en", "small")[1]
    house.apply(toml().replace("2030-06-10", "2030-06-11"))
    second = entry_of(house, "en", "small")[1]
    assert first["UID"] == second["UID"]
    assert second.sequence == first.sequence + 1
    assert second.start == first.start + timedelta(days=1)


def test_inside_wechat_no_download_is_offered(morning: House) -> None:
    chat = {"User-Agent": "Mozilla/5.0 (Linux; Android 8) MicroMessenger/8.0"}
    ticket = morning.app.extensions["paths"]["ticket"]
    for path in ("/zh/events/open", ticket):
        assert "event.ics" in morning.client().get(path).text
        assert "event.ics" not in morning.client().get(path, headers=chat).text
