"""Whatever is sent: shown escaped, or refused in words with what was typed. Never a server
error."""

import json
import urllib.parse
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventreg.core.models.registration import Registration
from eventreg.storage.session import reading
from eventreg.web import access
from tests.support.factories import PASSWORD, House, toml
from tests.support.pages import Page, book, fill, get, sign_in
from tests.support.tokens import another

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


@pytest.fixture
def roomy(house: House) -> House:
    """Plenty of seats, and everybody hired."""
    house.apply(toml(capacity=90))
    house.hire()
    return house


@pytest.mark.parametrize("text", INERT)
def test_hostile_text_is_a_name_and_stays_text_wherever_it_is_shown(
    roomy: House, text: str
) -> None:
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
        assert "49" not in page.text.replace(text, "") or "{{" not in text


@pytest.mark.parametrize("text", REFUSED)
def test_a_name_that_cannot_be_is_refused_and_kept(roomy: House, text: str) -> None:
    page = Page(fill(roomy.client(), REGISTER, name=text, phone="13800138000"))
    assert (page.status, page.kind) == (422, "register")
    assert page.form("/register").fields["phone"] == "13800138000"


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "name", ["%ED%A0%80", "%E7%8E%8B%ED%A0%80", "%E7%8E%8B%FF", "Anna%FF", "Anna\xff"]
)
def test_a_name_with_bytes_that_are_no_text_is_refused_and_the_rest_is_kept(
    roomy: House, name: str
) -> None:
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
"""What PostgreSQL refuses to look for, what SQLite does, and what Python takes for a digit."""


@pytest.mark.both_databases
@pytest.mark.parametrize("number", NO_ID)
def test_what_no_row_is_numbered_with_leads_to_no_page_and_is_no_choice(
    roomy: House, number: str
) -> None:
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
        f"{desk}/audit?before=",
        f"{desk}/attendees?act=told&done=",
    ):
        assert get(olga, f"{shown}{number}").status == 200
    assert get(olga, f"{desk}/attendees?page={number}").status == 200
    for address, field, answers in (
        ("/door/small/check-ins", "attendee", 404),
        (f"{desk}/telephones", "telephone", 404),
        (f"{desk}/paper", "arrived", 200),
        ("/staff/me/browsers", "browser", 303),
    ):
        sent = {"csrf_token": token, field: urllib.parse.unquote(number)}
        assert olga.post(address, data=sent).status_code == answers, (address, field)


@pytest.mark.both_databases
def test_nul_in_an_address_is_no_page_and_in_a_field_is_something_nobody_is_called(
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
def test_bytes_that_are_no_text_in_a_query_are_a_search_that_finds_nobody(roomy: House) -> None:
    olga = roomy.signed_in("olga")
    for raw in ("q=\xff\xfe", "q=%ED%A0%80", "q=%FF&\xff=\x80"):
        answer = olga.get("/staff/events/small/attendees", environ_overrides={"QUERY_STRING": raw})
        assert answer.status_code == 200, raw


def test_more_than_64_kib_is_413_in_words(roomy: House) -> None:
    client = roomy.client()
    page = Page(client.post(REGISTER, data={"name": "x" * 70_000}))
    assert (page.status, page.kind) == (413, "error")
    assert Page(client.post("/staff/sign-in", data={"username": "x" * 70_000})).status == 413
    assert get(client, "/zh/?" + "x" * 3000).status == 414


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", json.dumps({"name": "x"})),
        ("application/json", "[" * 20_000),
        ("text/plain", "name=x"),
        ("multipart/form-data", "no boundary"),
        (
            "multipart/form-data; boundary=x",
            "--x\r\nContent-Disposition: form-data; name=name\r\n\r\n",
        ),
        ("application/x-www-form-urlencoded", "%%%=&&&=%zz&name[]=1"),
        ("application/x-www-form-urlencoded", "a=1&" * 5000),
        ("", ""),
    ],
)
def test_a_body_of_another_kind_is_refused_quietly(
    roomy: House, content_type: str, body: str
) -> None:
    for address in (REGISTER, "/staff/sign-in", "/staff/welcome/x", "/door/small/check-ins", "/"):
        answer = roomy.client().post(address, data=body, content_type=content_type)
        assert 400 <= answer.status_code < 500, (address, answer.status_code)


