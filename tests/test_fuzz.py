"""Every route with whatever anybody could send, in each place of the request: never a server error (promise P11). Routes, their
arguments and their fields are found here, not listed, so that a new one is tried from its first day."""

import random
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from eventreg import pdf
from eventreg.core import checkin, events, registrations, tickets
from eventreg.core.staff_models import StaffMember
from eventreg.db import reading
from tests.factories import PASSWORD, SECRET, House, local, toml, usual_hash
from tests.odd import HEADERS, ODD, WORST, Place, Sender, Watch, forms_of
from tests.pages import Page, get
from tests.proofs.conftest import WHOLE

REQUESTS = 1_500 if WHOLE else 300
GOOD = {"name": "王小明", "phone": "13800138000", "confirmed": "yes", "password": PASSWORD}
"""What a field holds if no page says so; any other is 1."""
MANY = 20
"""Fields of a form beyond which, in the short round, each is tried with one value."""


class Walk:
    """A house with people in it, whatever can be asked of it, and what was answered."""

    def __init__(self, house: House) -> None:
        self.house, self.watch = house, Watch(house)
        self.answered: Counter[int] = Counter()
        self.failed: list[str] = []
        house.app.testing = False  # a fault is to become the page that a guest would see
        house.apply(toml(capacity=500, more="[waitlist]\nopen = true"))
        house.hire()
        house.now = local("2030-06-10 08:40")
        self.nobody, self.olga = Sender(house), Sender(house, self._sign_in)
        self.places = [place for rule in house.app.url_map.iter_rules() for place in self._of_rule(rule)]
        self._learn()
        reading().rollback()  # a transaction that idles is ended by PostgreSQL

    def _sign_in(self) -> tuple[str, str]:
        """Olga's cookie and token, also after somebody has changed her password or role."""
        with self.house.writing() as session:
            member = session.get_one(StaffMember, self.house.olga.staff_id)
            member.password_hash, member.totp_secret = usual_hash(), None
            member.role, member.disabled_at = "organiser", None
        client = self.house.signed_in("olga")
        reading().rollback()
        cookie = client.get_cookie("s")
        assert cookie is not None
        return f"s={cookie.value}", get(client, "/staff/").form("/sign-out").fields["csrf_token"]

    def _of_rule(self, rule: Rule) -> Iterator[Place]:
        """The route with what exists: a registration of its own, an arrival, an account, a ticket."""
        made = self.house.register("张桂芳")
        with self.house.writing() as session:
            person = registrations.party(session, registrations.get(session, made.id))[0]
            event, by, now = events.get(session, "small"), self.house.dora, self.house.now
            arrival = checkin.check_in(session, event, attendee_of(person), anyway=True, by=by, now=now)
            checkin.undo(session, event, arrival.check_in_id, by=by, now=now)
        known = {"slug": "small", "lang": "zh", "filename": "staff.css", "check_in_id": str(arrival.check_in_id)}
        known["staff_id"] = str(self.house.dora.staff_id)
        token = tickets.token(SECRET, made.ticket_seed)
        numbered = set(re.findall(r"<(?:id|int):(\w+)>", rule.rule))
        given = {name: known.get(name, str(made.id) if name in numbered else token) for name in rule.arguments}
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Place(rule, method, given)

    def _learn(self) -> None:
        """Find the fields of each route, in the forms that pages show and in what the views ask for."""
        shown: dict[tuple[str, str], dict[str, str]] = {}
        for place in sorted(self.places, key=lambda place: place.method):
            path = place.path().decode()
            place.fields = dict(shown.get((place.method, path), {}))
            answer = self.olga.send(place)
            for method, action, fields in forms_of(Page(answer)) if answer.mimetype == "text/html" else ():
                target = re.split("[?#]", action)[0] or path
                shown[method, target] = fields | shown.get((method, target), {})
        for place in self.places:
            read = {name: GOOD.get(name, "1") for name in self.watch.read.get(place.rule.endpoint, ())}
            place.fields = {**read, **shown.get((place.method, place.path().decode()), {})}
            place.fields.pop("csrf_token", None)

    def note(self, answer: Response, *asked: object) -> None:
        """Count the answer, and keep what must not be."""
        self.answered[answer.status_code] += 1
        if answer.status_code >= 500:
            self.failed.append(f"{answer.status_code}: {' '.join(str(what)[:60] for what in asked)}")


