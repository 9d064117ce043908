"""Sign in, sign out, and choose a password with a one-time link."""

from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from eventreg.core.staff import accounts
from eventreg.storage.session import transaction
from tests.support.factories import LONG_PASSWORD, PASSWORD, House
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
    # The delay is one second by now. Five more failures make it half a minute, longer than a slow
    # machine takes.
    for _ in range(5):
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


def test_signing_out_clears_the_storage_only_if_the_script_says_that_nothing_is_unsent(
    small: House,
) -> None:
    for sent, cleared in (
        ({}, '"cache"'),
        ({"nothing-unsent": ""}, '"cache"'),
        ({"nothing-unsent": "no"}, '"cache"'),
        ({"nothing-unsent": "yes"}, '"cache", "storage"'),
    ):
        dora = small.signed_in("dora")
        form = get(dora, "/staff/").form("/sign-out")
        answer = dora.post("/staff/sign-out", data={**form.fields, **sent})
        assert answer.headers["Clear-Site-Data"] == cleared, sent
