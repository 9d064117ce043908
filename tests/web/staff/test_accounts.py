"""Accounts: invite, change and disable them, set up a second factor, sign out other browsers."""

from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect
from pytest import MonkeyPatch

from eventreg.core.models.staff import Role
from eventreg.core.staff import accounts, second_factor
from eventreg.storage.session import reading, transaction
from tests.support import windows
from tests.support.factories import PASSWORD, House, toml
from tests.support.houses import with_seats
from tests.support.pages import Page, fill, get, sign_in
from tests.support.servers import running
from tests.support.windows import LAPTOP, follow, window
from tests.web.desk.test_check_in_list import sides_of

ACCOUNTS = "/staff/accounts"
small = with_seats(3, "张桂芳", staff=True)


def change(client: FlaskClient, name: str, **what: str) -> int:
    """Press a button beside an account; returns the status."""
    reading().rollback()
    member = accounts.by_name(reading(), name)
    token = get(client, "/staff/").form("/sign-out").fields
    return client.post(f"{ACCOUNTS}/{member.id}", data={**token, **what}).status_code


def test_a_colleague_is_invited_by_a_link_shown_once(small: House, olga: FlaskClient) -> None:
    form = next(form for form in get(olga, ACCOUNTS).forms if "username" in form.fields)
    assert (
        olga.post(ACCOUNTS, data={**form.fields, "username": "dana", "role": "desk"}).status_code
        == 303
    )
    page = get(olga, ACCOUNTS)
    link = next(str(attrs["value"]) for attrs in page.having("readonly"))
    assert "/staff/welcome/" not in get(olga, ACCOUNTS).html
    dana = small.client()
    path = link[link.index("/staff/welcome/") :]
    assert fill(dana, path, password="a quiet lake at dawn 7").status_code == 303
    assert get(dana, "/staff/events/small").status == 200
    assert small.client().get(path).status_code == 404, "once"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"username": "olga"}, "用户名"),
        ({"username": ""}, "用户名"),
        ({"role": "king"}, "请选角色"),
    ],
)
def test_an_invalid_account_is_refused(olga: FlaskClient, typed: dict[str, str], said: str) -> None:
    form = next(form for form in get(olga, ACCOUNTS).forms if "username" in form.fields)
    page = Page(
        olga.post(ACCOUNTS, data={**form.fields, "username": "dana", "role": "desk", **typed})
    )
    assert (page.status, said in page.text) == (422, True)


def test_a_new_role_takes_effect_at_once(small: House, olga: FlaskClient) -> None:
    desmond = small.signed_in("desmond")
    assert change(olga, "desmond", act="role", role="door") == 303
    assert desmond.get("/staff/events/small").status_code == 303, "signed out"
    assert small.signed_in("desmond").get("/staff/events/small").status_code == 403


def test_a_disabled_account_cannot_sign_in_again(small: House, olga: FlaskClient) -> None:
    desmond = small.signed_in("desmond")
    assert change(olga, "desmond", act="lock") == 303
    assert desmond.get("/staff/events/small").status_code == 303
    assert sign_in(small.client(), "desmond", PASSWORD).status_code == 422


def test_the_last_organiser_cannot_be_disabled_or_demoted(small: House, olga: FlaskClient) -> None:
    assert change(olga, "olga", act="lock") == 409
    assert change(olga, "olga", act="role", role="desk") == 409
    small.hired("otto", Role.ORGANISER)
    assert change(olga, "olga", act="role", role="desk") == 303
    assert sign_in(small.client(), "olga", PASSWORD).status_code == 303


def test_only_organisers_see_accounts(small: House) -> None:
    for name in ("desmond", "dora"):
        client = small.signed_in(name)
        assert client.get(ACCOUNTS).status_code == 403
        assert client.post(ACCOUNTS, data={"username": "x", "role": "organiser"}).status_code == 403


