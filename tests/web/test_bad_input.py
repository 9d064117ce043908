"""Hostile and malformed input is shown escaped, or refused with a sentence. None of it causes a
server error."""

import urllib.parse

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.factories import PASSWORD, House
from tests.support.houses import with_seats
from tests.support.pages import Page, book, fill, get, sign_in

REGISTER = "/zh/events/small/register"


INERT = [
    "<script>alert(1)</script>",
    "{{7*7}}x",
    "=A1+1",
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE events; --",
    "%s%n",
    "${7*7}x",
]


REFUSED = [
    "",
    "\x00",
    "张\x00三",
    "张\u202e三",
    "张\u2067三",
    "\x1b[2J",
    "a\nb",
    "\ufffe",
    "9" * 10_000,
    "x" * 500,
    "👨‍👩‍👧" * 41,
]
roomy = with_seats(90, staff=True)


@pytest.mark.parametrize("text", INERT)
def test_a_hostile_name_is_shown_as_text_on_every_page(roomy: House, text: str) -> None:
    guest, olga = roomy.client(), roomy.client()
    sign_in(olga, "olga", PASSWORD)
    answer = book(guest, name=text, companion_1=f"{text}!", phone="13800138000")
    assert answer.status_code == 303
    shown = [get(guest, answer.headers["Location"])]
    desk = "/staff/events/small"
    for path in (
        desk,
        f"{desk}/attendees",
        f"{desk}/registrations/1",
        f"{desk}/check-in-list",
        "/door/small/",
    ):
        shown.append(get(olga, path))
    shown.append(
        get(olga, f"{desk}/attendees?q=" + "".join(f"%{byte:02x}" for byte in text.encode()))
    )
    for page in shown:
        assert page.status == 200
        assert text in page.text, page.kind
        assert "<script>alert" not in page.html
        assert "<img" not in page.html
        assert "49x" not in page.text, "{{7*7}}x is shown, and not computed"


@pytest.mark.parametrize("text", REFUSED)
def test_an_impossible_name_is_refused_and_the_input_is_kept(roomy: House, text: str) -> None:
    page = Page(fill(roomy.client(), REGISTER, name=text, phone="13800138000"))
    assert (page.status, page.kind) == (422, "register")
    assert page.form("/register").fields["phone"] == "13800138000"


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "name", ["%ED%A0%80", "%E7%8E%8B%ED%A0%80", "%E7%8E%8B%FF", "Anna%FF", "Anna\xff"]
)
def test_a_name_that_is_not_utf_8_is_refused_and_the_rest_is_kept(roomy: House, name: str) -> None:
    client = roomy.client()
    fields = get(client, REGISTER).form("/register").fields | {"phone": "13800138000"}
    rest = urllib.parse.urlencode(
        {field: value for field, value in fields.items() if field != "name"}
    )
    body = f"{rest}&confirmed=yes&name={name}".encode("latin-1")
    page = Page(client.post(REGISTER, data=body, content_type="application/x-www-form-urlencoded"))
    assert (page.status, page.kind) == (422, "register")
    kept = page.form("/register").fields
    assert ("\ufffd" in kept["name"], kept["phone"]) == (True, "13800138000")


NO_ID = [
    "0",
    "-1",
    "01",
    "2147483648",
    "9223372036854775808",
    "9" * 25,
    "²",
    "１",
    "٣",
    "1.0",
    "%201",
]
"""Too large for PostgreSQL, too large for SQLite, and digits to Python only."""


@pytest.mark.both_databases
@pytest.mark.parametrize("number", NO_ID)
def test_an_impossible_row_number_is_not_found(roomy: House, number: str) -> None:
    olga = roomy.signed_in("olga")
    token = get(olga, "/staff/").form("/sign-out").fields["csrf_token"]
    desk = "/staff/events/small"
    assert get(olga, f"{desk}/registrations/{number}").status == 404
    assert (
        olga.post(
            f"/staff/accounts/{number}", data={"csrf_token": token, "act": "lock"}
        ).status_code
        == 404
    )
    for shown in (
        "/door/small/?done=",
        "/door/small/gifts?done=",
        "/door/small/gifts?owed=",
        f"{desk}/audit?before=",
        f"{desk}/attendees?act=told&done=",
    ):
        assert get(olga, f"{shown}{number}").status == 200
    assert get(olga, f"{desk}/attendees?page={number}").status == 200
    for address, field, answers in (
        ("/door/small/check-ins", "attendee", 404),
        ("/door/small/gifts", "attendee", 404),
        ("/door/small/gifts/owed", "attendee", 404),
        (f"{desk}/owed-gifts", "attendee", 404),
        (f"{desk}/telephones", "door", 404),
        (f"{desk}/paper", "arrived", 200),
        ("/staff/me/browsers", "browser", 303),
    ):
        sent = {"csrf_token": token, field: urllib.parse.unquote(number)}
        assert olga.post(address, data=sent).status_code == answers, (address, field)


@pytest.mark.both_databases
def test_nul_in_an_address_is_not_found_and_in_a_field_is_refused(
    roomy: House,
) -> None:
    olga = roomy.signed_in("olga")
    for address in (
        "/zh/events/%00",
        "/zh/events/sm%00all/register",
        "/staff/events/%00/attendees",
        "/T/%00",
        "/%00",
    ):
        assert get(olga, address).status == 404, address
    answer = sign_in(roomy.client(), "ol\x00ga", PASSWORD)
    assert (answer.status_code, Page(answer).form("/sign-in").fields["username"]) == (
        422,
        "ol\ufffdga",
    )
    for address in (
        "/staff/events/small/attendees?q=",
        "/door/small/?q=",
        "/staff/events/new?date=2030-07-01&from=",
    ):
        assert get(olga, f"{address}%00").status in {200, 404, 422}, address
    token = get(olga, "/staff/").form("/sign-out").fields["csrf_token"]
    invited = {"csrf_token": token, "username": "e\x00ve", "role": "desk"}
    page = Page(olga.post("/staff/accounts", data=invited))
    assert (page.status, page.kind) == (422, "staff-accounts")


@pytest.mark.both_databases
def test_a_search_that_is_not_utf_8_finds_no_one(roomy: House) -> None:
    olga = roomy.signed_in("olga")
    for raw in ("q=\xff\xfe", "q=%ED%A0%80", "q=%FF&\xff=\x80"):
        answer = olga.get("/staff/events/small/attendees", environ_overrides={"QUERY_STRING": raw})
        assert answer.status_code == 200, raw


SOME_TEXT = st.text(max_size=80) | st.sampled_from(INERT + REFUSED[:8])


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=SOME_TEXT, phone=SOME_TEXT, companion=SOME_TEXT, key=SOME_TEXT)
def test_no_content_of_a_form_is_a_server_error(
    roomy: House, name: str, phone: str, companion: str, key: str
) -> None:
    client = roomy.client()
    fields = get(client, REGISTER).form("/register").fields
    typed = {
        "name": name,
        "phone": phone,
        "companion-1": companion,
        "form_key": key,
        "confirmed": "yes",
    }
    answer = client.post(
        REGISTER, data={k: v.encode("utf-8", "replace") for k, v in {**fields, **typed}.items()}
    )
    assert answer.status_code in {303, 409, 422}
