"""Checks on every request and answer: host, method, body, headers and permission."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from eventreg.web import access
from tests.support.factories import PASSWORD, House
from tests.support.houses import with_seats
from tests.support.pages import Page, get, sign_in

REGISTER = "/zh/events/small/register"
roomy = with_seats(90, staff=True)


def test_more_than_64_kib_is_refused_with_a_sentence(roomy: House) -> None:
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
def test_a_body_of_another_type_is_refused(roomy: House, content_type: str, body: str) -> None:
    for address in (REGISTER, "/staff/sign-in", "/staff/welcome/x", "/door/small/check-ins", "/"):
        answer = roomy.client().post(address, data=body, content_type=content_type)
        assert 400 <= answer.status_code < 500, (address, answer.status_code)


@pytest.mark.parametrize(
    "method", ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "PROPFIND", "POST"]
)
def test_a_wrong_method_is_refused(roomy: House, method: str) -> None:
    answer = roomy.client().open("/zh/events/small", method=method)
    assert answer.status_code == (200 if method == "OPTIONS" else 405)
    assert "GET" in answer.headers["Allow"]
    assert roomy.client().open("/static/nothing", method=method).status_code < 500


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "", "a b", "[::1", "10.0.0.9:8000", "x" * 300],
)
def test_a_foreign_host_is_refused(roomy: House, host: str) -> None:
    assert roomy.client().get("/zh/", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "[::1]:8000", "LOCALHOST:9"])
def test_our_own_hosts_are_served(roomy: House, host: str) -> None:
    assert roomy.client().get("/zh/", headers={"Host": host}).status_code == 200


def test_listening_on_all_addresses_serves_them_but_no_foreign_name(folder: Any) -> None:
    house = House(folder, HOST="0.0.0.0")  # noqa: S104 - the subject of this test
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
def test_malformed_headers_cause_no_server_error(roomy: House, header: str, value: str) -> None:
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
            "gift_id": 1,
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


def every_route(house: House) -> list[tuple[str, str]]:
    """Each method of each route, with existing values."""
    values = {
        "slug": "small",
        "lang": "zh",
        "registration_id": 1,
        "check_in_id": 1,
        "gift_id": 1,
        "staff_id": 1,
        "token": "x",
        "filename": "staff.css",
        "version": "x",
        "name": "main.js",
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
            if path.startswith("/static/") or path in {"/favicon.ico", "/door/worker.js"}:
                continue
            # The empty form is kept by the browser itself, so that Back shows what was typed.
            # The numbers of the door are kept, so that the browser can ask whether they changed.
            kept = {"private, no-cache"} if path.endswith(("/register", "/live.json")) else set()
            if path.endswith(("/events.ics", "/events.json")):  # public facts, for other programs
                kept = {"public, max-age=60"}
            assert headers["Cache-Control"] in {"no-store", *kept}, path
    assert get(olga, "/staff/events/small/calls").html.count("?v=") == 1, (
        "one script; the style is inline"
    )


def test_static_files_are_cached_only_under_their_version(roomy: House) -> None:
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
