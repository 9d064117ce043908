"""The screen of the door: what a volunteer sees and presses, without a server behind it."""

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.proofs.conftest import rounds
from tests.support.door.crowd import crowd, person, roster
from tests.support.door.stage import put_on

pytestmark = pytest.mark.browser
HOSTILE = '<img src=x onerror="document.title=1">'
COUPLE = [
    person("张桂芳", attendee="a" * 32, party="p1", ticket="1" * 24, code="8870", tail="5678"),
    person("王建国", attendee="b" * 32, party="p1", ticket="1" * 24, code="7153", tail="5678"),
]
OTHERS = [
    person("候阿大", attendee="c" * 32, state="waitlisted", position=2, code=None),
    person(
        "殷秀芬", attendee="d" * 32, state="cancelled", cancelled_at="2030-06-09T10:00:00+08:00"
    ),
    person("郁素珍", attendee="e" * 32, checked_in_at="2030-06-10T08:47:00+08:00", door="2 号台"),
    person("查文斌", attendee="f" * 32, unsure=True),
    person(HOSTILE, attendee="8" * 32, ticket="2" * 24),
    person("让座位", attendee="9" * 32, state="cancelled", released_at="2030-06-10T08:48:00+08:00"),
]
LIST = roster(sorted(crowd(42) + COUPLE + OTHERS, key=lambda one: str(one["pinyin"])))


def at_the_door(browser: Browser, **more: Any) -> Page:
    """The screen after the volunteer has read what to ask."""
    page = put_on(browser, LIST, **more)
    assert "请问您的姓名？" in page.inner_text("#app") or more.get("language") == "en"
    page.locator(".sheet-open button.main").click()
    expect(page.locator("#find")).to_be_focused()
    return page


def search(page: Page, text: str, *keys: str) -> None:
    """Type into the box, then press these keys."""
    page.locator("#find").fill(text)
    for key in keys:
        page.locator("#find").press(key)


def told(page: Page, kind: str, *words: str) -> None:
    """Wait for that answer, and read these words in it."""
    panel = page.locator(".panel")
    expect(panel).to_have_attribute("data-kind", kind)
    for word in words:
        expect(panel).to_contain_text(word)


def test_a_volunteer_checks_in_by_keys_alone(browser: Browser) -> None:
    page = at_the_door(browser)
    rows, main = page.locator(".found-people > ul:first-of-type > li"), page.locator("main")
    expect(main).to_have_attribute("data-expected", "47")
    expect(rows).to_have_count(0)  # a bystander sees no list
    page.locator("#find").press("Enter")
    expect(page.locator(".panel")).to_be_hidden()
    search(page, "zh", "Enter")
    expect(page.locator(".panel")).to_be_hidden()  # several: none is picked
    assert rows.count() > 1
    search(page, "zgf", "Enter")
    told(page, "checked-in", "张桂芳", "签到成功", "同来的还有", "王建国")
    expect(page.locator("#find")).to_have_value("")
    expect(main).to_have_attribute("data-arrived", "2")
    page.locator("#find").press("ArrowUp")
    expect(page.locator("#find")).to_have_value("zgf")
    expect(rows.first).to_have_class("mind")
    search(page, "zgf", "Enter")
    told(page, "already-in", "8:50", "1 号台")
    said = page.evaluate(
        """async () => { const { doorName } = await import("http://door.test/elements.js");
        return ["2 号台", "东门", ""].map(one => doorName((key, it) => key + it.number, one)) }"""
    )
    assert said == ["door_name2", "东门", ""], "a name that nobody chose is in the page's language"
    page.keyboard.press("Control+z")
    told(page, "undone", "已撤销签到")
    expect(main).to_have_attribute("data-arrived", "1")
    search(page, "chen", "ArrowDown", "ArrowDown")
    chosen = rows.nth(1).locator("b").inner_text()
    page.locator("#find").press("Enter")
    told(page, "checked-in", chosen)
    page.locator("#find").press("Escape")
    expect(page.locator(".panel")).to_be_hidden()
    page.locator("#find").blur()
    page.keyboard.type("zgf")
    expect(page.locator("#find")).to_have_value("zgf")


