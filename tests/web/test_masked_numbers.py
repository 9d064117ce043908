"""Masked telephone numbers: what the door finds by digits, and that addresses and logs contain no
name or number."""

import http.client
import re
import sqlite3
import urllib.parse
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect
from pytest import MonkeyPatch

from eventreg.core.desk.attendee_list import Selection, listed
from eventreg.core.search import terms
from eventreg.storage.session import reading
from eventreg.web.limits import limits
from tests.support.factories import PASSWORD, ROOT, House, local, toml
from tests.support.pages import Page, get
from tests.support.servers import Server, running
from tests.support.windows import LAPTOP, window

DOOR, DESK = "/door/small/", "/staff/events/small"
MOBILE, FIXED, FOREIGN = "13857413926", "0574-8765 4321", "+44 20 7946 0018"


@pytest.fixture
def morning(house: House) -> House:
    """Three people: with a mobile, a fixed-line and a foreign number."""
    house.apply(toml(capacity=5))
    house.hire()
    for name, phone in (("张桂芳", MOBILE), ("王建国", FIXED), ("李3", FOREIGN)):
        house.register(name, phone=phone)
    house.now = local("2030-06-10 08:47")
    return house


@pytest.fixture
def dora(morning: House) -> FlaskClient:
    """The volunteer's phone."""
    return morning.signed_in("dora")


def at_door(house: House, query: str) -> list[str]:
    """The names that the door's search finds."""
    asked = Selection(query=query, at_door=True, area_code="0574")
    return [row.name for row in listed(reading(), house.event(), asked)]


@pytest.mark.both_databases
def test_the_door_finds_by_exactly_the_last_four_or_the_whole_number(morning: House) -> None:
    whole = {
        "张桂芳": (
            "3926",
            "13857413926",
            "138 5741 3926",
            "+86 138-5741-3926",
            "8613857413926",
            "１３８５７４１３９２６",
        ),
        "王建国": ("4321", "87654321", "0574 87654321", "(0574) 8765-4321", "+86 574 8765 4321"),
        "李3": ("0018", "+44 20 7946 0018", "442079460018"),
    }
    for name, queries in whole.items():
        for query in queries:
            assert at_door(morning, query) == [name], query


@pytest.mark.both_databases
def test_no_part_of_a_number_finds_anyone_at_the_door(morning: House) -> None:
    """All runs of digits of all numbers, except the allowed ones."""
    codes = {row.code for row in listed(reading(), morning.event(), Selection())}
    meant = {
        "3926",
        "4321",
        "0018",
        "13857413926",
        "8613857413926",
        "057487654321",
        "87654321",
        "57487654321",
        "8657487654321",
        "442079460018",
    }
    for number in ("8613857413926", "8657487654321", "057487654321", "442079460018"):
        pieces = {number[a:b] for a in range(len(number)) for b in range(a + 1, len(number) + 1)}
        for piece in sorted(pieces - meant - codes):
            found = at_door(morning, piece)
            assert found in ([], ["李3"] if piece == "3" else []), piece
            assert at_door(morning, f"zgf {piece}") == [], piece
            assert at_door(morning, f"zhang {piece[0]} {piece[1:]}") == [], piece


def test_names_pinyin_and_codes_are_found_as_before(morning: House, dora: FlaskClient) -> None:
    row = next(
        one for one in listed(reading(), morning.event(), Selection()) if one.name == "张桂芳"
    )
    for query in ("张", "zgf", "zhang guifang", str(row.code), "zgf 3926", f"zhang {row.code}"):
        page = get(dora, f"{DOOR}?q={urllib.parse.quote(query)}")
        assert len(page.having("data-attendee")) == 1, query
        assert "张桂芳" in page.text


def test_the_page_of_the_door_shows_no_one_for_part_of_a_number(
    morning: House, dora: FlaskClient
) -> None:
    form = next(form for form in get(dora, DOOR).forms if form.fields.get("attendee"))
    for piece in ("26", "926", "13926", "413926", "7413926", "zgf 26"):
        page = get(dora, f"{DOOR}?q={urllib.parse.quote(piece)}")
        assert (page.status, len(page.having("data-attendee"))) == (200, 0), piece
        sent = {**form.fields, "attendee": "999", "q": piece}
        assert "data-attendee" not in Page(dora.post(form.action, data=sent)).html, piece


def test_part_of_a_number_is_not_reported_as_unknown(morning: House, dora: FlaskClient) -> None:
    for piece in ("26", "926", "13926"):
        page = get(dora, f"{DOOR}?q={piece}")
        assert "数字请输全" in page.text, piece
        assert "没找到，换个写法再查" not in page.text, piece
    for whole in ("0000", "13800138000", "nobody"):
        assert "没找到，换个写法再查" in get(dora, f"{DOOR}?q={whole}").text, whole


def test_the_search_of_the_desk_finds_parts_of_a_number(
    morning: House, monkeypatch: MonkeyPatch
) -> None:
    """The control. The desk may see whole numbers, which is recorded, so its search finds them."""
    monkeypatch.setattr(terms, "_digits_at_door", lambda word, _: terms._digits(word))
    assert at_door(morning, "26") == ["张桂芳"]
    assert at_door(morning, "13926") == ["张桂芳"]


def test_tries_with_whole_numbers_are_limited(morning: House) -> None:
    dora = morning.signed_in("dora")
    morning.app.extensions["limits"].on = True
    answers = [dora.get(f"{DOOR}?q=138574{number:05}").status_code for number in range(20)]
    assert answers == [200] * 20
    assert dora.get(f"{DOOR}?q={MOBILE}").status_code == 429, "a correct guess has to wait, too"
    assert dora.get(f"{DOOR}?q=3926").status_code == 200, "the last four digits still work"
    assert limits.UNKNOWN_SECRET[0].amount == 20


