"""An organiser edits, previews, moves and cancels events, and sees the consequences before anything
is changed."""

import pytest
from flask.testing import FlaskClient

from eventreg.core import invariants
from eventreg.core.desk import calls
from eventreg.core.event import events
from eventreg.storage.session import reading
from tests.support.factories import House, local, toml
from tests.support.houses import with_seats
from tests.support.pages import Page, get
from tests.web.organising.edit_form import EDIT, apply, checked, proposal, whole_form, with_texts

small = with_seats(3, "张桂芳", "王建国", staff=True)


def test_a_change_is_shown_before_it_is_made(small: House, olga: FlaskClient) -> None:
    page = checked(olga, title__zh="书法班", title__en="Calligraphy")
    assert page.data["data-changes"] == "2"
    assert "书法课 → 改成： 书法班" in page.text
    assert events.definition(small.event()).title.zh == "书法课"
    apply(olga, page)
    assert events.definition(small.event()).title.zh == "书法班"
    assert checked(olga).data["data-changes"] == "0"


def test_a_smaller_capacity_says_by_how_many_the_event_is_over(
    small: House, olga: FlaskClient
) -> None:
    page = checked(olga, capacity="1")
    assert (page.data["data-over"], "超出名额 1 人" in page.text) == ("1", True)
    apply(olga, page)
    assert (small.seats().taken, small.seats().over) == (2, 1)


def test_a_larger_capacity_seats_the_waiting_party(small: House, olga: FlaskClient) -> None:
    small.register("李一", "李二", waitlist=True)
    page = checked(olga, capacity="6")
    assert "候补的 2 人会有座位" in page.text
    apply(olga, page)
    assert small.seats().taken == 4
    assert invariants.of_event(reading(), small.event(), now=small.now).holds


def test_a_new_day_is_told_to_everyone_unless_the_organiser_unticks_it(
    small: House, olga: FlaskClient
) -> None:
    page = checked(olga, date="2030-06-17", place__name__zh="文化馆", place__name__en="Hall")
    assert "告诉 2 个报了名的人" in page.text
    assert "改为 6 月 17 日（星期一） 9:00 开始，地点：文化馆。" in page.text
    words = {"tell.zh": "改到 6 月 17 日。", "tell.en": "Moved to June 17."}
    apply(olga, page, tell="yes", **words)
    event = small.event()
    assert (event.starts_at, event.notice) == (local("2030-06-17 09:00"), "moved")
    assert [task.registration_id for task in calls.tasks(reading(), event, now=small.now)] == [1]
    assert "改为 6 月 24 日（星期一）" in checked(olga, date="2030-06-24").text, (
        "moved once more, it is told once more: the old notice names another day"
    )


def test_a_mistyped_day_can_be_corrected_without_telling_anyone(
    small: House, olga: FlaskClient
) -> None:
    apply(olga, checked(olga, date="2030-06-17"))
    assert calls.tasks(reading(), small.event(), now=small.now) == []


@pytest.mark.parametrize(
    ("act", "notice", "phase"),
    [
        ("cancelled", "cancelled", "cancelled"),
        ("speaker-replaced", "speaker-replaced", "open"),
        ("moved", "moved", "open"),
        ("please-note", "please-note", "open"),
    ],
)
def test_an_event_is_cancelled_or_moved_on_one_page_with_one_button(
    small: House, olga: FlaskClient, act: str, notice: str, phase: str
) -> None:
    form = get(olga, EDIT).form("/edit")
    one_language = Page(
        olga.post(EDIT, data={**form.fields, "act": act, "notice.zh": "台风。", "notice.en": ""})
    )
    assert (one_language.status, "两种语言都要写" in one_language.text) == (422, True)
    page = Page(
        olga.post(
            EDIT, data={**form.fields, "act": act, "notice.zh": "台风。", "notice.en": "A typhoon."}
        )
    )
    assert "要告诉 2 个人" in page.text
    apply(olga, page)
    event = small.event()
    assert (event.notice, events.phase(event, small.now)) == (notice, phase)
    assert len(calls.tasks(reading(), event, now=small.now)) == 1
    assert small.seats().taken == 2, "no one loses a seat"
    without_notice = Page(olga.post(EDIT, data={**form.fields, "act": "no-notice"}))
    apply(olga, without_notice)
    assert small.event().notice is None


