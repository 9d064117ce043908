"""Before a change of an event is saved, the organiser reads what changes in words, what
contradicts, who is told and how, and what can be undone."""

import re
from pathlib import Path

import pytest
from flask import g
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from eventreg.core import outbox
from eventreg.core.desk import calls
from eventreg.core.event import event_file, events
from eventreg.core.organising import applying, drafts
from eventreg.core.registration import lookup
from eventreg.storage.session import reading, transaction
from eventreg.web.organising import fact_words
from tests.core.event.test_event_file import EVERY_KEY
from tests.support.factories import SHIPPED, House, local
from tests.support.pages import Form, Page, get
from tests.support.servers import running
from tests.support.windows import PHONE, follow, kind, sideways, sign_in, window
from tests.web.organising.edit_form import proposal, whole_form

SLUG = "june-10-self-care"
EDIT = f"/staff/events/{SLUG}/edit"


@pytest.fixture
def lecture(house: House) -> House:
    """The shipped lecture with two people, one of whom left an e-mail address."""
    house.apply(SHIPPED.read_text(encoding="utf-8"))
    house.hire()
    house.register("张桂芳", slug=SLUG)
    house.register("王建国", slug=SLUG)
    return house


@pytest.fixture
def olga(lecture: House) -> FlaskClient:
    """The organiser's browser."""
    return lecture.signed_in("olga")


def half_past_nine(client: FlaskClient, **more: str) -> Page:
    """The check page after the start was set to 9:30, and nothing else."""
    return Page(client.post(EDIT, data={**sent(client), "starts": "09:30", **more}))


def sent(client: FlaskClient) -> dict[str, str]:
    """The whole form as a browser would send it, with the larger boxes."""
    form: Form = whole_form(get(client, EDIT))
    definition = events.definition(events.get(reading(), SLUG))
    return {**drafts.values(definition), **form.fields}


def save(client: FlaskClient, page: Page, **more: str) -> Page:
    """Press the button of the check page."""
    form = page.form("/apply")
    data = {**form.fields, "toml": proposal(page), **more}
    return Page(client.post("/staff/events/apply", data=data))


def test_a_later_start_offers_to_move_the_agenda_and_the_check_in_along(
    lecture: House, olga: FlaskClient
) -> None:
    page = half_past_nine(olga)
    assert (
        "这些时间没有跟着改： 结束时间、签到开始、签到到几点算准时、时间安排 1 · 开始" in page.text
    )
    form = page.form("/draft")
    moved = Page(
        olga.post(form.action, data={**form.fields, "toml": proposal(page), "act": "move-along"})
    )
    assert (moved.kind, moved.data["data-clashes"]) == ("staff-event-check", "0")
    assert "时间安排 3 · 开始 以前： 11:00 → 改成： 11:30" in moved.text
    speechless = save(olga, moved, **{"tell.zh": "改到 9:30。", "tell.en": " "})
    assert (speechless.status, speechless.kind) == (422, "staff-event-check")
    assert "两种语言都要写" in speechless.text
    words = {"tell.zh": "改到 9:30。", "tell.en": "Now at 9:30."}
    assert save(olga, speechless, **words).status == 303
    definition = events.definition(lecture.event(SLUG))
    assert f"{definition.check_in_opens:%H:%M}" == "09:15"
    public = get(lecture.client(), f"/zh/events/{SLUG}").text
    assert ("9:15–9:30" in public, "8:45" in public) == (True, False)


def test_nobody_is_told_of_a_start_that_contradicts_the_agenda(
    lecture: House, olga: FlaskClient
) -> None:
    page = half_past_nine(olga)
    assert "时间安排：活动 9:30 开始，可是时间安排里没有 9:30 这一项。" in page.text
    refused = save(olga, page, tell="yes", **{"tell.zh": "改到 9:30。", "tell.en": "Now 9:30."})
    assert (refused.status, refused.kind) == (422, "staff-event-check")
    assert "谁也没有通知" in refused.text
    event = lecture.event(SLUG)
    assert event.starts_at == local("2030-06-10 09:00")
    assert calls.tasks(reading(), event, now=lecture.now) == []
    told = {"tell": "yes", "tell.zh": "改到 9:30。", "tell.en": "Now 9:30.", "meant": "yes"}
    done = save(olga, refused, **told)
    assert done.status == 303, done.text
    assert len(calls.tasks(reading(), lecture.event(SLUG), now=lecture.now)) == 2


def test_the_page_says_who_is_told_by_which_way_and_what_can_be_undone(
    lecture: House, olga: FlaskClient
) -> None:
    telling = half_past_nine(olga).text
    assert "勾选下面的“告诉大家”，2 个人会进电话名单；不勾选就不通知。" in telling
    assert "2 家要打电话，其中 0 家另外收到邮件。" in telling
    assert "打过的电话、发出去的邮件收不回来" in telling
    silent = Page(olga.post(EDIT, data={**sent(olga), "title.zh": "健康讲座"})).text
    assert ("不会通知任何人" in silent, "保存以后还能改回来" in silent) == (True, True)


def told_of_half_past_nine(house: House, client: FlaskClient) -> None:
    """The start is moved to 9:30 with all its times, and everyone is to be told."""
    page = half_past_nine(client)
    form = page.form("/draft")
    along = {**form.fields, "toml": proposal(page), "act": "move-along"}
    moved = Page(client.post(form.action, data=along))
    words = {"tell": "yes", "tell.zh": "改到 9:30。", "tell.en": "Now at 9:30."}
    assert save(client, moved, **words).status == 303
    assert len(calls.tasks(reading(), house.event(SLUG), now=house.now)) == 2


