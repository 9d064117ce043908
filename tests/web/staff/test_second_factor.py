"""The second factor: turn it on, replace it, turn it off; each needs password and code.

Secrets that are shown once are encrypted in the database, and are not in the cookie.
"""

from datetime import timedelta

import pyotp
import pytest
from flask.testing import FlaskClient

from eventreg.core import audit
from eventreg.core.models.staff import Role, StaffMember, StaffSession
from eventreg.core.staff import accounts, second_factor, sessions
from eventreg.core.values import sealed
from eventreg.storage.session import reading, transaction
from tests.support.factories import LONG_PASSWORD, PASSWORD, House
from tests.support.pages import Page, fill, get, sign_in
from tests.web.staff.test_accounts import change, try_code, with_factor

both = pytest.mark.both_databases
FACTOR, OWN_PASSWORD = "/staff/me/second-factor", "/staff/me/password"


def row(name: str) -> StaffMember:
    """The account as it is now."""
    reading().rollback()
    return accounts.by_name(reading(), name)


def whole(house: House, making: pyotp.TOTP) -> FlaskClient:
    """Olga's browser, signed in with password and code, half a minute later."""
    client = house.client()
    assert try_code(house, making.at(house.now), client) == 303
    house.now += timedelta(seconds=30)
    return client


def send(client: FlaskClient, address: str, **typed: str) -> Page:
    """Send a form of the own page."""
    token = get(client, "/staff/").form("/sign-out").fields["csrf_token"]
    return Page(
        client.post(
            address,
            data={"csrf_token": token, **{k.replace("_", "-"): v for k, v in typed.items()}},
        )
    )


WRONG = [
    ("wrong wrong wrong", "right"),
    (PASSWORD, "000000"),
    ("", "right"),
    (PASSWORD, ""),
    ("", ""),
    ("x", "0"),
]


@both
@pytest.mark.parametrize("act", ["off", "replace", "password"])
def test_changing_password_or_factor_needs_password_and_code(shared: House, act: str) -> None:
    making, codes = with_factor(shared)
    client, mine = whole(shared, making), second_factor.new_secret()
    right, new_code = making.at(shared.now), pyotp.TOTP(mine).at(shared.now)
    typed = {
        "off": {"act": "off"},
        "replace": {"secret": mine, "new_code": new_code},
        "password": {"new_password": LONG_PASSWORD},
    }
    address = OWN_PASSWORD if act == "password" else FACTOR
    before = (row("olga").totp_secret, row("olga").password_hash, row("olga").recovery_digests)
    told = set()
    for password, tried in [*WRONG, ("wrong wrong wrong", codes[0])]:
        code = right if tried == "right" else tried
        page = send(client, address, password=password, code=code, **typed[act])
        told.add((page.status, *(text for text in ("密码或验证码不对。",) if text in page.text)))
    assert told == {(422, "密码或验证码不对。")}, "one answer, whichever was wrong"
    now = row("olga")
    assert (now.totp_secret, now.password_hash, now.recovery_digests) == before
    assert send(client, address, password=PASSWORD, code=right, **typed[act]).status == 303, (
        "no try used the code up"
    )
    now = row("olga")
    assert (now.totp_secret, now.password_hash, now.recovery_digests) != before


def test_a_recovery_code_allows_replacing_the_telephone(shared: House) -> None:
    making, codes = with_factor(shared)
    client = whole(shared, making)
    form = next(form for form in get(client, "/staff/me").forms if "secret" in form.fields)
    mine = pyotp.TOTP(form.fields["secret"])
    typed = {**form.fields, "password": PASSWORD, "code": codes[0], "new-code": "000000"}
    assert client.post(form.action, data=typed).status_code == 422, (
        "the new telephone must have the secret"
    )
    typed["new-code"] = mine.at(shared.now)
    assert client.post(form.action, data=typed).status_code == 303
    assert row("olga").totp_secret == mine.secret
    assert get(client, "/staff/me").html.count('<li class="nowrap" translate="no">') == 8
    assert send(client, FACTOR, password=PASSWORD, code=codes[1], act="off").status == 422, (
        "codes of the old telephone"
    )