def test_the_hint_needs_a_post_with_the_token(small: House, desmond: FlaskClient) -> None:
    address = f"{DESK}/registrations/hint"
    assert desmond.get(f"{address}?phone={MOBILE}&name=x").status_code == 405
    assert desmond.post(address, data={"phone": MOBILE}).status_code == 400
    token = {"X-CSRF-Token": get(desmond, f"{DESK}/registrations/new").form().fields["csrf_token"]}
    assert desmond.post(address, data={"phone": MOBILE}, headers=token).status_code == 200
    assert small.client().post(address, data={"phone": MOBILE}).status_code == 401


PEOPLE_SENT = {"name", "phone", "code", "email", "contact", "pinyin", "username", "password"}


def test_no_address_contains_a_name_or_a_number(small: House, desmond: FlaskClient) -> None:
    """No form sends anything about a person by GET except the search, and no script builds such an
    address."""
    small.register("张桂芳", phone=MOBILE)
    olga = small.signed_in("olga")
    for path in (
        DOOR,
        DESK,
        f"{DESK}/attendees",
        f"{DESK}/registrations/new",
        f"{DESK}/registrations/1",
        f"{DESK}/calls",
        f"{DESK}/paper",
        f"{DESK}/duplicates",
        "/staff/accounts",
        "/staff/me",
        "/staff/password",
        "/staff/events/new",
        f"{DESK}/edit",
        "/zh/find",
        "/zh/events/small/register",
    ):
        page = get(olga, path)
        for form in page.forms:
            if form.method != "post":
                assert not form.fields.keys() & PEOPLE_SENT, (path, form)
        addresses = [str(one.get("href")) for one in page.having("href")]
        assert not [one for one in addresses if re.search(r"[?&](name|phone|code|email)=", one)], (
            path
        )
    source = (ROOT / "eventreg" / "web").rglob("*.py")
    asked = {
        field
        for path in source
        for field in re.findall(r"request\.args\.get(?:list)?\(\s*\"([\w-]+)\"", path.read_text())
    }
    assert not asked & PEOPLE_SENT


def ask(
    server: Server, method: str, path: str, body: str = "", **headers: str
) -> tuple[int, str, str]:
    """Send one request. Returns status, cookie and text."""
    place = urllib.parse.urlsplit(server.address)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=30)
    form = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
    connection.request(method, path, body or None, {**form, **headers})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    cookies = [one for one in answer.headers.get_all("Set-Cookie") or [] if one.startswith("s=")]
    return answer.status, "".join(cookies).partition(";")[0], text


@contextmanager
def without_a_table(folder: Path) -> Iterator[None]:
    """Break the database for a while, so that the server writes to its log."""
    with closing(sqlite3.connect(folder / "eventreg.sqlite3")) as connection:
        connection.execute("ALTER TABLE gifts RENAME TO gone")
        connection.commit()
        yield
        connection.execute("ALTER TABLE gone RENAME TO gifts")
        connection.commit()


def token_of(text: str) -> str:
    """The form token of a page."""
    found = re.search(r'name="csrf-token" content="([^"]+)"', text)
    assert found
    return found[1]


@pytest.mark.browser
def test_a_real_server_writes_no_query_into_its_log(folder: Path, browser: Browser) -> None:
    house = House(folder)
    with house.app.app_context():
        house.apply(toml())
        house.hire()
    house.close()
    name, written = "Zhangguifangova", MOBILE
    query = urllib.parse.urlencode({"q": name, "phone": written})
    with running(folder) as server:
        _, cookie, text = ask(server, "GET", "/staff/sign-in")
        typed = {"csrf_token": token_of(text), "username": "desmond", "password": PASSWORD}
        _, cookie, _ = ask(
            server, "POST", "/staff/sign-in", urllib.parse.urlencode(typed), Cookie=cookie
        )
        signed = {"Cookie": cookie}
        for path in (
            f"{DOOR}?{query}",
            f"{DESK}/attendees?{query}",
            f"{DESK}/nothing?{query}",
            f"{DESK}/attendees?page=x&{query}",
        ):
            assert ask(server, "GET", path, **signed)[0] < 500
        for path in (
            f"{DESK}/attendees?{query}",
            f"/zh/nothing?{query}",
            f"/zh/find?{query}",
            f"/?{query}&{'x' * 3000}",
        ):
            assert ask(server, "GET", path)[0] < 500
        assert ask(server, "PUT", f"{DESK}/attendees?{query}", **signed)[0] == 405
        assert ask(server, "GET", f"{DOOR}?{query}", Host="evil.example")[0] == 400
        with without_a_table(folder):
            assert ask(server, "GET", f"{DESK}/attendees?{query}", **signed)[0] == 503
        page = window(browser, LAPTOP)
        page.context.add_cookies(
            [{"name": "s", "value": cookie.partition("=")[2], "url": server.address}]
        )
        page.goto(f"{server.address}{DESK}/registrations/new")
        with page.expect_response(re.compile("/hint")) as answered:
            page.locator("#phone").fill(written)
        assert (answered.value.status, answered.value.request.method) == (200, "POST")
        assert written not in answered.value.url
        page.locator("#name").fill("乐嘉音")
        expect(page.locator("#pinyin")).to_have_value("yue jia yin")
        page.context.close()
        log = Path(f"{folder}-{urllib.parse.urlsplit(server.address).port}.log")
        said = log.read_text()
    assert "in desk.listed" in said, "the log has lines"
    for secret in (name, written, name.casefold(), "%E4", "q="):
        assert secret not in said
