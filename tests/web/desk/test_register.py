"""Register by telephone: the clerk's extra fields, hints while typing, and a full event."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from eventreg.core import invariants
from eventreg.core.models.registration import Registration
from eventreg.core.registration import lookup, tickets
from eventreg.core.values import names
from eventreg.storage.session import reading
from tests.support.factories import SECRET, House, toml
from tests.support.pages import Page, fill, get

DESK = "/staff/events/small"
NEW = f"{DESK}/registrations/new"


def made_by(answer_address: str) -> Registration:
    """The registration at this address."""
    return lookup.get(
        reading(), int(answer_address.rsplit("/", maxsplit=1)[-1].split("?", maxsplit=1)[0])
    )


def test_wishes_contact_and_an_unsure_name_are_saved_and_shown(desmond: FlaskClient) -> None:
    answer = fill(
        desmond,
        NEW,
        phone="13800138000",
        name="张桂芳",
        wish="wheelchair",
        contact="女儿 王芳",
        name_unsure="yes",
    )
    page = get(desmond, answer.headers["Location"])
    assert "要轮椅位" in page.text
    assert "女儿 王芳" in page.text
    assert "姓名待核对" in page.text
    printed = get(desmond, f"{DESK}/check-in-list").text
    assert "轮？" in printed


def test_nothing_about_health_can_be_typed_as_a_wish(desmond: FlaskClient) -> None:
    answer = fill(desmond, NEW, phone="13800138000", name="张桂芳", wish="腰椎间盘突出")
    assert made_by(answer.headers["Location"]).wishes == ""


def test_people_without_a_telephone_can_be_registered(small: House, desmond: FlaskClient) -> None:
    small.apply(toml(capacity=9))
    refused = Page(fill(desmond, NEW, name="张桂芳"))
    assert refused.status == 422
    assert "请填写电话号码" in refused.text
    for name in ("张桂芳", "李秀英", "王水娣", "陈阿根", "丁小妹"):
        answer = fill(desmond, NEW, name=name, no_phone="yes", contact="居委会 陈阿姨")
        assert answer.status_code == 303, "no number is not one number that five people share"
    assert "没有电话" in get(desmond, answer.headers["Location"]).text
    form = get(desmond, answer.headers["Location"]).form("/edit")
    assert form.fields["no_phone"] == "yes"
    assert desmond.post(form.action, data={**form.fields, "name": "丁小美"}).status_code == 303
    assert invariants.of_event(reading(), small.event(), now=small.now).holds


def test_people_without_a_telephone_are_not_promised_a_call(
    small: House, desmond: FlaskClient
) -> None:
    small.register("张一", "张二")
    small.register("张三")
    full = Page(fill(desmond, NEW, name="张桂芳", no_phone="yes"))
    made = desmond.post(NEW, data={**full.form().fields, "waitlist": "yes"}).headers["Location"]
    card = get(desmond, made)
    assert "候补第 1 位" in card.text
    assert "告诉您" not in card.text
    found = made_by(made)
    ticket = get(small.client(), f"/T/{tickets.token(SECRET, found.ticket_seed)}")
    assert (ticket.kind, "我们会打" in ticket.text) == ("waitlisted", False)


def ask(client: FlaskClient, **typed: str) -> Any:
    """The hint for what is typed so far."""
    token = {"X-CSRF-Token": get(client, NEW).form().fields["csrf_token"]}
    return client.post(f"{DESK}/registrations/hint", data=typed, headers=token).get_json()


def test_the_reading_is_filled_in_and_can_be_corrected(desmond: FlaskClient) -> None:
    hint = ask(desmond, phone="1380013", name="乐嘉音")
    assert hint == {"known": [], "reading": "yue jia yin"}
    made = fill(desmond, NEW, phone="13800138000", name="乐嘉音", pinyin="le jiayin").headers[
        "Location"
    ]
    listed = get(desmond, f"{DESK}/attendees?q=lejia")
    assert "乐嘉音" in listed.text
    assert "L" in get(desmond, f"{DESK}/check-in-list").text
    form = get(desmond, made).form("/edit")
    assert form.fields["pinyin"] == "le jiayin"
    desmond.post(form.action, data={**form.fields, "phone": "13800138001"})
    assert get(desmond, made).form("/edit").fields["pinyin"] == "le jiayin", (
        "a correction elsewhere leaves it"
    )


@pytest.mark.parametrize(
    ("typed", "search"),
    [
        ("ZENG Gui Fang", "zengguifang"),
        ("", "cengguifang zgf"),
        ("lǚ", "lv"),
        ("x" * 500, "x" * 100),
        ("ceng guifang", ""),
    ],
)
def test_a_reading_consists_of_letters(typed: str, search: str) -> None:
    name = names.parse("曾桂芳")
    given = names.with_reading(name, typed)
    assert len(given.sort_key) < 700
    assert given.letter.isascii()
    if typed in {"lǚ", "ceng guifang"} or len(typed) > 100:
        assert given != name
    else:
        assert given == name, "what says nothing new changes nothing"


@pytest.mark.parametrize("typed", ["123 !", "曾", "zeng 桂芳"])
def test_a_reading_without_letters_is_told_and_nothing_is_saved(
    small: House, desmond: FlaskClient, typed: str
) -> None:
    page = Page(fill(desmond, NEW, phone="13800138000", name="曾桂芳", pinyin=typed))
    assert (page.status, "拼音只用字母" in page.text) == (422, True)
    assert page.form().fields["pinyin"] == typed
    assert small.seats().taken == 0


def test_a_known_number_is_shown_while_typing_and_after_saving(
    small: House, desmond: FlaskClient
) -> None:
    first = small.register("张桂芳", phone="13800138000")
    hint = ask(desmond, phone="138 0013 8000")
    assert [person["name"] for person in hint["known"]] == ["张桂芳"]
    assert hint["known"][0]["address"] == f"{DESK}/registrations/{first.id}"
    after = fill(desmond, NEW, phone="13800138000", name="王建国").headers["Location"]
    assert "这个电话还登记了： 张桂芳" in get(desmond, after).text


def test_the_desk_may_exceed_the_limit_per_number_after_a_warning(house: House) -> None:
    house.apply(toml(capacity=10, head="max_per_phone = 2\nmax_party = 1"))
    house.hire()
    desmond = house.signed_in("desmond")
    for name in ("张一", "张二"):
        assert fill(desmond, NEW, phone="13800138000", name=name).status_code == 303
    warned = Page(fill(desmond, NEW, phone="13800138000", name="张三"))
    assert warned.status == 409
    form = warned.form()
    assert ("main", {"beyond_limit": "yes"}) in form.buttons
    assert desmond.post(NEW, data={**form.fields, "beyond_limit": "yes"}).status_code == 303
    assert house.seats().taken == 3
    assert invariants.of_event(reading(), house.event(), now=house.now).holds, (
        "a number over its limit on purpose"
    )
    assert Page(fill(desmond, NEW, phone="13800138000", name="张四")).status == 409, (
        "and the next is warned of again"
    )


def test_held_seats_are_shown_to_the_public_and_to_the_desk(house: House) -> None:
    house.apply(toml(capacity=3, more="held_seats = 2\nheld_until = 2030-06-09T12:00:00"))
    house.hire()
    desmond = house.signed_in("desmond")
    assert "还剩 1 个名额" in get(house.client(), "/zh/events/small").text
    assert "还剩 1 个名额 · 给电话留着 2 个" in get(desmond, NEW).text
    house.register("张一")
    full = get(house.client(), "/zh/events/small/register")
    assert full.kind == "full"
    assert "网上名额已满，打电话还有 2 个" in full.text
    assert "0574-87654321" in full.text
    assert "网上名额已满，打电话还有 2 个" in get(house.client(), "/zh/events/small").text
    assert "2 seats are kept for callers" in get(house.client(), "/en/events/small").text
    assert fill(desmond, NEW, phone="13800138000", name="李一").status_code == 303, (
        "who calls gets a held one"
    )


def test_only_an_organiser_exceeds_the_cap_and_gives_a_reason(
    small: House, desmond: FlaskClient
) -> None:
    small.register("张一", "张二")
    small.register("张三")
    full = Page(fill(desmond, NEW, phone="13800138000", name="李一"))
    assert (full.status, small.seats().taken) == (409, 3)
    assert all("over" not in added for form in full.forms for _, added in form.buttons), (
        "not offered to the desk"
    )
    sent = {**full.form().fields, "over": "chair"}
    assert desmond.post(NEW, data=sent).status_code == 409
    assert small.seats().taken == 3, "nor taken from it"
    olga = small.signed_in("olga")
    offered = Page(fill(olga, NEW, phone="13800138000", name="李一"))
    assert "超出名额加座" in offered.text
    assert olga.post(NEW, data={**offered.form().fields, "over": "whatever"}).status_code == 409, (
        "without a reason, no"
    )
    done = olga.post(NEW, data={**offered.form().fields, "over": "carer"})
    assert done.status_code == 303
    assert (small.seats().taken, small.seats().over) == (4, 1)
    assert "陪护的人" in get(olga, done.headers["Location"]).text
    assert "超出 1" in get(olga, DESK).text
    assert "超出 1" in get(desmond, NEW).text
    assert invariants.of_event(reading(), small.event(), now=small.now).holds
    small.cancel(1)
    assert small.seats().over == 0


def test_an_organiser_seats_a_waiting_party_over_the_cap(
    small: House, desmond: FlaskClient
) -> None:
    small.register("张一", "张二")
    small.register("张三")
    waiting = small.register("李一", "李二", waitlist=True)
    address = f"{DESK}/registrations/{waiting.id}"
    assert "超出名额加座" not in get(desmond, address).text
    token = get(desmond, address).form("/promote").fields
    assert desmond.post(f"{address}/promote", data={**token, "over": "chair"}).status_code == 409
    olga = small.signed_in("olga")
    token = get(olga, address).form("/promote").fields
    assert olga.post(f"{address}/promote", data=token).status_code == 409, "never by accident"
    assert olga.post(f"{address}/promote", data={**token, "over": "chair"}).status_code == 303
    assert (small.seats().taken, small.seats().over, small.seats().waiting) == (5, 2, 0)
    assert invariants.of_event(reading(), small.event(), now=small.now).holds


def test_an_email_can_be_added_and_a_conflicting_edit_is_refused(
    small: House, desmond: FlaskClient
) -> None:
    made = small.register("张桂芳", phone="13800138000")
    address = f"{DESK}/registrations/{made.id}"
    olga = small.signed_in("olga")
    first, second = get(desmond, address).form("/edit"), get(olga, address).form("/edit")
    assert (
        desmond.post(first.action, data={**first.fields, "email": "z@example.org"}).status_code
        == 303
    )
    told = Page(olga.post(second.action, data={**second.fields, "name": "张贵芳"}))
    assert told.status == 409
    assert told.form("/edit").fields["name"] == "张贵芳", "what was typed is kept"
    fresh = lookup.get(reading(), made.id)
    assert (fresh.email, lookup.party(reading(), fresh)[0].name) == ("z@example.org", "张桂芳")
    bad = Page(olga.post(first.action, data={**told.form("/edit").fields, "email": "no address"}))
    assert bad.status == 422
