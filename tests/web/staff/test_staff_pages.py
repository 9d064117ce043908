"""The desk: signing in, taking calls, the list, corrections, the paper."""

import gzip
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from eventreg.core.models.staff import Role
from eventreg.core.staff import accounts, permissions
from eventreg.storage.session import transaction
from eventreg.web import access
from tests.support import pages
from tests.support.factories import LONG_PASSWORD, PASSWORD, House, local, toml
from tests.support.pages import Page, fill, get, sign_in

DESK = "/staff/events/small"
NEW = f"{DESK}/registrations/new"


def test_staff_pages_ask_to_sign_in_and_lead_back(small: House) -> None:
    client = small.client()
    answer = client.get(f"{DESK}/attendees?q=%E5%BC%A0")
    assert answer.status_code == 303
    sent = fill(client, answer.headers["Location"], username="desmond", password=PASSWORD)
    assert sent.headers["Location"] == f"{DESK}/attendees?q=%E5%BC%A0"


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", ""],
)
def test_signing_in_never_leads_to_another_site(small: House, target: str) -> None:
    client = small.client()
    form = get(client, "/staff/sign-in").form()
    data = {**form.fields, "username": "olga", "password": PASSWORD, "next": target}
    assert client.post("/staff/sign-in", data=data).headers["Location"] == "/staff/"


def test_a_wrong_password_is_refused_and_the_name_kept(small: House) -> None:
    for name in ("desmond", "nobody", "<b>x</b>"):
        page = Page(
            fill(small.client(), "/staff/sign-in", username=name, password="wrong wrong wrong")
        )
        assert (page.status, page.kind) == (422, "staff-sign-in")
        assert "用户名、密码或验证码不对" in page.text
        assert page.form("/sign-in").fields["username"] == name
        assert "<b>x" not in page.html


def test_a_copied_cookie_is_invalid_after_sign_out(small: House, desmond: FlaskClient) -> None:
    cookie = desmond.get_cookie("s")
    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    thief = small.client()
    thief.set_cookie("s", cookie.value)
    assert get(thief, DESK).status == 200
    form = get(desmond, "/staff/").form("/sign-out")
    assert desmond.post("/staff/sign-out", data=form.fields).status_code == 303
    assert thief.get(DESK).status_code == 303
    assert desmond.get(DESK).status_code == 303


def test_a_disabled_account_is_signed_out_at_once(small: House, desmond: FlaskClient) -> None:
    with transaction() as session:
        accounts.disable(
            session, accounts.by_name(session, "desmond"), by=small.olga, now=small.now
        )
    assert desmond.get(DESK).status_code == 303


def test_signing_in_changes_the_session_id(small: House) -> None:
    client = small.client()
    get(client, "/staff/sign-in")
    before = client.get_cookie("s")
    sign_in(client, "olga", PASSWORD)
    after = client.get_cookie("s")
    assert before is not None
    assert after is not None
    assert before.value != after.value


def test_every_role_reaches_exactly_the_pages_of_its_permissions(small: House) -> None:
    """Each page with each role: 200 where the table allows it, 403 where not, the sign-in page for
    nobody."""
    made = small.register("张桂芳")
    somewhere = {
        "slug": "small",
        "registration_id": made.id,
        "check_in_id": 1,
        "staff_id": 1,
        "token": "x",
        "lang": "zh",
    }
    clients = {
        role: small.signed_in(name)
        for role, name in [("organiser", "olga"), ("desk", "desmond"), ("door", "dora")]
    }
    checked = 0
    for rule in small.app.url_map.iter_rules():
        need = access.need_of(rule.endpoint)
        if need in {access.EVERYBODY, None}:
            continue
        with small.app.test_request_context():
            given: dict[str, Any] = {name: somewhere[name] for name in rule.arguments}
            path = small.app.url_for(rule.endpoint, **given)
        for role, client in clients.items():
            allowed = permissions.may(Role(role), permissions.Permission(str(need)))
            if "GET" in (rule.methods or ()):
                answer = client.get(path)
                assert answer.status_code in ({200, 303} if allowed else {403}), (role, path)
                answer.close()
            else:  # without its token, so that nothing happens: who may gets as far as that
                assert client.post(path).status_code == (400 if allowed else 403), (role, path)
            checked += 1
        if "GET" in (rule.methods or ()):
            assert small.client().get(path).status_code == 303, path
            assert (
                small.client().get(path, headers={"Accept": "application/json"}).status_code == 401
            ), path
        assert small.client().post(path).status_code in {401, 405}, path
    assert checked >= 150


