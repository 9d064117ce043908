"""The event page in each of its states, and what search engines and chat apps read of it."""

import json
import re
from typing import Any

import html5lib  # type: ignore[import-untyped]
import pytest

from eventreg.web import addresses
from tests.support.factories import House, local, toml
from tests.support.houses import monday_morning
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
morning = monday_morning


@pytest.mark.parametrize("slug", STATES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_state_of_an_event_has_its_sentence_and_its_button(
    morning: House, slug: str, language: str
) -> None:
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
    ), "help comes last"


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


def test_outside_telephone_hours_the_address_comes_before_the_number(
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
        assert "直接来现场" not in shown("2030-06-10 08:00"), "the telephone is answered"
        assert "139 0574 0000" not in shown("2030-06-10 11:00")
    finally:
        morning.now = local("2030-06-10 08:00")


def test_the_release_of_seats_is_announced_where_the_file_sets_its_time(house: House) -> None:
    house.apply(
        toml().replace("closes_at = 09:00:00", "closes_at = 09:00:00\nrelease_at = 09:10:00")
    )
    house.apply(toml("other"))
    made, other = house.register("张桂芳"), house.register("王建国", slug="other")
    guest, said = house.client(), "请在 9:00 前到。9:10 还没到，座位会让给现场等候的人。"
    for path in ("/zh/events/small", addresses.ticket(made)):
        assert said in get(guest, path).text, path
    english = "Please come before 9:00. If you are not there by 9:10, your seat goes to people who"
    assert english in get(guest, "/en/events/small").text
    for path in ("/zh/events/other", addresses.ticket(other)):
        assert "9:10" not in get(guest, path).text, path
    house.now = local("2030-06-10 11:00")
    assert "9:10" not in get(guest, "/zh/events/small").text


def test_the_telephone_is_closed_on_a_holiday_and_open_on_a_make_up_day(house: House) -> None:
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
    """The linked data of a page."""
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


def test_the_text_of_an_organiser_cannot_close_the_linked_data(house: House) -> None:
    evil = "</script><script>alert(1)</script>"
    house.apply(toml().replace('zh = "书法课"', f'zh = "{evil}"'))
    page = get(house.client(), "/zh/events/small")
    assert linked_data(page)["name"] == evil
    assert "<script>alert" not in page.html


def test_the_footer_names_the_operator_if_the_event_file_does(house: House) -> None:
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
