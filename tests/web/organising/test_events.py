"""An organiser copies, edits, previews, moves and cancels events, and sees the consequences before
anything is changed."""

import io
import tomllib
from datetime import date

import pytest
from flask.testing import FlaskClient

from eventreg.core import invariants
from eventreg.core.desk import calls
from eventreg.core.errors import EventUnknown
from eventreg.core.event import event_file, events
from eventreg.core.organising import drafts
from eventreg.storage.session import reading
from tests.support.factories import SHIPPED, House, local, toml
from tests.support.pages import Form, Page, get

DESK = "/staff/events/small"
EDIT = f"{DESK}/edit"


@pytest.fixture
def small(house: House) -> House:
    """Three seats, two of them taken, and a staff of every role."""
    house.apply(toml())
    house.hire()
    house.register("张桂芳", "王建国")
    return house


def whole_form(page: Page) -> Form:
    """The form with every fact and text."""
    return next(form for form in page.forms if form.id == "event")


def checked(client: FlaskClient, **typed: str) -> Page:
    """Change something in the form. Returns the page that shows what would change."""
    form = whole_form(get(client, EDIT))
    named = {name.replace("__", "."): value for name, value in typed.items()}
    return Page(client.post(EDIT, data={**with_texts(client, form), **named}))


def with_texts(client: FlaskClient, form: Form) -> dict[str, str]:
    """The form's fields, with the texts of its larger boxes."""
    definition = events.definition(events.get(reading(), "small"))
    return {**drafts.values(definition), **form.fields}


def apply(client: FlaskClient, page: Page, **more: str) -> str:
    """Press the button of that page. Returns where it leads."""
    form = page.form("/apply")
    text = page.html.partition('<textarea name="toml" hidden>')[2].partition("</textarea>")[0]
    plain = (
        text.replace("&#34;", '"')
        .replace("&#39;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
    )
    answer = client.post(form.action, data={**form.fields, "toml": plain, "tell": "", **more})
    assert answer.status_code == 303, Page(answer).text
    return str(answer.headers["Location"])


def test_the_june_lecture_is_copied_to_july(house: House) -> None:
    house.apply(SHIPPED.read_text(encoding="utf-8"))
    house.hire()
    olga = house.signed_in("olga")
    form = next(form for form in get(olga, "/staff/events/new").forms if form.method == "get")
    assert "date" in form.fields
    copied = get(olga, "/staff/events/new?from=june-10-self-care&date=2030-07-08")
    form = whole_form(copied)
    assert (form.fields["slug"], form.fields["date"], form.fields["starts"]) == (
        "july-8-self-care",
        "2030-07-08",
        "09:00",
    )
    definition = events.definition(house.event("june-10-self-care"))
    typed = {**drafts.values(definition), **form.fields}
    shown = Page(olga.post("/staff/events/new", data=typed))
    assert shown.kind == "staff-event-check"
    with pytest.raises(EventUnknown):
        house.event("july-8-self-care")
    assert apply(olga, shown) == "/staff/events/july-8-self-care"
    new, old = house.event("july-8-self-care"), house.event("june-10-self-care")
    assert new.starts_at == local("2030-07-08 09:00")
    first, second = (event_file.raw_of(events.definition(event)) for event in (old, new))
    assert {key for key in first if first[key] != second[key]} == {"slug", "starts_at"}
    listed = get(house.client(), "/zh/").text
    assert "6 月 10 日" in listed
    assert "7 月 8 日" in listed, "the public start page lists both events"


def test_a_change_is_shown_before_it_is_made(small: House, olga: FlaskClient) -> None:
    page = checked(olga, title__zh="书法班", title__en="Calligraphy")
    assert page.data["data-changes"] == "2"
    assert "书法课 书法班" in page.text
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
    page = checked(olga, date="2030-06-24")
    assert "告诉" not in page.text or "tell" not in page.html, (
        "the event has a notice already, which the organiser edits"
    )


def test_a_mistyped_day_can_be_corrected_without_telling_anyone(
    small: House, olga: FlaskClient
) -> None:
    apply(olga, checked(olga, date="2030-06-17"))
    assert calls.tasks(reading(), small.event(), now=small.now) == []


@pytest.mark.parametrize(
    ("act", "notice", "phase"),
    [
        ("cancel", "cancelled", "cancelled"),
        ("speaker", "speaker-replaced", "open"),
        ("moved", "moved", "open"),
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
    assert path in page.text
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


def test_the_event_file_is_downloaded_and_uploaded(small: House, olga: FlaskClient) -> None:
    file = olga.get(f"{DESK}/event.toml").get_data(as_text=True)
    assert event_file.parse(file) == events.definition(small.event())
    form = get(olga, "/staff/events/new").form("/upload")

    def send(content: bytes) -> Page:
        data = {**form.fields, "file": (io.BytesIO(content), "event.toml")}
        return Page(
            olga.post("/staff/events/upload", data=data, content_type="multipart/form-data")
        )

    assert send(file.encode()).data["data-changes"] == "0"
    page = send(file.replace("capacity = 3", "capacity = 5").encode())
    assert page.data["data-changes"] == "1"
    apply(olga, page)
    assert small.seats().capacity == 5
    assert tomllib.loads(olga.get(f"{DESK}/event.toml").get_data(as_text=True))["capacity"] == 5
    new = send(toml(slug="brand-new").encode())
    apply(olga, new)
    assert small.event("brand-new").version == 1
    for bad in (b"\xff\xfe", b"slug = ", b"", toml(capacity=-1).encode()):
        refused = send(bad)
        assert (refused.status, refused.kind) == (422, "staff-event-new")


def test_two_organisers_do_not_overwrite_each_other(small: House, olga: FlaskClient) -> None:
    mine, theirs = checked(olga, capacity="5"), checked(olga, capacity="7")
    apply(olga, theirs)
    form = mine.form("/apply")
    text = (
        mine.html.partition('<textarea name="toml" hidden>')[2]
        .partition("</textarea>")[0]
        .replace("&#34;", '"')
    )
    refused = Page(olga.post(form.action, data={**form.fields, "toml": text, "tell": ""}))
    assert (refused.status, "别人刚改过" in refused.text) == (409, True)
    assert small.seats().capacity == 7


def test_a_slug_that_is_taken_is_refused(small: House, olga: FlaskClient) -> None:
    form = whole_form(get(olga, "/staff/events/new?from=small&date=2030-07-08"))
    typed = {**drafts.values(events.definition(small.event())), **form.fields, "slug": "small"}
    page = Page(olga.post("/staff/events/new", data=typed))
    assert (page.status, "请换一个" in page.text) == (409, True)
    sent = {**form.fields, "toml": toml(capacity=9), "version": "0"}
    assert olga.post("/staff/events/apply", data=sent).status_code == 409, "nor without that page"
    assert small.seats().capacity == 3


def test_a_warning_is_shown_for_words_of_an_advertisement(olga: FlaskClient) -> None:
    assert "这些字像广告" in checked(olga, title__zh="专家义诊").text


@pytest.mark.parametrize(
    ("slug", "day", "expected"),
    [
        ("june-10-self-care", (2030, 7, 8), "july-8-self-care"),
        ("book-club", (2030, 1, 2), "january-2-book-club"),
        ("x-2030-06-10", (2030, 7, 8), "july-8-x"),
        ("june-10", (2030, 7, 8), "july-8"),
    ],
)
def test_a_copy_gets_a_slug_with_its_day(
    slug: str, day: tuple[int, int, int], expected: str
) -> None:
    assert drafts.slug_for(slug, date(*day)) == expected


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
