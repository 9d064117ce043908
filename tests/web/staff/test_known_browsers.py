"""Known browsers: wrong passwords of a stranger do not delay the owner of the account."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser
from pytest import MonkeyPatch
from sqlalchemy import func, select

from eventreg.core.models.staff import KnownBrowser
from eventreg.core.staff import accounts, known_browsers, passwords, second_factor
from eventreg.storage.session import reading, transaction
from eventreg.web.limits import limits
from tests.support.factories import LONG_PASSWORD, PASSWORD, House, toml
from tests.support.pages import Page, fill, sign_in
from tests.support.servers import running
from tests.support.windows import LAPTOP, follow, kind, window

SIGN_IN = "/staff/sign-in"
WRONG = "wrong wrong wrong"


def guess(house: House, name: str, times: int, client: FlaskClient | None = None) -> list[int]:
    """Try wrong passwords, by default in a new browser each time; returns the statuses."""
    return [sign_in(client or house.client(), name, WRONG).status_code for _ in range(times)]


def keep_out(house: House, name: str = "olga") -> None:
    """Delay the account for minutes, and this network address too."""
    for _ in range(15):
        house.app.extensions["limits"].sign_in_failed(name)
    with suppress(limits.TooOften):
        for _ in range(30):
            house.app.extensions["limits"].hit("sign-in", limits.SIGN_IN, "127.0.0.1")


def known_to(name: str) -> int:
    """The number of browsers known to the account."""
    reading().rollback()
    mine = KnownBrowser.staff_id == accounts.by_name(reading(), name).id
    return reading().execute(select(func.count(KnownBrowser.id)).where(mine)).scalar_one()


@pytest.mark.both_databases
def test_a_known_browser_skips_the_delay(limited: House) -> None:
    olga = limited.signed_in("olga")
    keep_out(limited)
    stranger = sign_in(limited.client(), "olga", PASSWORD)
    assert stranger.status_code == 429, "no cookie, no way past the delay"
    assert sign_in(olga, "ＯＬＧＡ", PASSWORD).status_code == 303
    assert sign_in(limited.client(), "olga", PASSWORD).status_code == 429, (
        "for others the delay goes on"
    )
    assert sign_in(olga, "desmond", PASSWORD).status_code == 429, "it is hers and nobody else's"
    assert known_to("olga") == 1


def test_without_known_browsers_the_owner_would_be_delayed(
    limited: House, monkeypatch: MonkeyPatch
) -> None:
    """The negative control."""
    olga = limited.signed_in("olga")
    keep_out(limited)
    monkeypatch.setattr(known_browsers, "is_known", lambda *_, **__: False)
    assert sign_in(olga, "olga", PASSWORD).status_code == 429


def test_the_cookie_does_not_replace_the_password(limited: House) -> None:
    olga = limited.signed_in("olga")
    assert guess(limited, "olga", 1, olga) == [422]
    cookie = olga.get_cookie(f"known-{limited.olga.staff_id}")
    assert cookie is not None
    assert (cookie.http_only, cookie.same_site, cookie.path) == (True, "Lax", "/")
    assert len(cookie.value) >= 22, "at least 128 bits"
    stored = reading().scalars(select(KnownBrowser.token_digest)).all()
    assert cookie.value not in stored


@pytest.mark.both_databases
def test_a_known_browser_is_forgotten_after_five_failures(limited: House) -> None:
    olga = limited.signed_in("olga")
    assert guess(limited, "olga", 4, olga) == [422] * 4
    assert sign_in(olga, "olga", PASSWORD).status_code == 303, "her own slips are forgotten"
    keep_out(limited)
    assert guess(limited, "olga", 5, olga) == [422] * 5
    assert sign_in(olga, "olga", PASSWORD).status_code == 429


def test_simultaneous_guesses_are_limited_to_five(limited: House) -> None:
    olga = limited.signed_in("olga")
    keep_out(limited)
    cookie = olga.get_cookie(f"known-{limited.olga.staff_id}")
    assert cookie is not None
    clients = [limited.client() for _ in range(12)]
    forms = []
    for client in clients:
        client.set_cookie(cookie.key, cookie.value)
        forms.append(Page(client.get(SIGN_IN)).form().fields)

    def one(place: int) -> int:
        typed = {**forms[place], "username": "olga", "password": WRONG}
        return clients[place].post(SIGN_IN, data=typed).status_code

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(one, range(12)))
    assert answers.count(422) == 5
    assert set(answers) == {422, 429}


@pytest.mark.parametrize("end", ["password", "disabled"])
def test_a_new_password_and_disabling_forget_known_browsers(limited: House, end: str) -> None:
    limited.signed_in("olga")
    assert known_to("olga") == 1
    with transaction() as session:
        member = accounts.by_name(session, "olga")
        if end == "password":
            accounts.set_password(session, member, LONG_PASSWORD, by=limited.olga, now=limited.now)
        else:
            accounts.force_disable(session, member, by=limited.olga, now=limited.now)
    assert known_to("olga") == 0


def test_ten_browsers_are_known_until_half_a_year_after_their_last_use(limited: House) -> None:
    olga = limited.signed_in("olga")
    limited.now += timedelta(days=100)
    assert sign_in(olga, "olga", PASSWORD).status_code == 303
    for _ in range(12):
        limited.signed_in("olga")
    assert known_to("olga") == 10
    limited.now += timedelta(days=179)
    keep_out(limited)
    assert sign_in(olga, "olga", WRONG).status_code == 429, "the oldest one went"
    limited.now += timedelta(days=1)
    with transaction() as session:
        known_browsers.drop_old(session, now=limited.now)
    assert known_to("olga") == 0


def test_a_shared_computer_is_known_to_several_accounts(limited: House) -> None:
    shared = limited.client()
    for name in ("olga", "desmond", "dora"):
        assert sign_in(shared, name, PASSWORD).status_code == 303
    for name in ("olga", "desmond", "dora"):
        keep_out(limited, name)
        assert sign_in(shared, name, PASSWORD).status_code == 303


def test_the_delay_does_not_affect_a_signed_in_browser(limited: House) -> None:
    olga = limited.signed_in("olga")
    keep_out(limited)
    again = fill(olga, "/staff/password", password=PASSWORD)
    assert again.status_code == 303


def test_the_refusal_does_not_say_what_was_wrong(limited: House) -> None:
    secret = second_factor.new_secret()
    making = pyotp.TOTP(secret)
    with transaction() as session:
        member = accounts.by_name(session, "olga")
        at = limited.now
        second_factor.turn_on(session, member, secret, making.at(at), by=limited.olga, now=at)
    limited.now += timedelta(seconds=30)
    right = making.at(limited.now)
    tried = [
        {"username": "olga", "password": PASSWORD, "code": "000000"},
        {"username": "olga", "password": PASSWORD, "code": ""},
        {"username": "olga", "password": WRONG, "code": right},
        {"username": "olga", "password": WRONG, "code": ""},
    ]
    pages = [Page(fill(limited.client(), SIGN_IN, **typed)) for typed in tried]
    assert {(page.status, page.kind, page.text) for page in pages} == {
        (422, "staff-sign-in", pages[0].text)
    }
    assert {tuple(sorted(page.form("/sign-in").fields)) for page in pages} == {
        tuple(sorted(pages[0].form("/sign-in").fields))
    }
    typed = {"username": "olga", "password": PASSWORD, "code": right}
    assert fill(limited.client(), SIGN_IN, **typed).status_code == 303, (
        "a wrong password uses no code up"
    )


def test_every_refusal_takes_one_hash_and_one_code_check(
    limited: House, monkeypatch: MonkeyPatch
) -> None:
    """So all refusals take the same time. Counted, as measuring depends on the machine."""
    done: list[str] = []
    hashed, looked = passwords.verify, second_factor.check

    def verify(*given: Any) -> None:
        done.append("hash")
        hashed(*given)

    def check(*given: Any, **more: Any) -> None:
        done.append("code")
        looked(*given, **more)

    monkeypatch.setattr(passwords, "verify", verify)
    monkeypatch.setattr(second_factor, "check", check)
    with transaction() as session:
        accounts.by_name(session, "olga").totp_secret = second_factor.new_secret()
    for name, password in (
        ("olga", PASSWORD),
        ("olga", WRONG),
        ("desmond", WRONG),
        ("nobody", WRONG),
    ):
        done.clear()
        typed = {"username": name, "password": password, "code": "000000"}
        assert fill(limited.client(), SIGN_IN, **typed).status_code == 422
        assert done == ["hash", "code"], name


@pytest.mark.browser
def test_a_real_browser_stays_known_after_signing_out(folder: Path, browser: Browser) -> None:
    house = House(folder)
    with house.app.app_context():
        house.apply(toml())
        house.hire()
    house.close()
    with running(folder, EVENTREG_RATE_LIMITS="on") as server:
        page = window(browser, LAPTOP)

        def enter() -> None:
            page.goto(f"{server.address}{SIGN_IN}")
            page.locator("#username").fill("desmond")
            page.locator("#password").fill(PASSWORD)
            follow(page.locator("button.main"))

        enter()
        kind(page, "staff-home")
        follow(page.locator("footer button"))
        kind(page, "staff-sign-in")
        names = {str(cookie.get("name")) for cookie in page.context.cookies()}
        assert any(name.startswith("known-") for name in names)
        stranger = window(browser, LAPTOP)
        stranger.goto(f"{server.address}{SIGN_IN}")
        token = stranger.locator('meta[name="csrf-token"]').get_attribute("content")
        for number in range(21):  # delays the whole network address by 15 minutes
            typed: Any = {
                "csrf_token": str(token),
                "username": f"guess {number}",
                "password": WRONG,
            }
            answer = stranger.request.post(f"{server.address}{SIGN_IN}", form=typed)
        assert answer.status == 429
        enter()
        kind(page, "staff-home")
        stranger.context.close()
        page.context.close()