@pytest.mark.parametrize(
    "method", ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "PROPFIND", "POST"]
)
def test_a_wrong_method_is_told(roomy: House, method: str) -> None:
    answer = roomy.client().open("/zh/events/small", method=method)
    assert answer.status_code == (200 if method == "OPTIONS" else 405)
    assert "GET" in answer.headers["Allow"]
    assert roomy.client().open("/static/nothing", method=method).status_code < 500


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "", "a b", "[::1", "10.0.0.9:8000", "x" * 300],
)
def test_a_host_that_is_not_ours_is_refused(roomy: House, host: str) -> None:
    assert roomy.client().get("/zh/", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "[::1]:8000", "LOCALHOST:9"])
def test_our_own_hosts_are_served(roomy: House, host: str) -> None:
    assert roomy.client().get("/zh/", headers={"Host": host}).status_code == 200


def test_listening_everywhere_serves_by_address_but_not_by_name(folder: Any) -> None:
    house = House(folder, HOST="0.0.0.0")  # noqa: S104 - what is being tried
    with house.app.app_context():
        assert house.client().get("/zh/", headers={"Host": "192.0.2.7:8000"}).status_code == 200
        assert house.client().get("/zh/", headers={"Host": "evil.example"}).status_code == 400
    house.close()


@pytest.mark.parametrize(
    "path",
    [
        "/T/" + "x" * 1500,
        "/T/%00",
        "/T/%FF%FE",
        "/T/..%2F..%2Fetc%2Fpasswd",
        "/zh/events/%00",
        "/zh/events/../../x",
        "/staff/events/small/registrations/99999999999999999999",
        "/staff/events/small/registrations/-1",
        "/static/../wsgi.py",
        "/static/%2e%2e/wsgi.py",
        "/zh//events",
        "/%E4%B8%AD",
        "/zh/events/small/register/x",
        "/door/small",
        "/staff/welcome/%00",
    ],
)
def test_odd_addresses_are_not_found_or_lead_to_sign_in(roomy: House, path: str) -> None:
    assert roomy.client().get(path).status_code in {303, 308, 404}


@pytest.mark.parametrize(
    "header",
    [
        "Accept-Language",
        "Accept",
        "Cookie",
        "Origin",
        "Sec-Fetch-Site",
        "X-Forwarded-For",
        "Accept-Encoding",
    ],
)
@pytest.mark.parametrize(
    "value", ["\xff\xfe", ";;;q=x,,", "zh;q=999999999999", "s=forged; s=.e30.x; =", "a" * 5000]
)
def test_odd_headers_are_survived(roomy: House, header: str, value: str) -> None:
    for address in ("/", "/zh/", "/staff/"):
        assert roomy.client().get(address, headers={header: value}).status_code < 500


def test_unknown_slugs_are_404_everywhere(roomy: House) -> None:
    olga = roomy.client()
    sign_in(olga, "olga", PASSWORD)
    token = get(olga, "/staff/").form("/sign-out").fields["csrf_token"]
    for rule in roomy.app.url_map.iter_rules():
        if "slug" not in rule.arguments:
            continue
        values: dict[str, Any] = {
            "slug": "nothing",
            "lang": "zh",
            "registration_id": 1,
            "check_in_id": 1,
        }
        with roomy.app.test_request_context():
            path = roomy.app.url_for(
                rule.endpoint, **{name: values[name] for name in rule.arguments}
            )
        if "GET" in (rule.methods or ()):
            assert olga.get(path).status_code == 404, path
        else:
            data = {"csrf_token": token, "name": "x", "phone": "13800138000", "attendee": "1"}
            assert olga.post(path, data=data).status_code == 404, path


