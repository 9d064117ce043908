"""Second thoughts, in a real browser: a seat given back and taken back, on a telephone and at the
desk; and what each page says was just done."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.proofs.conftest import WHOLE
from tests.support.factories import House, toml
from tests.support.servers import Server, running
from tests.support.windows import (
    LAPTOP,
    PHONE,
    SMALLEST,
    faults,
    follow,
    kind,
    sideways,
    sign_in,
    window,
)

pytestmark = pytest.mark.browser
DESK = "/staff/events/small"


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    """A server a week before an event with three seats: one is left."""
    house = House(folder)
    with house.app.app_context():
        house.apply(toml(capacity=3))
        house.hire()
        house.register("王秀英", "张建国", phone="13800138000")
    house.close()
    with running(
        folder, EVENTREG_CLOCK="2030-06-03T10:00:00+08:00", EVENTREG_SECRET_KEY="k" * 20
    ) as started:
        yield started


def press(page: Page, words: str) -> None:
    """Press the button or link with exactly these words."""
    follow(page.locator("button, a").filter(has_text=words).first)


def heading(page: Page, words: str) -> None:
    """Wait for the page whose first heading says so."""
    expect(page.locator("h1").first).to_contain_text(words)


def fill_in(page: Page, server: Server, names: tuple[str, str]) -> None:
    """Fill in the form for a couple, on the event's page in Chinese."""
    page.goto(f"{server.address}/zh/events/small/register")
    page.locator("#name").fill(names[0])
    page.locator("#phone").fill("13900139000")
    page.locator("summary").click()
    page.locator("#companion-1").fill(names[1])
    press(page, "下一步")


@pytest.mark.parametrize("shape", [PHONE, SMALLEST] if WHOLE else [SMALLEST])
def test_a_couple_chooses_who_sits_gives_the_seat_back_and_takes_it_back(
    browser: Browser, server: Server, shape: dict[str, object]
) -> None:
    page = window(browser, shape)
    fill_in(page, server, ("赵淑芬", "钱大伟"))
    kind(page, "full")
    found = [*faults("full", page), *sideways("full", page)]
    page.evaluate("document.documentElement.className = ''")
    press(page, "座位给钱大伟，赵淑芬候补")
    kind(page, "check")
    press(page, "确认")
    heading(page, "一位有座，一位候补")
    found += [*faults("mixed", page), *sideways("mixed", page)]
    page.reload()
    press(page, "退掉名额")
    press(page, "退掉名额")
    kind(page, "cancelled")
    expect(page.locator("main")).not_to_contain_text("钱大伟")
    expect(page.locator("main")).to_contain_text("座位已经安排给别人了")  # to 赵淑芬, who waited
    found += faults("cancelled", page)
    assert found == []


def test_on_a_telephone_one_of_two_seats_is_given_back_and_taken_back(
    browser: Browser, server: Server
) -> None:
    page = window(browser, PHONE)
    page.goto(f"{server.address}/zh/events/small/register")
    page.locator("#name").fill("赵淑芬")
    page.locator("#phone").fill("13900139000")
    press(page, "下一步")
    press(page, "确认报名")
    heading(page, "报名成功")
    ticket, code = page.url, page.locator("[data-code]").get_attribute("data-code")
    press(page, "退掉名额")
    press(page, "退掉名额")
    kind(page, "cancelled")
    found = [*faults("cancelled", page), *sideways("cancelled", page)]
    page.reload()
    press(page, "拿回名额")
    heading(page, "名额拿回来了")
    assert page.locator("[data-code]").get_attribute("data-code") == code
    page.go_back()
    page.goto(ticket)
    kind(page, "ticket")
    page.goto(ticket.split("?")[0].split("#")[0] + "/change")
    page.locator("#name").fill("赵淑分")
    press(page, "保存")
    heading(page, "已保存")
    found += faults("saved", page)
    page.reload()
    heading(page, "已保存")
    assert found == []


def test_at_the_desk_a_cancellation_is_asked_told_and_undone(
    browser: Browser, server: Server
) -> None:
    page = window(browser, LAPTOP)
    sign_in(page, server, "desmond")
    page.goto(f"{server.address}{DESK}/registrations/1")
    press(page, "取消这个报名")
    heading(page, "要取消哪一位的报名？")
    press(page, "不取消，回去")
    expect(page.locator("main")).to_have_attribute("data-state", "confirmed")
    press(page, "取消这个报名")
    press(page, "只取消王秀英")
    note = page.locator(".note[role=status]")
    expect(note).to_contain_text("王秀英的名额已取消，张建国的还留着。")
    press(page, "撤销取消")
    expect(page.locator(".history")).to_contain_text("撤销了取消，名额还在")
    expect(note).to_have_count(0)


def test_at_the_desk_the_clerk_goes_from_the_cancellation_to_the_call(
    browser: Browser, server: Server
) -> None:
    guest = window(browser, PHONE)
    fill_in(guest, server, ("钱大伟", "孙一"))
    press(guest, "两位一起候补")
    press(guest, "确认候补")
    kind(guest, "waitlisted")
    page = window(browser, LAPTOP)
    sign_in(page, server, "desmond")
    page.goto(f"{server.address}{DESK}/registrations/1/cancel")
    expect(page.locator("main")).to_contain_text("座位会马上给候补的钱大伟、孙一")
    press(page, "两位都取消")
    note = page.locator(".note[role=status]")
    expect(note).to_contain_text("钱大伟、孙一补上了，请打电话通知。")
    press(page, "打电话给")
    kind(page, "staff-calls")
    expect(page.locator("#call-2")).to_be_in_viewport()
    page.go_back()
    page.reload()
    expect(note).to_contain_text("补上了")
    press(page, "排到候补最前")
    expect(page.locator("main")).to_contain_text("误取消的人又在名单里了")
    page.reload()
    expect(note).to_have_count(0)
