"""The event page in every state of its table, and what goes out with it: linked data, calendar
entry, poster, trouble."""

import json
import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import html5lib  # type: ignore[import-untyped]
import pytest
from icalendar import Calendar, Event, Timezone

from eventreg.storage.session import db
from eventreg.web import addresses
from eventreg.web.access import anyone
from eventreg.web.public import outage_page
from tests.support import cast
from tests.support.factories import House, local, toml
from tests.support.pages import Page, get

CALL = {"zh": "0574-56116778", "en": "0574-56116778"}
STATES = {
    "not-yet-open": (
        "报名从 6 月 12 日（星期三）9:00 开始",
        "Registration opens on Wednesday, June 12 at 9:00",
        None,
    ),
    "open": ("还有名额", "Seats are available", "我要报名"),
    "few": ("还剩 3 个名额", "3 seats left", "我要报名"),
    "one": ("还剩 1 个名额", "1 seat left", "我要报名"),
    "full-waiting": (
        "名额已满，可以登记候补",
        "All seats are taken. You can join the waiting list",
        "登记候补",
    ),
    "full": ("名额和候补都已满", "All seats and waiting places are taken", None),
    "closed": ("网上报名已经结束", "Online registration has closed", None),
    "june-10-self-care": ("今天上午 8:45 开始签到", "Check-in opens today at 8:45", "我要报名"),
    "running": ("活动正在进行", "The event is in progress", None),
    "over": ("活动已结束，谢谢参加", "The event is over. Thank you for coming", None),
    "moved": ("改到 6 月 17 日，地点不变。", "Moved to June 17, same place.", "我要报名"),
    "cancelled": ("讲师病了，这次取消。", "The speaker is ill, so this one is cancelled.", None),
    "replaced": (
        "换一位治疗师来讲，时间地点不变。",
        "Another therapist will speak; time and place stay.",
        "我要报名",
    ),
}