SOME_TEXT = st.text(max_size=80) | st.sampled_from(INERT + REFUSED[:8])


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=SOME_TEXT, phone=SOME_TEXT, companion=SOME_TEXT, key=SOME_TEXT)
def test_no_form_whatever_it_holds_is_a_server_error(
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


def every_route(house: House) -> list[tuple[str, str]]:
    """Each method of each route, with values that exist."""
    values = {
        "slug": "small",
        "lang": "zh",
        "registration_id": 1,
        "check_in_id": 1,
        "staff_id": 1,
        "token": "x",
        "filename": "staff/staff.css",
    }
    found = []
    for rule in house.app.url_map.iter_rules():
        with house.app.test_request_context():
            given: dict[str, Any] = {name: values[name] for name in rule.arguments}
            path = house.app.url_for(rule.endpoint, **given)
        found += [
            (method, path) for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"})
        ]
    return found


def test_every_answer_of_every_route_has_every_header(roomy: House) -> None:
    olga: FlaskClient = roomy.client()
    sign_in(olga, "olga", PASSWORD)
    roomy.register("张桂芳")
    for client in (roomy.client(), olga):
        for method, path in every_route(roomy):
            answer = client.open(path, method=method)
            answer.close()
            headers = answer.headers
            assert headers["X-Content-Type-Options"] == "nosniff", path
            assert headers["Referrer-Policy"] == "no-referrer"
            assert headers["X-Frame-Options"] == "DENY"
            assert "default-src 'none'" in headers["Content-Security-Policy"]
            assert "unsafe" not in headers["Content-Security-Policy"]
            assert "Cookie" in headers["Vary"]
            if path.startswith("/static/") or path == "/favicon.ico":
                continue
            assert headers["Cache-Control"] == "no-store", path
    assert get(olga, "/staff/events/small/calls").html.count("?v=") == 1, (
        "one script, and the style inside"
    )


def test_static_files_are_kept_for_ever_only_under_their_version(roomy: House) -> None:
    olga = roomy.client()
    sign_in(olga, "olga", PASSWORD)
    page = get(olga, "/staff/events/small/calls")
    address = next(str(attrs["src"]) for tag, attrs in page.tags if tag == "script")
    kept = roomy.client().get(address)
    assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    kept.close()
    unversioned = roomy.client().get(address.split("?")[0])
    assert unversioned.headers["Cache-Control"] == "no-store"
    unversioned.close()


def test_every_route_says_who_may_use_it(roomy: House) -> None:
    for rule in roomy.app.url_map.iter_rules():
        assert access.need_of(rule.endpoint) is not None, (
            f"{rule.endpoint} needs @anyone or @requires(...)"
        )


def test_unknown_tickets_cannot_be_tried_for_long(roomy: House) -> None:
    roomy.app.extensions["limits"].on = True
    client = roomy.client()
    statuses = [client.get(f"/T/{number:026d}").status_code for number in range(25)]
    assert statuses[:20] == [404] * 20
    assert statuses[20:] == [429] * 5
    assert int(client.get("/T/" + "0" * 26).headers["Retry-After"]) > 0


def test_one_time_links_cannot_be_tried_for_long_by_sending_passwords_either(roomy: House) -> None:
    roomy.app.extensions["limits"].on = True
    client = roomy.client()
    token = get(client, "/staff/sign-in").form().fields["csrf_token"]
    typed = {"csrf_token": token, "username": "eve", "password": PASSWORD}
    statuses = [
        client.post(f"/staff/welcome/{number}", data=typed).status_code for number in range(22)
    ]
    assert statuses == [404] * 20 + [429] * 2


def test_registering_is_limited_per_address_and_keeps_what_was_typed(roomy: House) -> None:
    roomy.app.extensions["limits"].on = True
    client = roomy.client()
    opened = get(client, REGISTER).form("/register").fields
    roomy.now = roomy.now.replace(second=5)
    statuses = []
    for number in range(11):
        typed = {"name": f"王{number}号", "phone": f"138{number:08d}", "confirmed": "yes"}
        answer = client.post(REGISTER, data={**another(opened), **typed})
        statuses.append(answer.status_code)
    assert statuses == [303] * 10 + [429]
    page = Page(answer)
    assert page.kind == "check"
    assert page.form("/register").fields["name"] == "王10号"
    assert reading().query(Registration).count() == 10


def test_a_form_sent_faster_than_anybody_types_is_asked_to_press_again(roomy: House) -> None:
    roomy.app.extensions["limits"].on = True
    client = roomy.client()
    page = Page(fill(client, REGISTER, name="张桂芳", phone="13800138000"))
    assert (page.status, page.kind) == (400, "register")
    roomy.now = roomy.now.replace(second=3)
    assert Page(client.post(REGISTER, data=page.form("/register").fields)).kind == "check"


def test_who_wants_larger_text_at_once_gets_it_and_no_complaint(roomy: House) -> None:
    roomy.app.extensions["limits"].on = True
    page = Page(fill(roomy.client(), f"{REGISTER}?size=largest", show="form"))
    assert (page.status, page.kind) == (200, "register")
    assert 'id="errors"' not in page.html
    assert 'class="largest"' in page.html


def test_who_is_asking_is_believed_only_to_the_configured_proxy(folder: Any) -> None:
    for proxies, statuses in (("0", {404, 429}), ("1", {404})):
        house = House(folder, EVENTREG_TRUSTED_PROXIES=proxies)
        house.app.extensions["limits"].on = True
        client = house.client()
        answers = [
            client.get("/T/x", headers={"X-Forwarded-For": f"192.0.2.{number}"})
            for number in range(25)
        ]
        assert {answer.status_code for answer in answers} == statuses
        house.close()