def with_factor(house: House) -> tuple[pyotp.TOTP, list[str]]:
    """Give Olga a second factor; returns her authenticator and recovery codes."""
    secret = second_factor.new_secret()
    making = pyotp.TOTP(secret)
    with transaction() as session:
        member = accounts.by_name(session, "olga")
        codes = second_factor.turn_on(
            session, member, secret, making.at(house.now), by=house.olga, now=house.now
        )
    house.now += timedelta(seconds=30)
    return making, codes


def try_code(house: House, code: str, client: FlaskClient | None = None) -> int:
    """Olga signs in with her password and this code, in a browser of her own or a new one."""
    typed = {"username": "olga", "password": PASSWORD, "code": code}
    return fill(client or house.client(), "/staff/sign-in", **typed).status_code


def test_the_second_factor_is_set_up_and_asked_for(small: House, olga: FlaskClient) -> None:
    page = get(olga, "/staff/me")
    form = page.form("/second-factor")
    wrong = Page(
        olga.post(form.action, data={**form.fields, "password": PASSWORD, "code": "000000"})
    )
    assert wrong.status == 422
    assert wrong.form("/second-factor").fields["secret"] == form.fields["secret"], (
        "the code on the telephone still counts"
    )
    code = pyotp.TOTP(form.fields["secret"]).at(small.now)
    assert (
        olga.post(form.action, data={**form.fields, "password": PASSWORD, "code": code}).status_code
        == 303
    )
    shown = get(olga, "/staff/me")
    assert shown.html.count('<li class="nowrap" translate="no">') == 8
    assert get(olga, "/staff/me").html.count('<li class="nowrap" translate="no">') == 0, (
        "shown once"
    )
    client = small.client()
    assert try_code(small, "", client) == 422
    assert client.get("/staff/events/small").status_code == 303, "the password alone opens nothing"
    small.now += timedelta(seconds=30)
    assert try_code(small, pyotp.TOTP(form.fields["secret"]).at(small.now), client) == 303
    assert get(client, "/staff/events/small").status == 200


def test_a_code_works_once_and_expires(small: House) -> None:
    making, _ = with_factor(small)
    code = making.at(small.now)
    assert try_code(small, code) == 303
    assert try_code(small, code) == 422, "overheard"
    for late in (
        making.at(small.now - timedelta(minutes=2)),
        "",
        "12345",
        "abcdef",
        "١٢٣٤٥٦",
        "9" * 500,
    ):
        assert try_code(small, late) == 422
    small.now += timedelta(minutes=6)
    full_width = "".join(chr(ord(digit) + 0xFEE0) for digit in making.at(small.now))
    assert try_code(small, full_width) == 303, "as a Chinese keyboard writes digits"


def test_each_recovery_code_works_once(small: House) -> None:
    _, codes = with_factor(small)
    assert try_code(small, codes[0].upper()) == 303
    assert try_code(small, codes[0]) == 422
    assert try_code(small, codes[1]) == 303


def test_without_the_code_check_any_code_would_sign_in(
    small: House, monkeypatch: MonkeyPatch
) -> None:
    """The negative control."""
    with_factor(small)
    monkeypatch.setattr(second_factor, "check", lambda *_, **__: None)
    assert try_code(small, "1") == 303


def test_turning_off_the_factor_needs_a_code(small: House) -> None:
    making, _ = with_factor(small)
    client = small.client()
    assert try_code(small, making.at(small.now), client) == 303
    form = get(client, "/staff/me").form("/second-factor")
    off = {**form.fields, "act": "off", "password": PASSWORD}
    assert client.post(form.action, data={**off, "code": "000000"}).status_code == 422
    small.now += timedelta(seconds=30)
    assert client.post(form.action, data={**off, "code": making.at(small.now)}).status_code == 303
    assert accounts.by_name(reading(), "olga").totp_secret is None


def test_guessing_codes_is_slowed_down(folder: Path) -> None:
    house = House(folder, EVENTREG_RATE_LIMITS="on")
    with house.app.app_context():
        house.apply(toml())
        house.hire()
        with_factor(house)
        answers = [try_code(house, "000000") for _ in range(5)]
        for _ in range(5):  # a delay of half a minute, longer than a slow machine takes
            house.app.extensions["limits"].sign_in_failed("olga")
        answers.append(try_code(house, "000000"))
    house.close()
    assert answers[:5] == [422] * 5
    assert answers[-1] == 429