def test_turning_on_the_factor_needs_the_password(shared: House, olga: FlaskClient) -> None:
    mine = pyotp.TOTP(second_factor.new_secret())
    for password in ("", "wrong wrong wrong"):
        page = send(olga, FACTOR, secret=mine.secret, code=mine.at(shared.now), password=password)
        assert page.status == 422
        assert page.form("/second-factor").fields["secret"] == mine.secret
        assert "密码不对" in page.text
        assert "密码或验证码" not in page.text, "she was not asked for a code that could be wrong"
    assert row("olga").totp_secret is None
    assert (
        send(olga, FACTOR, secret=mine.secret, code=mine.at(shared.now), password=PASSWORD).status
        == 303
    )


def test_turning_off_is_confirmed_and_a_failure_opens_no_other_form(
    shared: House,
) -> None:
    making, _ = with_factor(shared)
    client = whole(shared, making)
    assert (
        "<details open" not in send(client, FACTOR, act="off", password="wrong", code="000000").html
    )
    mine = second_factor.new_secret()
    assert (
        "<details open"
        in send(client, FACTOR, secret=mine, new_code="1", password="wrong", code="1").html
    )
    assert (
        send(client, FACTOR, act="off", password=PASSWORD, code=making.at(shared.now)).status == 303
    )
    assert "两步验证已经关掉。" in get(client, "/staff/me").text


@pytest.mark.parametrize("address", [FACTOR, OWN_PASSWORD, "other"])
def test_guessing_on_the_own_page_slows_down_this_account_only(
    limited: House, address: str
) -> None:
    making, _ = with_factor(limited)
    olga, desmond = whole(limited, making), limited.signed_in("desmond")
    other = f"/staff/accounts/{row('olga').id}/second-factor"
    typed = {"password": PASSWORD, "code": "000000", "act": "off", "new_password": LONG_PASSWORD}
    pages = [send(olga, other if address == "other" else address, **typed).status for _ in range(8)]
    assert (pages[:5], pages[-1]) == ([422] * 5, 429)
    assert send(desmond, OWN_PASSWORD, password=PASSWORD, new_password=LONG_PASSWORD).status == 303


def link_for(house: House, name: str) -> str:
    """The address of a new one-time link."""
    with transaction() as session:
        member = accounts.by_name(session, name)
        return f"/staff/welcome/{accounts.make_link(session, member, by=house.olga, now=house.now)}"


def in_cookie(house: House, client: FlaskClient) -> dict[str, object]:
    """The contents of the cookie, which its holder can read."""
    kept = client.get_cookie(house.app.config["SESSION_COOKIE_NAME"])
    signer = house.app.session_interface.get_signing_serializer(house.app)  # type: ignore[attr-defined]
    return dict(signer.loads(kept.value)) if kept else {}


def test_no_page_puts_a_secret_into_the_cookie(shared: House) -> None:
    """Visits all staff pages and presses the buttons that create a secret or a message."""
    seen: set[str] = set()

    class Watched(type(shared.client())):  # type: ignore[misc]
        def open(self, *args: object, **kwargs: object) -> object:
            answer = super().open(*args, **kwargs)
            seen.update(in_cookie(shared, self))
            return answer

    shared.app.test_client_class = Watched
    olga = shared.signed_in("olga")
    for rule in shared.app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.rule.startswith(("/staff", "/door")):
            path = (
                rule.rule.replace("<slug>", "small")
                .replace("<int:staff_id>", "2")
                .replace("<token>", "x")
            )
            olga.get(f"{path}?lang=en")
    olga = shared.signed_in("olga")
    form = next(form for form in get(olga, "/staff/accounts").forms if "username" in form.fields)
    assert (
        olga.post(
            "/staff/accounts", data={**form.fields, "username": "dana", "role": "desk"}
        ).status_code
        == 303
    )
    assert change(olga, "desmond", act="link") == 303
    assert "/staff/welcome/" in get(olga, "/staff/accounts?lang=zh").html
    form = get(olga, "/staff/me").form("/second-factor")
    making = pyotp.TOTP(form.fields["secret"])
    typed = {**form.fields, "password": PASSWORD, "code": making.at(shared.now)}
    assert olga.post(form.action, data=typed).status_code == 303
    assert "备用码" in get(olga, "/staff/me").text
    shared.now += timedelta(seconds=30)
    typed = {"password": PASSWORD, "code": making.at(shared.now), "new_password": LONG_PASSWORD}
    assert send(olga, OWN_PASSWORD, **typed).status == 303
    get(olga, "/staff/me")
    dana = shared.client()
    fill(dana, link_for(shared, "dana"), password=LONG_PASSWORD)
    dana.post("/staff/sign-out", data=get(dana, "/staff/").form("/sign-out").fields)
    # "whose" is the id of the account, for forms kept after the session ends.
    assert seen - {"whose"} == {"id", "language", "csrf_token"}