def test_registration_is_closed_and_reopened(small: House, olga: FlaskClient) -> None:
    form = get(olga, EDIT).form("/edit")
    apply(olga, Page(olga.post(EDIT, data={**form.fields, "act": "close"})))
    assert events.phase(small.event(), small.now) == "closed"
    assert "act" in get(olga, EDIT).html
    apply(olga, Page(olga.post(EDIT, data={**form.fields, "act": "reopen"})))
    assert events.phase(small.event(), small.now) == "open"


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ({"capacity": "many"}, "capacity"),
        ({"capacity": "0"}, "capacity"),
        ({"date": ""}, "starts_at"),
        ({"ends": "08:00"}, "ends_at"),
        ({"title.en": ""}, "title"),
        ({"phone_line.number": "12"}, "phone_line.number"),
        ({"check_in.opens_at": "soon"}, "check_in.opens_at"),
        ({"agenda.0.text.zh": "签到", "agenda.0.at": "x"}, "agenda.0"),
    ],
)
def test_a_mistake_is_shown_at_its_field_and_nothing_typed_is_lost(
    small: House, olga: FlaskClient, typed: dict[str, str], path: str
) -> None:
    form = whole_form(get(olga, EDIT))
    page = Page(olga.post(EDIT, data={**with_texts(olga, form), "title.zh": "新书法课", **typed}))
    assert (page.status, page.kind) == (422, "staff-event-edit")
    assert f"#{path}" in page.html, "the list of mistakes leads to the field"
    assert "新书法课" in page.html, "what was typed is kept"
    assert events.definition(small.event()).title.zh == "书法课"


def test_both_languages_are_previewed_without_being_saved(small: House, olga: FlaskClient) -> None:
    for language, words in (("zh", "新书法课"), ("en", "New calligraphy")):
        form = whole_form(get(olga, EDIT))
        typed = {**with_texts(olga, form), "title.zh": "新书法课", "title.en": "New calligraphy"}
        page = Page(olga.post(EDIT, data={**typed, "act": f"preview-{language}"}))
        assert (page.kind, words in page.text) == ("event", True)
    assert "新书法课" not in get(small.client(), "/zh/events/small").text


def test_a_list_gains_and_loses_entries(small: House, olga: FlaskClient) -> None:
    typed = {
        "bring__0__text__zh": "带水",
        "bring__0__text__en": "Bring water",
        "agenda__0__at": "09:00",
        "agenda__0__text__zh": "开始",
        "agenda__0__text__en": "Start",
    }
    apply(olga, checked(olga, **typed))
    definition = events.definition(small.event())
    assert [item.text.zh for item in definition.bring] == ["带水"]
    assert len(definition.agenda) == 1
    apply(olga, checked(olga, bring__0__text__zh="", bring__0__text__en=""))
    assert events.definition(small.event()).bring == ()


def test_two_organisers_do_not_overwrite_each_other(small: House, olga: FlaskClient) -> None:
    mine, theirs = checked(olga, capacity="5"), checked(olga, capacity="7")
    apply(olga, theirs)
    form = mine.form("/apply")
    refused = Page(olga.post(form.action, data={**form.fields, "toml": proposal(mine), "tell": ""}))
    assert (refused.status, "别人刚改过" in refused.text) == (409, True)
    assert small.seats().capacity == 7


def test_a_warning_is_shown_for_words_of_an_advertisement(olga: FlaskClient) -> None:
    assert "这些字像广告" in checked(olga, title__zh="专家义诊").text


@pytest.mark.parametrize("items", [41, 120])
def test_saving_the_form_keeps_every_item_of_a_long_list(
    small: House, olga: FlaskClient, items: int
) -> None:
    things = [
        f'[[bring]]\ntext = {{ zh = "东西{one}", en = "Thing {one}" }}' for one in range(items)
    ]
    small.apply(toml(more="\n".join(things)))
    page = get(olga, EDIT)
    typed = {**with_texts(olga, whole_form(page)), "title.zh": "新书法课"}
    apply(olga, Page(olga.post(EDIT, data=typed)))
    definition = events.definition(small.event())
    assert definition.title.zh == "新书法课"
    assert [one.text.zh for one in definition.bring] == [f"东西{one}" for one in range(items)]