@pytest.fixture(scope="module")
def morning(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """All the events, on Monday morning at eight. Only to be looked at."""
    folder = tmp_path_factory.mktemp("cast")
    shutil.copy(migrated, folder / "eventreg.sqlite3")
    paths = cast.prepare(folder)
    house = House(folder, EVENTREG_PUBLIC_URL="https://lecture.example.org")
    house.now = local("2030-06-10 08:00")
    house.app.extensions["paths"] = paths
    yield house
    house.close()


@pytest.mark.parametrize("slug", STATES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_state_has_its_line_and_its_button(morning: House, slug: str, language: str) -> None:
    zh, en, button = STATES[slug]
    page = get(morning.client(), f"/{language}/events/{slug}")
    assert page.kind == "event"
    assert (zh if language == "zh" else en) in page.text
    buttons = [attrs for _, attrs in page.tags if attrs.get("class") == "button"]
    assert len(buttons) == (1 if button else 0), "at most one filled button"
    if button:
        assert buttons[0]["href"] == f"/{language}/events/{slug}/register"
        assert language == "en" or button in page.text
    assert CALL[language] in page.text
    assert page.text.rindex("需要帮助？" if language == "zh" else "Need help?") > page.text.rindex(
        "谁来讲" if language == "zh" else "The speaker"
    ), "help is last"


@pytest.mark.parametrize("slug", [*STATES, "day-phone"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_page_is_well_formed_and_small(morning: House, slug: str, language: str) -> None:
    guest = morning.client()
    answer = guest.get(f"/{language}/events/{slug}", headers={"Accept-Encoding": "gzip"})
    assert len(answer.data) + len(str(answer.headers)) < 10_000
    html5lib.HTMLParser(strict=True).parse(guest.get(f"/{language}/events/{slug}").text)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_other_page_is_well_formed_and_small(morning: House, language: str) -> None:
    paths = [f"{path}?lang={language}" for path in morning.app.extensions["paths"].values()]
    couple = morning.app.extensions["paths"]["couple"]
    paths += [f"{couple}/{act}?lang={language}" for act in ("change", "cancel")]
    paths += [
        f"/{language}/{rest}"
        for rest in ("", "find", "privacy", "accessibility", "nothing", "events/open/poster")
    ]
    paths += [
        f"/{language}/events/{slug}/register"
        for slug in ("open", "full-waiting", "full", "closed", "cancelled")
    ]
    for path in paths:
        guest = morning.client()
        html5lib.HTMLParser(strict=True).parse(guest.get(path).text)
        packed = guest.get(path, headers={"Accept-Encoding": "gzip"})
        assert len(packed.data) + len(str(packed.headers)) < 10_000, path
        ids = re.findall(r' id="([^"]+)"', guest.get(path).text)
        assert len(ids) == len(set(ids)), path


def test_when_nobody_answers_and_no_other_number_is_given_the_address_comes_first(
    morning: House,
) -> None:
    text = get(morning.client(), "/zh/events/june-10-self-care").text
    assert "也可以直接来现场，有空位就安排。" in text
    assert text.index("灵桥路 285 号") < text.index("我要报名") < text.index("0574-56116778")
    assert "现在不是接听时间，请在今天 9:00 以后打" in text
    english = get(morning.client(), "/en/events/june-10-self-care").text
    assert "Nobody is answering now. Please call after 9:00 today." in english


def test_the_number_of_the_day_is_shown_from_the_evening_before(morning: House) -> None:
    def shown(moment: str) -> str:
        morning.now = local(moment)
        return get(morning.client(), "/zh/events/day-phone").text

    try:
        assert "139 0574 0000" not in shown("2030-06-09 16:59")
        assert "活动当天请打： 139 0574 0000" in shown("2030-06-09 17:00")
        assert "7:30–9:30 · 现在是接听时间" in shown("2030-06-10 08:00")
        assert "直接来现场" not in shown("2030-06-10 08:00"), "somebody can be called"
        assert "139 0574 0000" not in shown("2030-06-10 11:00")
    finally:
        morning.now = local("2030-06-10 08:00")


def test_that_seats_are_released_is_said_in_advance_everywhere(house: House) -> None:
    released = toml().replace("closes_at = 09:00:00", "closes_at = 09:00:00\nrelease_at = 09:10:00")
    house.apply(released)
    made = house.register("张桂芳")
    guest = house.client()
    said = "请在 9:00 前到。9:10 以后，没到的座位会让给现场等候的人。"
    for path in ("/zh/events/small", addresses.ticket(made)):
        assert said in get(guest, path).text, path
    assert "After 9:10" in get(guest, "/en/events/small").text
    house.apply(toml())
    assert said not in get(guest, "/zh/events/small").text


def test_a_holiday_is_no_time_to_call_and_a_make_up_day_is(house: House) -> None:
    house.apply(
        toml().replace(
            'area_code = "0574"',
            'area_code = "0574"\nclosed_on = [2030-06-05]\nopen_on = [2030-06-08]',
        )
    )
    said = {
        "2030-06-04 18:00": "请在星期四 9:00 以后打",
        "2030-06-05 10:00": "请在星期四 9:00 以后打",
        "2030-06-08 10:00": "现在是接听时间",
        "2030-06-07 17:00": "请在星期六 9:00 以后打",
        "2030-06-08 17:00": "请在星期一 9:00 以后打",
    }
    for moment, words in said.items():
        house.now = local(moment)
        assert words in get(house.client(), "/zh/events/small").text, moment


def linked_data(page: Page) -> Any:
    """What search engines read."""
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page.html, re.S)
    assert found
    return json.loads(found[1])


def test_search_engines_and_chat_apps_can_read_the_event(morning: House) -> None:
    page = get(morning.client(), "/zh/events/open")
    data = linked_data(page)
    assert data["@type"] == "Event"
    assert data["name"] == "中老年人自我保健与康复"
    assert data["startDate"] == "2030-06-17T09:00:00+08:00"
    assert data["location"]["name"] == "爸妈体验中心"
    assert data["isAccessibleForFree"] is True
    assert data["offers"]["availability"] == "https://schema.org/InStock"
    meta = {attrs["property"]: attrs["content"] for attrs in page.having("property")}
    assert meta["og:title"] == "中老年人自我保健与康复"
    assert meta["og:url"] == "https://lecture.example.org/zh/events/open"
    assert (
        meta["og:description"] == "6 月 17 日（星期一）上午 9:00 · 爸妈体验中心 · 免费 · 50 个名额"
    )
    states = {
        slug: linked_data(get(morning.client(), f"/en/events/{slug}"))
        for slug in ("cancelled", "moved", "full")
    }
    assert states["cancelled"]["eventStatus"] == "https://schema.org/EventCancelled"
    assert states["moved"]["eventStatus"] == "https://schema.org/EventRescheduled"
    assert states["full"]["offers"]["availability"] == "https://schema.org/SoldOut"


def test_an_organisers_text_cannot_end_the_linked_data(house: House) -> None:
    evil = "</script><script>alert(1)</script>"
    house.apply(toml().replace('zh = "书法课"', f'zh = "{evil}"'))
    page = get(house.client(), "/zh/events/small")
    assert linked_data(page)["name"] == evil
    assert "<script>alert" not in page.html


def entry_of(house: House, language: str, slug: str) -> tuple[Calendar, Event]:
    """The calendar entry, read by a strict reader."""
    answer = house.client().get(f"/{language}/events/{slug}/event.ics")
    assert answer.status_code == 200
    assert answer.content_type == "text/calendar; charset=utf-8"
    assert f'filename="{slug}.ics"' in answer.headers["Content-Disposition"]
    assert all(len(line) <= 75 for line in answer.data.split(b"\r\n")), "folded"
    calendar = Calendar.from_ical(answer.text)
    (entry,) = calendar.walk("VEVENT")
    assert isinstance(entry, Event)
    return calendar, entry


def test_the_calendar_entry_has_the_time_in_ningbo_and_nobodys_name(morning: House) -> None:
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


def test_a_calendar_entry_taken_again_corrects_the_first(house: House) -> None:
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


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_for_trouble_is_small_and_asks_no_database(house: House, language: str) -> None:
    house.apply(toml())
    outage_page.write()
    db.session.remove()
    house.app.testing = False
    db.engine.dispose()
    (Path(house.app.instance_path) / "eventreg.sqlite3").write_bytes(
        b"no database any more, only noise " * 200
    )
    answer = house.client().get(f"/{language}/events/small", headers={"Accept": "text/html"})
    assert answer.status_code in {500, 503}
    page = Page(answer)
    assert page.kind == "error"
    assert len(answer.data) < 2000
    assert 'href="tel:+8657487654321"' in page.html
    assert ("不会重复报名" if language == "zh" else "You will not be registered twice") in page.text
    html5lib.HTMLParser(strict=True).parse(page.html)


def test_a_full_disk_stops_no_change_of_an_event(house: House, tmp_path: Path) -> None:
    house.apply(toml())
    house.app.instance_path = str(tmp_path / "nowhere")
    outage_page.write()
    file = tmp_path / "event.toml"
    file.write_text(toml(capacity=5), encoding="utf-8")
    assert house.app.test_cli_runner().invoke(args=["event", "apply", str(file)]).exit_code == 0


def test_the_footer_names_who_stands_behind_the_page_where_the_file_says_so(house: House) -> None:
    house.apply(
        toml(
            more='[site]\nlegal_name = { zh = "茶馆有限公司", en = "Tea House Ltd" }\n'
            'filing = "浙ICP备 1 号"\n'
        )
    )
    for language, name in (("zh", "茶馆有限公司"), ("en", "Tea House Ltd")):
        for path in ("events/small", "events/small/register", "privacy"):
            footer = get(house.client(), f"/{language}/{path}").html.partition("<footer>")[2]
            assert name in footer, path
            assert "浙ICP备 1 号" in footer, path
    house.apply(toml())
    assert "有限公司" not in get(house.client(), "/zh/events/small").html


def broken() -> str:
    """A page of ours that fails."""
    raise ZeroDivisionError


def test_trouble_without_a_number_still_has_a_page(house: House) -> None:
    house.app.testing = False
    house.app.add_url_rule("/zh/broken", "broken", anyone(broken))
    answer = house.client().get("/zh/broken")
    assert "我们的网页出了问题" in answer.text
    assert answer.status_code == 500
