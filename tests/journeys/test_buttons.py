"""The buttons that need a script: read aloud, share, print, show the password."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.support.windows import PHONE, kind, window

pytestmark = pytest.mark.browser
VOICE = """(() => { const said = []; window.said = said;
  window.speechSynthesis.getVoices = () =>
    [{lang: 'zh-CN', name: 'a'}, {lang: 'en-GB', name: 'b'}].filter(v => HAS);
  window.SpeechSynthesisUtterance = function (text) { this.text = text; };
  window.speechSynthesis.speak = one => {
    said.push(one.text, one.lang, one.rate); window.last = one; };
  window.speechSynthesis.cancel = () => window.last.onend(); })()"""


@pytest.mark.parametrize(
    ("language", "label", "voice"), [("zh", "朗读", "zh-CN"), ("en", "Listen", "en-GB")]
)
def test_the_page_is_read_aloud_if_the_browser_has_a_voice(
    browser: Browser, site: Any, language: str, label: str, voice: str
) -> None:
    """The browser of the tests has no voice, so the test supplies voices. Button and text are the
    page's own."""
    page = window(browser, PHONE)
    page.context.add_init_script(VOICE.replace("HAS", "true"))
    page.goto(f"{site[0].address}{site[1]['couple']}?lang={language}")
    button = page.locator("#listen")
    expect(button).to_have_text(label)
    button.click()
    text, spoken, rate = page.evaluate("window.said")
    assert spoken == voice
    assert rate < 1, "slowly"
    assert re.search(r"张桂芳.*\d \d \d \d", text), "the code is said digit by digit"
    assert ("灵桥路 285 号" if language == "zh" else "285 Lingqiao Road") in text
    expect(button).to_have_text("停止朗读" if language == "zh" else "Stop reading")
    page.evaluate("window.last.onend()")
    expect(button).to_have_text(label)


def test_without_a_voice_the_page_offers_no_reading(browser: Browser, site: Any) -> None:
    page = window(browser, PHONE)
    page.context.add_init_script(VOICE.replace("HAS", "v.lang === 'fr'"))
    page.goto(f"{site[0].address}/zh/events/open")
    expect(page.locator("#listen")).to_be_hidden()


def test_a_ticket_can_be_shared_if_the_browser_can(browser: Browser, site: Any) -> None:
    page = window(browser, PHONE)
    page.context.add_init_script(
        "navigator.share = what => { window.shared = what; return Promise.resolve(); };"
        "window.print = () => { window.printed = 1; };"
    )
    page.goto(f"{site[0].address}{site[1]['ticket']}#x")
    page.locator("#share").click()
    assert page.evaluate("window.shared") == {
        "title": "报名成功",
        "url": f"{site[0].address}{site[1]['ticket']}",
    }
    page.locator("#print").click()
    assert page.evaluate("window.printed") == 1


def test_without_scripts_staff_see_no_button_that_needs_one(browser: Browser, site: Any) -> None:
    page = window(browser, PHONE, scripts=False)
    page.goto(f"{site[0].address}/staff/sign-in")
    kind(page, "staff-sign-in")
    assert page.locator("[data-show]").count() == 1
    expect(page.locator("[data-show]")).to_be_hidden()