def test_without_the_table_the_door_would_see_the_desk(
    small: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: it is the table, and nothing else, that keeps the door out."""
    dora = small.signed_in("dora")
    assert dora.get(DESK).status_code == 403
    monkeypatch.setattr(accounts, "may", lambda *_: True)
    assert dora.get(DESK).status_code == 200


def test_a_view_that_names_no_permission_is_closed(
    small: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = small.app.view_functions["public.privacy"]
    assert small.client().get("/zh/privacy").status_code == 200
    monkeypatch.delattr(view, "needs")
    assert small.client().get("/zh/privacy").status_code == 403


def test_every_post_needs_the_token_of_its_session(small: House, desmond: FlaskClient) -> None:
    form = get(desmond, NEW).form()
    typed = {**form.fields, "name": "张桂芳", "phone": "13800138000"}
    stranger = get(small.signed_in("olga"), NEW).form().fields["csrf_token"]
    for token in ("", "forged", stranger):
        page = Page(desmond.post(NEW, data={**typed, "csrf_token": token}))
        assert page.status == 400
        assert small.seats().taken == 0
    assert desmond.post(NEW, data=typed).status_code == 303


def test_without_the_token_check_a_forged_post_would_pass(
    small: House, desmond: FlaskClient
) -> None:
    """The negative control."""
    small.app.config["WTF_CSRF_ENABLED"] = False
    data = {"name": "张桂芳", "phone": "13800138000", "form_key": "a" * 32}
    assert desmond.post(NEW, data=data).status_code == 303


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 303),
        ({"Origin": "null"}, 303),
        ({"Origin": "http://localhost"}, 303),
        ({}, 303),
    ],
)
def test_no_other_site_can_make_a_browser_post(
    small: House, desmond: FlaskClient, headers: dict[str, str], status: int
) -> None:
    form = get(desmond, NEW).form()
    data = {**form.fields, "name": "张桂芳", "phone": "13800138000"}
    assert desmond.post(NEW, data=data, headers=headers).status_code == status


def test_a_call_is_taken_on_one_page_and_read_back(desmond: FlaskClient) -> None:
    page = get(desmond, NEW)
    inputs = [
        str(attrs.get("name"))
        for tag, attrs in page.tags
        if tag == "input" and attrs.get("type") != "hidden"
    ]
    assert inputs[:4] == ["phone", "name", "pinyin", "companion-1"], "in the order of speech"
    answer = fill(desmond, NEW, phone="138 0013 8000", name="张桂芳")
    assert answer.status_code == 303
    card = get(desmond, answer.headers["Location"])
    assert card.kind == "staff-registration"
    assert "张桂芳 ，报好了" in card.text
    assert re.search(r"签到码 \d、\d、\d、\d。", card.text)
    assert "6 月 10 日（星期一）上午 8 点 45 分到 9 点签到，在图书馆" in card.text
    assert "图书馆" in card.text
    assert "录入下一位" in card.text
    assert "desmond" in card.text


def test_a_call_sent_twice_is_one_registration(small: House, desmond: FlaskClient) -> None:
    form = get(desmond, NEW).form()
    data = {**form.fields, "name": "张桂芳", "phone": "13800138000"}
    assert len({desmond.post(NEW, data=data).headers["Location"] for _ in range(2)}) == 1
    assert small.seats().taken == 1


def test_a_known_caller_is_recognised_and_can_be_opened(desmond: FlaskClient) -> None:
    known = fill(desmond, NEW, phone="13800138000", name="张桂芳").headers["Location"].split("?")[0]
    page = Page(fill(desmond, NEW, phone="+86 138 0013 8000", name="张桂芳"))
    assert page.status == 409
    assert f'href="{known}"' in page.html


@pytest.mark.parametrize(("taken", "words"), [(3, "名额已满"), (2, "只剩 1 个名额")])
def test_a_full_event_is_reported_on_the_form_and_the_input_kept(
    small: House, desmond: FlaskClient, taken: int, words: str
) -> None:
    for number in range(taken):
        small.register(f"王{number}号")
    page = Page(fill(desmond, NEW, phone="13800138000", name="张桂芳", companion_1="王建国"))
    assert (page.status, page.kind) == (409, "staff-new")
    assert words in page.text
    kept = page.form().fields
    assert (kept["name"], kept["companion-1"], kept["phone"]) == ("张桂芳", "王建国", "13800138000")


def test_a_wrong_field_is_reported_and_kept(desmond: FlaskClient) -> None:
    page = Page(fill(desmond, NEW, phone="138", name=""))
    assert page.status == 422
    assert "请填写参加人的姓名" in page.text
    assert page.form().fields["phone"] == "138"


def test_the_dashboard_counts_by_source(small: House, desmond: FlaskClient) -> None:
    assert "还没有人报名" in get(desmond, DESK).text
    fill(desmond, NEW, phone="13800138000", name="张桂芳")
    small.register("王一")
    page = get(desmond, DESK)
    assert (page.data["data-taken"], page.data["data-capacity"]) == ("2", "3")
    assert "已报名 2 / 3" in page.text
    assert "电话 1" in page.text
    assert "网上 1" in page.text
    small.apply(toml(capacity=1))
    assert "超出名额 1 人" in get(desmond, DESK).text


def test_the_list_masks_numbers_and_shows_states(small: House, desmond: FlaskClient) -> None:
    small.register("张桂芳", phone="13800138000")
    made = small.register("王建国", phone="13900139000")
    form = get(desmond, f"{DESK}/registrations/{made.id}").form("/cancel")
    desmond.post(form.action, data=form.fields)
    page = get(desmond, f"{DESK}/attendees")
    rows = page.having("data-registration")
    assert [row["data-state"] for row in rows] == ["cancelled", "confirmed"]
    assert "13800138000" not in page.html
    assert "138****8000" in page.text
    assert len(get(desmond, f"{DESK}/attendees?state=confirmed").having("data-registration")) == 1
    assert len(get(desmond, f"{DESK}/attendees?q=zgf").having("data-registration")) == 1
    assert "没有找到" in get(desmond, f"{DESK}/attendees?q=xyz").text
    for odd in (
        "state=nothing",
        "sort=nothing",
        "page=-1",
        "page=x",
        "page=99999999999999999999",
        "q=%00%FF",
    ):
        assert get(desmond, f"{DESK}/attendees?{odd}").status == 200


def test_a_registration_can_be_corrected_and_its_history_says_who(desmond: FlaskClient) -> None:
    address = (
        fill(desmond, NEW, phone="13800138000", name="张贵方").headers["Location"].split("?")[0]
    )
    form = get(desmond, address).form("/edit")
    assert desmond.post(form.action, data={**form.fields, "name": "张桂芳"}).status_code == 303
    page = get(desmond, address)
    assert "张桂芳" in page.text
    assert "desmond · 修改 ：姓名" in page.text.replace("修改：", "修改 ：")
    stale = Page(desmond.post(form.action, data={**form.fields, "name": "张桂花"}))
    assert stale.status == 409
    assert "别人刚刚改过" in stale.text
    assert stale.form("/edit").fields["name"] == "张桂花"
    wrong = Page(desmond.post(form.action, data={**form.fields, "phone": "12"}))
    assert wrong.status == 422
    assert wrong.form("/edit").fields["phone"] == "12"


def test_cancelling_twice_frees_the_seat_once(small: House, desmond: FlaskClient) -> None:
    made = small.register("张桂芳", "王建国")
    form = get(desmond, f"{DESK}/registrations/{made.id}").form("/cancel")
    assert [desmond.post(form.action, data=form.fields).status_code for _ in range(2)] == [303, 303]
    assert small.seats().left == 3
    page = get(desmond, f"{DESK}/registrations/{made.id}")
    assert page.data["data-state"] == "cancelled"
    assert "取消报名" in page.text


def test_a_registration_of_another_event_is_not_found_here(
    small: House, desmond: FlaskClient
) -> None:
    small.apply(toml(slug="other"))
    made = small.register("张桂芳", slug="other")
    for path in ("", "/edit", "/cancel"):
        address = f"{DESK}/registrations/{made.id}{path}"
        form = get(desmond, NEW).form()
        answer = (
            desmond.post(address, data={**form.fields, "name": "x", "phone": "13800138000"})
            if path
            else desmond.get(address)
        )
        assert answer.status_code == 404


def test_the_printed_list_has_names_codes_tails_and_a_blank_side(
    small: House, desmond: FlaskClient
) -> None:
    small.register("张桂芳", "单玉兰", phone="13800138000")
    small.register("曾秀英", phone="13900139123")
    page = get(desmond, f"{DESK}/check-in-list")
    assert page.kind == "staff-check-in-list"
    order = [page.text.index(name) for name in ("单玉兰", "曾秀英", "张桂芳")]
    assert order == sorted(order)
    assert page.html.count("<section>") == 2
    assert page.html.count("□") == 2 * (3 + 20)
    assert "第 1 面，共 2 面" in page.text
    assert "名单时间 06-03 10:00" in page.text
    assert "9123" in page.text
    assert "13900139123" not in page.html
    assert "和 3 号同来" in page.text


def test_staff_pages_speak_the_language_that_was_chosen(small: House, desmond: FlaskClient) -> None:
    assert "Attendee list" in get(desmond, f"{DESK}/attendees?lang=en").text
    assert "Take a registration" in get(desmond, DESK).text
    assert "录入电话报名" in get(desmond, f"{DESK}?lang=zh").text


def test_the_first_organiser_chooses_name_and_password_with_the_printed_link(house: House) -> None:
    with transaction() as session:
        link = accounts.first_link(session, now=house.now)
    client = house.client()
    address = f"/staff/welcome/{link}"
    weak = Page(fill(client, address, username="olga", password="short"))
    assert (weak.status, weak.kind) == (422, "staff-welcome")
    assert weak.form().fields["username"] == "olga"
    assert (
        fill(client, address, username="olga", password=LONG_PASSWORD).headers["Location"]
        == "/staff/"
    )
    assert get(client, "/staff/").kind == "staff-home"
    spent = get(house.client(), address)
    assert spent.status == 404
    assert "用过或者过期" in spent.text


def test_a_link_for_an_existing_account_sets_only_the_password(small: House) -> None:
    with transaction() as session:
        link = accounts.make_link(
            session, accounts.by_name(session, "dora"), by=small.olga, now=small.now
        )
    client = small.client()
    page = get(client, f"/staff/welcome/{link}")
    assert "dora" in page.text
    assert "username" not in page.form().fields
    assert fill(client, f"/staff/welcome/{link}", password=LONG_PASSWORD).status_code == 303
    assert sign_in(small.client(), "dora", PASSWORD).status_code == 422


def test_five_wrong_passwords_slow_an_account_down_and_the_limits_can_be_off(house: House) -> None:
    house.hire()
    house.app.extensions["limits"].on = True
    client = house.client()
    statuses = [
        fill(client, "/staff/sign-in", username="olga", password="wrong wrong wrong").status_code
        for _ in range(5)
    ]
    assert statuses == [422] * 5
    for _ in range(
        5
        # by now a second has to pass; five more make it half a minute, which no slow machine
        # outlasts
    ):
        house.app.extensions["limits"].sign_in_failed("olga")
    slow = client.post(
        "/staff/sign-in",
        data=get(client, "/staff/sign-in").form().fields
        | {"username": "olga", "password": PASSWORD},
    )
    assert slow.status_code == 429
    assert int(slow.headers["Retry-After"]) >= 1
    house.app.extensions["limits"].on = False
    assert sign_in(house.client(), "olga", PASSWORD).status_code == 303


def test_a_call_form_is_kept_if_the_session_ends_meanwhile(
    small: House, desmond: FlaskClient
) -> None:
    form = get(desmond, NEW).form()
    small.now += timedelta(hours=3)
    page = Page(desmond.post(NEW, data={**form.fields, "name": "张桂芳", "phone": "13800138000"}))
    assert (page.status, page.kind) == (401, "staff-sign-in")
    wrong = desmond.post(
        "/staff/sign-in",
        data={**page.form("/sign-in").fields, "username": "desmond", "password": "wrong"},
    )
    again = {**Page(wrong).form("/sign-in").fields, "username": "desmond", "password": PASSWORD}
    once_more = Page(desmond.post("/staff/sign-in", data=again))
    assert once_more.kind == "staff-once-more"
    kept = once_more.form("/registrations/new")
    assert desmond.post(kept.action, data=kept.fields).status_code == 303
    assert "张桂芳" in get(desmond, f"{DESK}/attendees").text


def test_a_kept_form_is_never_sent_to_another_site(small: House) -> None:
    client = small.client()
    form = get(client, "/staff/sign-in").form()
    typed = {
        "username": "olga",
        "password": PASSWORD,
        "next": "https://evil.example/",
        "kept": "WzEsImRlc2sudGFrZSJd.x",
    }
    answer = client.post("/staff/sign-in", data={**form.fields, **typed})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/staff/")


def test_on_https_the_cookie_is_host_only_and_secure(folder: Path) -> None:
    house = House(folder, EVENTREG_PUBLIC_URL="https://lecture.example.org")
    client = house.app.test_client()
    with house.app.app_context():
        answer = client.get("/staff/sign-in", base_url="https://lecture.example.org")
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("__Host-s=")
        assert all(word in cookie for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
        assert "Domain" not in cookie
        assert "max-age=63072000" in answer.headers["Strict-Transport-Security"]
    house.close()


def test_times_are_shown_in_the_zone_of_the_event(small: House) -> None:
    small.now = local("2030-06-04 00:30")
    desmond = small.signed_in("desmond")
    fill(desmond, NEW, phone="13800138000", name="张桂芳")
    assert "06-04 0:30" in pages.get(desmond, f"{DESK}/attendees").text


def test_staff_pages_are_light(house: House) -> None:
    """UX.md section 8: at most 30 kB and three requests, with fifty people in the room."""
    house.apply(toml(capacity=50))
    house.hire()
    for number in range(50):
        house.register(f"客{chr(0x4E00 + number)}", phone=f"138001{number:05}")
    house.now = local("2030-06-07 10:00")
    olga = house.signed_in("olga")
    weights = {}
    for path in (
        "",
        "/attendees",
        "/registrations/new",
        "/registrations/1",
        "/calls",
        "/calls/sheet",
        "/numbers",
        "/paper",
        "/check-in-list",
        "/report",
        "/audit",
        "/edit",
        "/import",
        "/duplicates",
        "/telephones",
        "/forget",
    ):
        answer = olga.get(DESK + path, headers={"Accept-Encoding": "gzip"})
        assert answer.headers["Content-Encoding"] == "gzip", path
        weights[path] = len(answer.get_data())
        more = gzip.decompress(answer.get_data()).count(b"?v=")
        assert more <= 2, path
    print(weights)  # noqa: T201 - the figures of UX.md 8
    assert max(weights.values()) <= 30_000, weights