def test_guessing_the_setup_code_is_slowed_down(folder: Path) -> None:
    house = House(folder, EVENTREG_RATE_LIMITS="on")
    with house.app.app_context():
        house.apply(toml())
        house.hire()
        olga = house.signed_in("olga")
        form = get(olga, "/staff/me").form("/second-factor")
        answers = [
            olga.post(
                form.action, data={**form.fields, "password": PASSWORD, "code": "000000"}
            ).status_code
            for _ in range(10)
        ]
    house.close()
    assert answers[0] == 422
    assert 429 in answers[5:], answers


def test_staff_can_sign_out_their_other_browsers_only(small: House, olga: FlaskClient) -> None:
    elsewhere = small.signed_in("olga")
    desmond = small.signed_in("desmond")
    page = get(olga, "/staff/me")
    buttons = [form for form in page.forms if form.action.endswith("/browsers")]
    assert len(buttons) == 1, "not the one in hand"
    olga.post(buttons[0].action, data=buttons[0].fields)
    assert elsewhere.get("/staff/me").status_code == 303
    assert olga.get("/staff/me").status_code == 200
    for session_id in (5, 4, 3):  # 3 is Desmond's
        olga.post(buttons[0].action, data={**buttons[0].fields, "browser": str(session_id)})
    assert desmond.get("/staff/me").status_code == 200, "nobody else's"


@pytest.mark.browser
def test_recovery_codes_are_copied_and_printed_alone(
    browser: Browser, folder: Path, tmp_path: Path
) -> None:
    house = House(folder)
    with house.app.app_context():
        house.hire()
    house.close()
    with running(folder) as server:
        page = window(browser, LAPTOP)
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        windows.sign_in(page, server, "olga")
        page.goto(f"{server.address}/staff/me")
        secret = page.locator("input[name=secret]").input_value()
        form = page.locator("form[action$='/second-factor']")
        form.locator("input[type=password]").fill(PASSWORD)
        form.locator("#new-code").fill(pyotp.TOTP(secret).now())
        follow(form.locator("button").last)
        lines = page.locator("#recovery li")
        expect(lines).to_have_count(8)
        codes = lines.all_inner_texts()
        page.locator("[data-copy]").click()
        expect(page.locator("[data-copy]")).to_have_text("已复制")
        assert page.evaluate("navigator.clipboard.readText()") == "\n".join(codes)
        page.evaluate("window.print = () => {}")
        page.locator("[data-print]").click()
        page.pdf(path=str(tmp_path / "codes.pdf"), format="A4")
        (side,) = sides_of(tmp_path / "codes.pdf")
        assert all(code in side for code in codes)
        assert "olga" not in side, "nothing else is on the paper"


def test_locking_an_account_asks_first_and_can_be_undone(small: House, olga: FlaskClient) -> None:
    page = get(olga, "/staff/accounts")
    assert 'value="lock"' not in page.html
    dora = small.dora.staff_id
    asked = get(olga, f"/staff/accounts/{dora}/lock")
    assert (asked.kind, "要停用 dora 的账号吗？" in asked.text) == ("staff-lock", True)
    form = asked.form(f"/accounts/{dora}")
    olga.post(form.action, data={**form.fields, "act": "lock"})
    listed = get(olga, "/staff/accounts")
    assert "账号已停用" in listed.text
    assert olga.get(f"/staff/accounts/{dora}/lock").status_code == 303
    form = next(one for one in listed.forms if ("", {"act": "unlock"}) in one.buttons)
    olga.post(form.action, data={**form.fields, "act": "unlock"})
    assert "原来的密码还能用" in get(olga, "/staff/accounts").text
    assert small.signed_in("dora").get("/door/small/").status_code == 200
    assert "恢复账号" in get(olga, "/staff/events/small/audit").text
