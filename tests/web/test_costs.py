"""The cost of a request grows linearly with its length.

While Python is inside one call, such as the normalisation of accents, no other thread of the
server runs, so one slow call would block all guests.
"""

import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar

from flask.testing import FlaskClient
from flask.wrappers import Request
from werkzeug.datastructures import ImmutableMultiDict

from eventreg.core.registration import tickets
from eventreg.core.values import normal_form
from tests.proofs.conftest import WHOLE
from tests.support.factories import ROOT, SECRET, House, toml
from tests.support.pages import Form, get

MOST = 0.3
"""Seconds of processor time. Unordered accents once took 0.95; the slowest ordinary page takes
0.1."""
LONGEST = 60_000
"""Bytes in one field; a form may have 64 KiB."""


def long(piece: str) -> str:
    """Repeat a text as often as it fits into a field."""
    return piece * (LONGEST // len(piece.encode()))


ACCENTS = long("\u0301\u0316")
SHORT = {"accents in disorder": ACCENTS, "spaces": f"a{long(' ')}b"}
MORE = {
    "digits": long("9"),
    "joiners": f"a{long(chr(0x200D))}b",
    "dots": long(" ·"),
    "commas": long(","),
    "brackets": long("("),
    "families": long("👨‍👩‍👧"),
    "ligatures of 18 letters": long("\ufdfa"),
    "at signs": long("a@"),
    "points": "a@" + long("a."),
    "lines": long("\n"),
    "per cents": long("%"),
    "backslashes": long("\\"),
    "names": long("曾"),
    "quotation marks": long('"'),
    "lists": long("["),
}
DESK = "/staff/events/small"
STAFFS = (
    f"{DESK}/registrations/new",
    f"{DESK}/registrations/1",
    f"{DESK}/calls?anyway=yes",
    f"{DESK}/paper",
    f"{DESK}/edit",
    f"{DESK}/telephones",
    f"{DESK}/forget",
    "/staff/accounts",
    "/staff/me",
    "/staff/password",
    "/staff/events/new?from=small&date=2030-07-08",
    "/door/small/",
    "/door/small/gifts",
)
LEFT_OUT = ("/sign-out", "/erase", "/second-factor")
"""Forms that would end the session, or need no input."""


class Recording(ImmutableMultiDict[str, str]):
    """A form that records which of its fields were read."""

    asked: ClassVar[set[str]] = set()

    def __contains__(self, key: object) -> bool:
        """Record the field."""
        self.asked.add(str(key))
        return super().__contains__(key)

    def get(self, key, *args, **kwargs):  # type: ignore[no-untyped-def]
        """Record the field."""
        self.asked.add(str(key))
        return super().get(key, *args, **kwargs)

    def getlist(self, key, *args, **kwargs):  # type: ignore[no-untyped-def]
        """Record the field."""
        self.asked.add(str(key))
        return super().getlist(key, *args, **kwargs)


class Recorded(Request):
    """A request whose forms record what was read."""

    parameter_storage_class = Recording


FILLED = {"name": "李桂英", "phone": "13900139000", "username": "eve", "code": "1234"}
"""Fields without which a view would not read the others."""


def forms(client: FlaskClient, pages: Iterable[str]) -> Iterator[Form]:
    """Every form of these pages that is sent by POST, filled in."""
    seen = set()
    for page in pages:
        for form in get(client, page).forms:
            form.action = form.action.split("#")[0] or page.split("?")[0]
            known = (form.action, tuple(form.fields))
            if form.method == "post" and known not in seen and not form.action.endswith(LEFT_OUT):
                seen.add(known)
                empty = {name for name, value in form.fields.items() if not value}
                form.fields |= {name: value for name, value in FILLED.items() if name in empty}
                yield form


def cost(client: FlaskClient, form: Form, /, **typed: str) -> float:
    """Seconds of processor time to send the form, which must be answered."""
    filled = {**form.fields, **typed}
    began = time.thread_time()
    answer = client.post(form.action, data=filled, content_type="multipart/form-data")
    took = time.thread_time() - began
    assert answer.status_code < 500, (form.action, typed.keys())
    assert answer.status_code != 413, "the field must be read"
    return took


def fields_of(client: FlaskClient, form: Form) -> list[str]:
    """The form's fields, and those that the view reads; in short rounds a tenth of a long form."""
    Recording.asked = set()
    cost(client, form)
    found = sorted(Recording.asked | set(form.fields) - {"csrf_token", "form_key"})
    return found if len(found) < 30 or WHOLE else found[::10]


def test_no_form_field_costs_more_than_linear_time(house: House) -> None:
    house.apply(toml(capacity=900))
    house.hire()
    path = f"/T/{tickets.token(SECRET, house.register('张桂芳', '王建国').ticket_seed)}"
    house.app.request_class = Recorded
    values = {**SHORT, **MORE} if WHOLE else SHORT
    slow, tried = [], set()
    own = ("/zh/events/small/register", "/zh/find", f"{path}/change", f"{path}/cancel")
    guests = (*own, "/staff/sign-in")
    for client, pages in ((house.client(), guests), (house.signed_in("olga"), STAFFS)):
        for form in list(forms(client, pages)):
            for field in fields_of(client, form):
                tried.add(field)
                for kind, value in values.items():
                    took = cost(client, form, **{field: value})
                    if took > MOST:  # again, because the first one may import modules
                        took = cost(client, form, **{field: value})
                    if took > MOST:
                        slow.append((form.action, field, kind, round(took, 2)))
    assert slow == []
    assert tried >= {"name", "phone", "companion-1", "pinyin", "code", "username", "password"}
    assert tried >= {"contact", "email"}


HEADERS = (
    *("Accept", "Accept-Language", "Accept-Encoding", "Cookie", "Content-Type"),
    *("If-None-Match", "Range", "Origin"),
)
PIECES = (
    *(";", ",", "=", '"', "\\", " ", "a;", "a=b;", "a,"),
    *(";q=1,", "\t", "*", "-", "a/b;", 'a="b\\"; '),
)


def quickest(ask: Callable[[], None]) -> float:
    """The least processor time of up to three tries, because the first may import modules."""
    best = MOST * 2
    for _ in range(3):
        began = time.thread_time()
        ask()
        best = min(best, time.thread_time() - began)
        if best <= MOST:
            break
    return best


def test_no_header_costs_more_than_linear_time(house: House) -> None:
    house.apply(toml())
    client, slow = house.client(), []
    for header in HEADERS:
        for piece in PIECES:
            sent = "text/html;a=" * (header == "Content-Type") + piece * (8_000 // len(piece))

            def ask(header: str = header, sent: str = sent) -> None:
                answer = client.open("/zh/events/small", headers={header: sent})
                answer.close()
                assert answer.status_code < 500

            if quickest(ask) > MOST:
                slow.append((header, piece))
    assert slow == []


def test_the_search_costs_no_more_than_linear_time(house: House) -> None:
    house.apply(toml())
    house.hire()
    olga, slow = house.signed_in("olga"), []
    for page in ("/door/small/", f"{DESK}/attendees"):
        for kind, value in {**SHORT, **MORE}.items():
            asked = {"q": value.encode()[:600].decode(errors="ignore")}

            def ask(page: str = page, asked: dict[str, str] = asked) -> None:
                assert olga.get(page, query_string=asked).status_code == 200

            if quickest(ask) > MOST:
                slow.append((page, kind))
    assert slow == []


def test_only_the_linear_normalizer_is_used() -> None:
    ours = (ROOT / "eventreg").rglob("*.py")
    callers = [path.name for path in ours if "unicodedata.normalize" in path.read_text()]
    assert callers == ["normal_form.py"], "use core/values/normal_form.py, which takes linear time"


def test_a_text_with_many_accents_still_equals_itself() -> None:
    thirty = "a" + "\u0301" * 30 + "b"
    for text in ("e\u0301" * 5_000, "ﬁ" * 5_000, "한국" * 3_000, thirty * 200):
        for form in ("NFKC", "NFD"):
            assert normal_form.normalize(form, text) == unicodedata.normalize(form, text)
    tangled = normal_form.normalize("NFD", f"a{ACCENTS}")
    assert tangled.replace("\u034f", "").count("\u0301") == ACCENTS.count("\u0301")