def test_a_move_that_is_taken_back_is_not_told_with_the_old_words(
    lecture: House, olga: FlaskClient
) -> None:
    told_of_half_past_nine(lecture, olga)
    back = Page(olga.post(EDIT, data={**sent(olga), "starts": "09:00", "ends": "11:00"}))
    form = back.form("/draft")
    along = {**form.fields, "toml": proposal(back), "act": "move-along"}
    page = Page(olga.post(form.action, data=along))
    assert "要告诉大家的话：通知还是以前写的，和现在的时间、地点对不上。" in page.text
    assert "现在的通知“改到 9:30。”会被换掉" in page.text
    assert save(olga, page, tell="").status == 422
    words = {"tell": "yes", "tell.zh": "还是 9:00。", "tell.en": "At 9:00 after all."}
    assert save(olga, page, **words).status == 303
    notice = events.definition(lecture.event(SLUG)).notice
    assert notice is not None
    assert notice.text.zh == "还是 9:00。"


def test_a_cancellation_is_not_told_with_the_words_of_the_last_notice(
    lecture: House, olga: FlaskClient
) -> None:
    told_of_half_past_nine(lecture, olga)
    page = get(olga, EDIT)
    assert "现在的通知：改到 9:30。" in page.text
    form = page.form("/edit")
    old = {"notice.zh": "改到 9:30。", "notice.en": "Now at 9:30.", "act": "cancelled"}
    shown = Page(olga.post(EDIT, data={**form.fields, **old}))
    assert "这句话是上一个通知的" in shown.text
    assert save(olga, shown).status == 422


def test_who_was_told_already_is_named_when_the_event_comes_back(
    lecture: House, olga: FlaskClient
) -> None:
    told_of_half_past_nine(lecture, olga)
    with transaction() as session:
        found = lookup.get(session, 1)
        outbox.settle(session, found, by=lecture.desmond, now=lecture.now)
    form = get(olga, EDIT).form("/edit")
    shown = Page(olga.post(EDIT, data={**form.fields, "act": "no-notice"}))
    assert "已经有 1 家听过它。要让他们知道新的情况，请再发一个通知。" in shown.text


def test_going_back_from_the_check_page_keeps_what_was_typed(
    lecture: House, olga: FlaskClient
) -> None:
    page = half_past_nine(olga, **{"title.zh": "健康讲座"})
    form = page.form("/draft")
    data = {**form.fields, "toml": proposal(page), "act": "edit"}
    again = Page(olga.post(form.action, data=data))
    assert again.kind == "staff-event-edit"
    assert ("健康讲座" in again.html, whole_form(again).fields["starts"]) == (True, "09:30")


def test_closing_says_that_everybody_who_is_registered_stays(
    lecture: House, olga: FlaskClient
) -> None:
    form = get(olga, EDIT).form("/edit")
    page = Page(olga.post(EDIT, data={**form.fields, "act": "close"}))
    assert "网上不能再报名；已经报了名的都还在" in page.text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_fact_has_a_name_and_a_value_in_words(
    lecture: House, olga: FlaskClient, language: str
) -> None:
    olga.get(f"/staff/?lang={language}")
    everything = event_file.parse(EVERY_KEY)
    with lecture.app.test_request_context():
        g.language, g.now = language, lecture.now
        for path, stored in applying.facts(everything).items():
            said = f"{fact_words.label(path)}: {fact_words.value(path, stored)}"
            assert not re.search(r"[a-z]_[a-z]|\d{2}:\d{2}:\d{2}|\dT\d|\bTrue\b", said), said


def test_a_form_that_lacks_whole_tables_is_answered_in_words(
    lecture: House, olga: FlaskClient
) -> None:
    form = get(olga, EDIT).form("/edit")
    page = Page(olga.post(EDIT, data={"csrf_token": form.fields["csrf_token"], "place": "x"}))
    assert (page.status, page.kind) == (422, "staff-event-edit")
    assert "地点 ：还没有填。" in page.text
    for path in ("place", "phone_line", "check_in", "nonsense", "agenda", "agenda.7", "notice"):
        with lecture.app.test_request_context():
            g.language, g.now = "zh", lecture.now
            assert not fact_words.label(path).isascii()


def test_a_mistake_in_the_form_is_a_sentence(lecture: House, olga: FlaskClient) -> None:
    page = Page(olga.post(EDIT, data={**sent(olga), "ends": "08:00", "capacity": "0"}))
    assert page.status == 422
    assert "结束时间 ：要晚于“开始时间”。" in page.text
    assert "名额 ：不能小于 1。" in page.text
    assert "must be" not in page.text


@pytest.mark.browser
def test_an_organiser_moves_everything_along_on_a_telephone(browser: Browser, folder: Path) -> None:
    house = House(folder)
    with house.app.app_context():
        house.apply(SHIPPED.read_text(encoding="utf-8"))
        house.hire()
    house.close()
    with running(folder, EVENTREG_CLOCK="2030-06-05T09:30:00+08:00") as server:
        page = window(browser, PHONE)
        sign_in(page, server, "olga")
        page.goto(f"{server.address}{EDIT}")
        page.locator("#starts").fill("09:30")
        page.locator("#event button.main").click()
        kind(page, "staff-event-check")
        assert not page.locator("textarea[name=toml]").first.is_visible()
        assert sideways("before a change", page) == []
        follow(page.locator("button[value=move-along]"))
        assert page.locator("main").get_attribute("data-clashes") == "0"
        page.locator("form[action$='/apply'] button.main").click()
        kind(page, "staff-event")
        page.goto(f"{server.address}/zh/events/{SLUG}")
        assert "9:15–9:30" in page.locator("main").inner_text()