def test_every_answer_has_its_words_its_ground_and_its_acts(browser: Browser) -> None:
    page = at_the_door(browser)
    search(page, "候阿大", "Enter")
    told(page, "waiting", "候补第 2 位", "安排入座", "请稍等")
    page.get_by_role("button", name="请稍等").click()
    told(page, "present", "已记下，请稍等")
    search(page, "候阿大", "Enter")
    page.locator(".panel").get_by_role("button", name="安排入座").click()
    told(page, "seated", "候阿大")
    search(page, "殷秀芬", "Enter")
    told(page, "cancelled", "6-9 10:00 已取消报名", "恢复名额并签到", "现场登记")
    page.locator(".panel").get_by_role("button", name="恢复名额并签到").click()
    told(page, "restored", "殷秀芬")
    search(page, "让座位", "Enter")
    told(page, "released", "8:48 没到，座位已经让出")
    search(page, "郁素珍", "Enter")
    told(page, "already-in", "8:47 已签到（2 号台）", "撤销")
    search(page, "查文斌", "Enter")
    told(page, "unsure", "请核对姓名怎么写", "改", "对")
    page.locator(".panel").get_by_role("button", name="改 查文斌").click()
    page.locator("#new-name").fill("查文彬")
    page.locator("#new-name").press("Enter")
    told(page, "renamed", "查文彬", "姓名已改")
    search(page, "没有这人", "Enter")
    told(page, "not-found", "没找到，换个写法再查")
    assert "名单里没有" not in page.inner_text("#app")
    page.evaluate("stage.page.scanned('https://elsewhere.example/T/ABC')")
    told(page, "other-event", "这不是今天的票")
    page.evaluate("stage.page.scanned(location.origin + '/T/ABC')")
    told(page, "damaged", "码不完整")
    page.evaluate("stage.broken = true")
    search(page, "zgf", "Enter")
    told(page, "not-saved", "没记下来，请写在纸上")
    expect(page.locator("#find")).to_have_value("zgf")
    page.evaluate("stage.broken = false")
    page.get_by_role("button", name="再试一次").click()
    told(page, "checked-in", "张桂芳")
    grounds = page.evaluate("getComputedStyle(document.querySelector('.panel')).backgroundColor")
    assert grounds == "rgb(13, 84, 41)"


def test_a_scan_shows_the_party_and_checks_in_all_with_one_tap(browser: Browser) -> None:
    page = at_the_door(browser)
    page.evaluate("stage.page.ticket('1'.repeat(24))")
    told(page, "party", "张桂芳", "王建国", "全部一起签到")
    page.get_by_role("button", name="全部一起签到").click()
    told(page, "checked-in", "张桂芳", "王建国")
    expect(page.locator("main")).to_have_attribute("data-arrived", "3")
    page.keyboard.press("Control+z")
    expect(page.locator("main")).to_have_attribute("data-arrived", "1")
    search(page, "zgf")
    page.locator(".found-people").get_by_role("button", name="一起签到").click()
    expect(page.locator("main")).to_have_attribute("data-arrived", "3")
    # A hardware scanner types 26 characters, with an Enter or without.
    digest = page.evaluate(
        "async () => (await import('http://door.test/sha256.js')).sha256('7'.repeat(26))"
    )
    page.evaluate(
        "digest => { stage.roster.attendees[9].ticket = digest.slice(0, 24); stage.changed() }",
        digest,
    )
    page.locator("#find").focus()
    page.keyboard.type("7" * 26)
    expect(page.locator("#find")).to_have_value("")
    expect(page.locator("main")).to_have_attribute("data-arrived", "4")
    page.keyboard.press("Enter")
    told(page, "checked-in")
    expect(page.locator("#find")).to_have_value("")
    search(page, "https://x.example/zh/", "Enter")
    told(page, "other-event")


def test_what_people_typed_is_never_markup(browser: Browser) -> None:
    page = at_the_door(browser)
    search(page, "<img", "Enter")
    told(page, "checked-in", HOSTILE)
    page.locator(".tools button").nth(1).click()
    page.locator("#walk-in-name").fill(f"{HOSTILE}甲")
    page.locator("#walk-in-name").press("Enter")
    told(page, "walked-in", f"{HOSTILE}甲")
    search(page, "<img")
    expect(page.locator(".found-people li")).not_to_have_count(0)
    assert page.locator("#app img").count() == 0
    assert "1" not in page.title()[:1]


def test_before_the_window_check_in_asks_once_more(browser: Browser) -> None:
    page = at_the_door(browser, now="2030-06-10T08:25:00+08:00")
    expect(page.locator(".notes")).to_contain_text("离签到还有 20 分钟")
    search(page, "zgf", "Enter")
    told(page, "early", "8:45", "照样签到")
    page.get_by_role("button", name="照样签到").click()
    told(page, "checked-in", "王建国")
    page.locator(".panel").get_by_role("button", name="一起签到").click()
    told(page, "checked-in", "王建国")
    page.locator(".notes button").click()
    told(page, "ask-open", "现在就给所有人开始签到吗？")
    page.get_by_role("button", name="是，现在开始").click()
    expect(page.locator(".notes")).not_to_contain_text("离签到还有")


