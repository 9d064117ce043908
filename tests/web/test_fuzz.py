"""Send malformed values in each part of a request to every route: none may cause a server error.

Routes, arguments and fields are discovered, not listed, so that a new one is tested at once.
"""

import random
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from eventreg import pdf
from tests.proofs.conftest import WHOLE
from tests.support.factories import House
from tests.support.odd import HEADERS, ODD, WORST, Place
from tests.support.walk import Walk

REQUESTS = 1_500 if WHOLE else 300
MANY = 20
"""In short rounds, a form with more fields than this is tried with one value for each."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"] if WHOLE else ["postgresql"])
def opened(
    request: pytest.FixtureRequest, migrated: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Walk]:
    """One walk for each database, as discovering the routes takes seconds. Short rounds run on
    PostgreSQL, which refuses more. PDFs are disabled."""
    folder = tmp_path_factory.mktemp("walk")
    shutil.copy(migrated, folder)
    cluster = request.getfixturevalue("cluster") if request.param == "postgresql" else None
    environment = {"EVENTREG_DATABASE_URL": cluster.create("walk", "migrated")} if cluster else {}
    house = House(folder, **environment)
    with house.app.app_context(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(pdf, "_PROGRAM", ("-c", "import sys; sys.exit(3)"))
        yield Walk(house)
    house.close()
    if cluster:
        cluster.drop("walk")


@pytest.fixture
def walk(opened: Walk) -> Walk:
    """The walk, with an empty record."""
    opened.failed, opened.answered = [], Counter()
    return opened


def odd_for(place: int, most: int = 2) -> Sequence[bytes]:
    """The values for that place: all of them, or in short rounds NUL with half a character and one
    other in turn."""
    return (
        ODD if WHOLE else [WORST[0], [*WORST[1:], *ODD][place % (len(WORST) - 1 + len(ODD))]][:most]
    )


def test_no_address_is_a_server_error(walk: Walk) -> None:
    positions = [(place, argument) for place in walk.places for argument in place.arguments]
    for number, (place, argument) in enumerate(positions):
        for odd in odd_for(number):
            for who in (walk.nobody, walk.olga):
                answer = who.ask(place.method, place.path(**{argument: odd}))
                walk.note(answer, place.method, place.rule.rule, argument, odd)
                assert answer.status_code in REFUSING or odd not in WORST, (
                    place.path(**{argument: odd}),
                    answer,
                )
    assert len(positions) > 60
    assert walk.failed == []
    assert walk.answered.keys() >= {303, 401, 404}, "answers to a stranger and to staff"


REFUSING = {303, 308, 400, 401, 404, 405}


def test_no_field_value_is_a_server_error(walk: Walk) -> None:
    for place in walk.places:
        for number, name in enumerate(sorted(place.fields)):
            for odd in odd_for(number, 1 if len(place.fields) > MANY else 2):
                walk.note(
                    walk.olga.send(place, **{name: odd}), place.method, place.rule.rule, name, odd
                )
    assert walk.failed == []
    assert walk.answered.keys() >= {200, 303, 400, 404, 409, 422}, "each kind of answer occurred"
    known = {(place.method, place.rule.endpoint): place.fields.keys() for place in walk.places}
    assert known["POST", "register.send"] >= {
        "name",
        "phone",
        "companion-1",
        "waitlist",
    }
    assert known["GET", "desk.listed"] >= {"q", "state", "sort", "page"}, (
        "also fields that no form shows"
    )


def test_no_header_query_or_body_type_is_a_server_error(walk: Walk) -> None:
    for number, place in enumerate(walk.places):
        path = place.path()
        for odd in odd_for(number, 1 + number % 2):
            headers = {
                f"HTTP_{name}": odd
                for name in HEADERS
                if name not in {"HOST", "COOKIE", "X_CSRF_TOKEN"}
            }
            walk.note(
                walk.olga.ask(place.method, path, **headers), place.method, path, "headers", odd
            )
            walk.note(
                walk.olga.ask(place.method, path, odd + b"=" + odd),
                place.method,
                path,
                "query",
                odd,
            )
        if place.method == "POST":
            for kind, body in BODIES if WHOLE else [BODIES[number % len(BODIES)]]:
                answer = walk.olga.ask("POST", path, body=body, CONTENT_TYPE=kind)
                walk.note(answer, place.method, path, kind, body)
    for name in HEADERS:
        for odd in ODD if WHOLE else WORST:
            for method, path in (("GET", b"/"), ("GET", b"/staff/"), ("POST", b"/staff/sign-in")):
                walk.note(
                    walk.nobody.ask(method, path, **{f"HTTP_{name}": odd}), method, path, name, odd
                )
    assert walk.failed == []


_PART = b'--x\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n%s\r\n--x--\r\n'
BODIES = [
    (b"multipart/form-data", b"no boundary"),
    (b"multipart/form-data; boundary=\xff\x00", b"--\xff\x00\r\n"),
    (b"multipart/form-data; boundary=x", _PART % (b"file", b"\x00\xed\xa0\x80", b"\x00")),
    (b"multipart/form-data; boundary=x", _PART % (b"\x00\xed\xa0\x80", b"a.csv", b"\xff")),
    (b"application/json", b'{"attendee": "\\ud800\\u0000", "acts": [9999999999999999999999999]}'),
    (b"application/json; charset=\xff", b"\xff\xfe"),
    (b"application/x-www-form-urlencoded; charset=utf-16", b"%00=%00&&=&%zz=\x00\xff"),
]


def test_no_random_request_is_a_server_error(walk: Walk) -> None:
    dice = random.Random(2030)
    every = sorted({name for place in walk.places for name in place.fields})
    for number in range(REQUESTS):
        place = dice.choice(walk.places)
        sent = {dice.choice(every): dice.choice(ODD) for _ in range(dice.randrange(9))}
        method = dice.choice(sorted(place.rule.methods or ()))
        place = Place(place.rule, "POST" if method == "POST" else "GET", place.arguments)
        walk.note(walk.olga.send(place, **sent), method, place.rule.rule, sent)
        if number % 100 == 0:
            walk.house.now += timedelta(minutes=5)
    assert walk.failed == []
