"""A page that is kept with gaps is, for each guest, the page that rendering would make."""

import gzip
import re
from collections.abc import Callable
from functools import partial

import pytest
from flask import Response, render_template
from flask.testing import FlaskClient

from eventreg.core.models.event import Event
from eventreg.core.registration import lookup
from eventreg.core.registration.availability import Glance
from eventreg.web import addresses, kept_pages
from eventreg.web.forms.guest_form import GuestForm
from eventreg.web.public import event_page
from eventreg.web.public.registering import check_page, pages
from tests.support.factories import House
from tests.support.houses import guest_without_cookies, with_seats
from tests.support.pages import Page, get

NAMES = ("王小明", "Anna O'Neill <b>Co", "李·四2号", 'Jörg "J" {0}%s\\g<0>', "A4 王 &amp;")
small = with_seats(30)
guest = guest_without_cookies


def _check(event: Event, sent: GuestForm) -> str:
    names = [name.typed for name in sent.party()]
    return check_page._rendered(event, sent, names, waits=sent.counted.left < len(names))


def _event(seen: Glance, page: str) -> Response:
    left = seen.counted.left
    view = event_page._view(seen.event, left, seen.counted.held, True)
    made = render_template(
        "public/event_page.html", **event_page._values(seen.event, page, view, str(left))
    )
    return Response(made)


def without_kept_pages(patch: pytest.MonkeyPatch) -> None:
    """Render every page for the guest who asks."""
    patch.setattr(check_page, "answer", _check)
    patch.setattr(event_page, "answer", _event)
    patch.setattr(pages, "empty_form", lambda *of: pages.form(*of)[0])
    patch.setattr(lookup, "plain_ticket", lambda *_: None)


def both(ask: Callable[[], str]) -> tuple[str, str]:
    """The page as it is kept, and as it is rendered. Tokens differ each time."""
    kept = ask()
    with pytest.MonkeyPatch.context() as patch:
        without_kept_pages(patch)
        made = ask()
    return tuple(re.sub(r'csrf_token" value="[^"]+', "", page) for page in (kept, made))  # type: ignore[return-value]


def opened(guest: FlaskClient, address: str) -> str:
    """The page at an address."""
    return get(guest, address).html


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("size", ["", "?size=large"])
def test_the_event_page_and_the_empty_form_are_the_same(
    small: House, guest: FlaskClient, language: str, size: str
) -> None:
    for address in (f"/{language}/events/small", f"/{language}/events/small/register"):
        kept, made = both(partial(opened, guest, address + size))
        assert kept == made


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("accepted", ["*/*", "text/html"])
def test_what_each_guest_typed_stands_in_the_page_as_rendering_puts_it(
    small: House, guest: FlaskClient, language: str, accepted: str
) -> None:
    form = get(guest, f"/{language}/events/small/register").form().fields
    for number, name in enumerate(NAMES):
        typed = {
            **form,
            "name": name,
            "companion-1": NAMES[-1 - number] if number % 2 else "",
            "phone": f"138 0013 80{number:02}",
        }

        def ask(typed: dict[str, str] = typed) -> str:
            answer = guest.post(
                f"/{language}/events/small/register",
                data=typed,
                headers={"Accept": accepted},
                follow_redirects=True,
            )
            return re.sub(r'unfinished" value="[0-9a-f]+', "", Page(answer).html)

        kept, made = both(ask)
        assert kept == made
        assert 'data-page="check"' in kept


@pytest.mark.parametrize(
    "wish", ["", "?lang=en", "?lang=zh", "?size=largest", "?lang=en&size=large"]
)
def test_every_plain_ticket_is_the_page_that_rendering_makes(
    small: House, guest: FlaskClient, wish: str
) -> None:
    parties = [(name,) for name in NAMES] + [NAMES[:2], NAMES[3:]]
    for number, party in enumerate(parties):
        made = small.register(*party, phone=f"139001{number:05}", locale=("zh", "en")[number % 2])
        path = addresses.ticket(made)
        for address in (path, path.lower().replace("/t/", "/T/")):
            kept, rendered = both(partial(opened, guest, address + wish))
            assert kept == rendered
            assert 'data-state="confirmed"' in kept


def test_a_compressed_page_is_the_same_text(small: House, guest: FlaskClient) -> None:
    path = addresses.ticket(small.register(*NAMES[:2]))
    for address in ("/zh/events/small", "/en/events/small", path, path + "?lang=en"):
        plain = guest.get(address).data
        packed = guest.get(address, headers={"Accept-Encoding": "gzip"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.data) == plain
        assert len(packed.data) < len(plain) / 2


def test_no_kept_page_holds_anything_of_a_guest(small: House, guest: FlaskClient) -> None:
    kept_pages._kept.clear()
    made = small.register("王小明", "Jörg Müller")
    path = addresses.ticket(made)
    get(guest, path)
    get(guest, path + "?lang=en")
    form = get(guest, "/en/events/small/register").form().fields
    typed = {**form, "name": "李四", "companion-1": "Anna Lee", "phone": "13800138000"}
    guest.post("/en/events/small/register", data=typed)
    held = b"".join(b"".join(one._fixed) for one in kept_pages._kept.values()).decode()
    assert len(kept_pages._kept) == 4
    theirs = ("王小明", "Jörg", "李四", "Anna Lee", "13800138000", "138 0013", "****")
    for text in (*theirs, path.removeprefix("/T/"), form["csrf_token"]):
        assert text not in held


def test_few_pages_are_kept(small: House, guest: FlaskClient) -> None:
    for number in range(2 * kept_pages._MOST):
        kept_pages._kept[number] = kept_pages.KeptPage("", "zh")
    get(guest, "/zh/events/small")
    assert len(kept_pages._kept) == kept_pages._MOST