def test_gifts_and_what_is_to_be_settled(browser: Browser) -> None:
    page = at_the_door(browser)
    page.evaluate(
        """() => { stage.status = {kind: "no-network", unsent: 3, toSettle: 1, lastUpload: null};
        stage.toSettle = [{key: "k", act: "check-in", attendee: "d".repeat(32),
          result: "admitted_cancelled", at: "2030-06-10T08:48:00+08:00"}]; stage.changed(); }"""
    )
    pill = page.locator(".pill")
    expect(pill).to_have_text("无网络 · 照常签到 · 待上传 3 · 待核对 1")
    pill.click()
    expect(page.locator(".sheet-open")).to_contain_text("已取消的人签到了")
    page.get_by_role("button", name="处理好了 殷秀芬").click()
    expect(page.locator(".sheet-open")).to_contain_text("没有要核对的")
    page.keyboard.press("Escape")
    page.evaluate("stage.status = {kind: 'uploading', unsent: 23, toSettle: 0}; stage.changed()")
    expect(pill).to_have_text("正在上传 23")
    beside, count = pill.bounding_box(), page.locator(".bar p").bounding_box()
    assert beside and count and beside["x"] > count["x"] + 100, "the page does not jump at 360 px"
    page.locator(".tools button").nth(2).click()
    page.get_by_role("button", name="礼品").click()
    rows = page.locator(".found-people li")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="领取 郁素珍").click()
    told(page, "gift-given", "礼品已领")
    expect(rows.first).to_contain_text("☑ 8:50 已领")
    expect(page.locator(".bar")).to_contain_text("已发 1 · 剩余 1")
    search(page, "郁素珍", "Enter")
    told(page, "gift-already", "8:50 已领")
    page.keyboard.press("Control+z")
    told(page, "gift-undone")


@pytest.mark.parametrize("language", ["zh", "en"][: rounds(1, 2)])
def test_each_state_can_be_read_and_pressed_by_everybody(browser: Browser, language: str) -> None:
    """axe, nothing sideways and no target below 48 px, at 360 px."""
    page = put_on(browser, LIST, language=language, color_scheme="dark", reduced_motion="reduce")
    states = {
        "script": "",
        "empty": "document.querySelector('.sheet-open .main').click()",
        "rows": "type('z')",
        "waiting": "type('候阿大')",
        "green": "stage.page.ticket('2'.repeat(24))",
        "party": "stage.page.ticket('1'.repeat(24))",
        "red": "stage.page.scanned(location.origin + '/T/1')",
        "network": "document.querySelector('.pill').click()",
        "walk-in": "document.querySelectorAll('.tools button')[1].click()",
        "more": "document.querySelectorAll('.tools button')[2].click()",
    }
    page.evaluate(
        """() => { window.type = text => { const box = document.querySelector('#find');
        box.value = text; box.dispatchEvent(new Event('input')); } }"""
    )
    found = []
    for name, script in states.items():
        page.evaluate(f"async () => {{ {script}; await new Promise(requestAnimationFrame) }}")
        page.wait_for_function("() => new Promise(done => requestAnimationFrame(() => done(true)))")
        found += [f"{name}: {one}" for one in barriers(page)]
        found += [f"{name}: {one}" for one in page.evaluate(_SMALL)]
    assert not found


def barriers(page: Page) -> list[str]:
    """What axe finds, and what stands out at the right."""
    result = Axe().run(page, options=_AXE).response
    found = [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in result["violations"]]
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [*found, *([f"{wide} px too wide"] if wide > 0 else [])]


_AXE = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]},
    "rules": {"color-contrast-enhanced": {"enabled": True}, "target-size": {"enabled": True}},
    "resultTypes": ["violations"],
}
_SMALL = """() => [...document.querySelectorAll('#app button, #app input')]
  .filter(e => e.checkVisibility() && e.type !== 'checkbox')
  .map(e => [e, e.getBoundingClientRect()])
  .filter(([e, r]) => r.height < 47.5 || r.width < 47.5)
  .map(([e, r]) => `${e.outerHTML.slice(0, 80)} ${r.width}x${r.height}`)"""


def test_the_script_uses_no_markup_from_people() -> None:
    for path in Path("static/door").rglob("[a-z]*/[a-z]*.js"):
        text = path.read_text()
        assert "innerHTML" not in text, path
        assert "insertAdjacentHTML" not in text, path