@both
def test_notes_shown_once_are_encrypted_in_the_database(small: House, olga: FlaskClient) -> None:
    elsewhere = small.signed_in("olga")
    assert change(olga, "desmond", act="link") == 303
    stored = reading().query(StaffSession.note).filter(StaffSession.note.is_not(None)).scalar()
    assert len(stored) > 100
    for wrong in ("", "x" * 43):
        assert b"welcome" not in sealed._encrypted(
            wrong, bytes.fromhex(stored)[:16], bytes.fromhex(stored)[16:]
        )
    assert b"welcome" not in bytes.fromhex(stored)
    get(olga, "/staff/me")
    assert "/staff/welcome/" not in get(elsewhere, "/staff/accounts").html, "another browser"
    page = get(olga, "/staff/accounts")
    link = next(str(attrs["value"]) for attrs in page.having("readonly"))
    assert small.client().get(link[link.index("/staff/") :]).status_code == 200
    reading().rollback()
    assert reading().query(StaffSession).filter(StaffSession.note.is_not(None)).count() == 0
    assert "/staff/welcome/" not in get(olga, "/staff/accounts").html, "once"


@both
def test_a_new_password_ends_other_sessions_and_renews_this_one(
    small: House, desmond: FlaskClient
) -> None:
    elsewhere, before = small.signed_in("desmond"), desmond.get_cookie("s")
    assert before is not None
    form = get(desmond, "/staff/me").form("/me/password")
    typed = {**form.fields, "password": PASSWORD, "new-password": LONG_PASSWORD}
    refused = Page(
        desmond.post(form.action, data={**typed, "new-password": "eventreg2030 lecture"})
    )
    assert (refused.status, "太容易猜到" in refused.text) == (422, True)
    assert elsewhere.get("/staff/me").status_code == 200
    assert desmond.post(form.action, data=typed).status_code == 303
    assert "密码已经改好" in get(desmond, "/staff/me").text
    assert "密码已经改好" not in get(desmond, "/staff/me").text
    assert elsewhere.get("/staff/me").status_code == 303
    copied = small.client()
    copied.set_cookie("s", before.value)
    assert copied.get("/staff/me").status_code == 303, "the old id is worth nothing"
    assert sign_in(small.client(), "desmond", PASSWORD).status_code == 422
    assert sign_in(small.client(), "desmond", LONG_PASSWORD).status_code == 303


def test_a_paired_telephone_has_no_password_to_change(small: House) -> None:
    with transaction() as session:
        member = accounts.add(session, "small ☎1", Role.DOOR, by=audit.SYSTEM, now=small.now)
        member.event_id = small.event().id
        token = sessions.open_for(
            session, member, now=small.now, until=small.now + timedelta(hours=1)
        )
    phone = small.client()
    with phone.session_transaction() as cookie:
        cookie["id"] = token
    assert "new-password" not in get(phone, "/staff/me").html
    assert send(phone, OWN_PASSWORD, password="", new_password=LONG_PASSWORD).status == 422