def attendee_of(person: object) -> str:
    """What a form of the door calls this person."""
    return str(getattr(person, "opaque_id", None) or person.id)  # type: ignore[attr-defined]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """One walk on each database, since learning the routes takes seconds. A PDF, which takes two, cannot be made here."""
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
    """The same, with nothing noted yet."""
    opened.failed, opened.answered = [], Counter()
    return opened


def odd_for(place: int, most: int = 9) -> Sequence[bytes]:
    """What is put into that place: everything, or in the short round the worst and one other in turn."""
    return ODD if WHOLE else [ODD[place % len(ODD)], *WORST][:most]


def test_no_address_whatever_stands_in_it_is_a_server_error(walk: Walk) -> None:
    positions = [(place, argument) for place in walk.places for argument in place.arguments]
    for number, (place, argument) in enumerate(positions):
        for odd in odd_for(number):
            for who in (walk.nobody, walk.olga):
                answer = who.ask(place.method, place.path(**{argument: odd}))
                walk.note(answer, place.method, place.rule.rule, argument, odd)
                assert answer.status_code in REFUSING or odd not in WORST, (place.path(**{argument: odd}), answer)
    assert len(positions) > 60
    assert walk.failed == []
    assert walk.answered.keys() >= {303, 401, 404}, "of a stranger and of somebody who is signed in"


REFUSING = {303, 308, 400, 401, 404, 405}


def test_no_field_whatever_it_holds_is_a_server_error(walk: Walk) -> None:
    for place in walk.places:
        for number, name in enumerate(sorted(place.fields)):
            for odd in odd_for(number, 1 if len(place.fields) > MANY else 9):
                walk.note(walk.olga.send(place, **{name: odd}), place.method, place.rule.rule, name, odd)
    assert walk.failed == []
    assert walk.answered.keys() >= {200, 303, 400, 404, 409, 422}, "every kind of answer was seen"
    known = {(place.method, place.rule.endpoint): place.fields.keys() for place in walk.places}
    assert known["POST", "registering.send"] >= {"name", "phone", "companion-1", "form_key", "waitlist"}
    assert known["GET", "desk.listed"] >= {"q", "state", "sort", "page", "done"}, "also what no page's form shows"


def test_no_header_query_or_kind_of_body_is_a_server_error(walk: Walk) -> None:
    for number, place in enumerate(walk.places):
        path = place.path()
        for odd in odd_for(number, 2):
            headers = {f"HTTP_{name}": odd for name in HEADERS if name not in {"HOST", "COOKIE", "X_CSRF_TOKEN"}}
            walk.note(walk.olga.ask(place.method, path, **headers), place.method, path, "headers", odd)
            walk.note(walk.olga.ask(place.method, path, odd + b"=" + odd), place.method, path, "query", odd)
        if place.method == "POST":
            for kind, body in BODIES:
                answer = walk.olga.ask("POST", path, body=body, CONTENT_TYPE=kind)
                walk.note(answer, place.method, path, kind, body)
    for name in HEADERS:
        for odd in ODD:
            for method, path in (("GET", b"/"), ("GET", b"/staff/"), ("POST", b"/staff/sign-in")):
                walk.note(walk.nobody.ask(method, path, **{f"HTTP_{name}": odd}), method, path, name, odd)
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


def test_nothing_that_is_thrown_together_is_a_server_error(walk: Walk) -> None:
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
