"""Text size and language: a link chooses them, a cookie or the next links keep them, and no input
is lost."""

import re
from typing import Any

import pytest

from eventreg.web import addresses
from tests.support.factories import House, toml
from tests.support.houses import with_seats
from tests.support.pages import Page, fill, get

REGISTER = "/zh/events/small/register"
small = with_seats(2)


def size_of(page: Page) -> str:
    """The text size of a page."""
    frame = next(attrs for tag, attrs in page.tags if tag == "html")
    return frame.get("class") or "standard"


def press(guest: Any, page: Page, label: str) -> Page:
    """Press the header's button with this label, which sends the form."""
    found = re.search(rf'<button form="(\w+)"([^>]*)>{label}</button>', page.html)
    assert found, label
    added = dict(re.findall(r'(\w+)="([^"]*)"', found[2]))
    form = next(form for form in page.forms if form.id == found[1])
    data = {**form.fields, **({added["name"]: added["value"]} if "name" in added else {})}
    return Page(guest.post(added["formaction"].replace("&amp;", "&"), data=data))


def test_a_chosen_text_size_stays_for_all_pages(small: House) -> None:
    guest = small.client()
    first = guest.get("/zh/events/small?size=large")
    kept = first.headers["Set-Cookie"]
    assert kept.startswith("size=large;")
    assert "HttpOnly" in kept
    assert "SameSite=Lax" in kept
    assert size_of(Page(first)) == "large"
    for path in ("/zh/", "/en/events/small", REGISTER, "/zh/privacy"):
        page = get(guest, path)
        assert size_of(page) == "large", path
        assert not re.search(r"size=large\b", page.html), "the cookie carries it"
    assert size_of(get(guest, "/zh/?size=standard")) == "standard"
    assert size_of(get(guest, "/zh/")) == "standard"


def test_without_a_chosen_size_no_cookie_is_set(small: House) -> None:
    guest = small.client()
    for path in (
        "/zh/",
        "/zh/events/small",
        REGISTER,
        "/zh/?size=standard",
        "/zh/?size=enormous",
        "/zh/?size=",
    ):
        assert "Set-Cookie" not in guest.get(path).headers, path


def test_on_https_the_cookie_is_bound_to_the_host(folder: Any) -> None:
    house = House(folder, EVENTREG_PUBLIC_URL="https://lecture.example.org")
    with house.app.app_context():
        house.apply(toml())
        kept = house.client().get("/zh/?size=largest").headers["Set-Cookie"]
    house.close()
    assert kept.startswith("__Host-size=largest;")
    assert "Secure" in kept
    assert "Path=/" in kept


def test_without_cookies_the_links_carry_the_size_to_the_ticket(small: House) -> None:
    guest = small.app.test_client(use_cookies=False)
    page = get(guest, "/zh/events/small?size=largest")
    link = re.search(r'class="button" href="([^"]+)"', page.html)
    assert link
    form_page = get(guest, link[1])
    assert size_of(form_page) == "largest"
    form = form_page.form()
    checked = Page(
        guest.post(
            form.action.split("#")[0],
            data={**form.fields, "name": "张桂芳", "phone": "13800138000"},
        )
    )
    assert (checked.kind, size_of(checked)) == ("check", "largest")
    last = checked.form("/register?size=largest")
    ticket = get(guest, guest.post(last.action, data=last.fields).headers["Location"])
    assert (ticket.kind, size_of(ticket)) == ("ticket", "largest")


def test_cached_pages_do_not_mix_the_links_of_two_visitors(small: House) -> None:
    """The event page is cached for each size, and for links with and without the size."""
    kept, dropped = small.client(), small.app.test_client(use_cookies=False)
    kept.get("/zh/privacy?size=large")
    assert "register?size" not in kept.get("/zh/events/small").text
    assert "register?size=large" in dropped.get("/zh/events/small?size=large").text
    assert "register?size" not in kept.get("/zh/events/small").text
    assert size_of(get(dropped, "/zh/events/small")) == "standard"


@pytest.mark.parametrize(
    ("label", "lang", "size"), [("English", "en", "standard"), ("特大", "zh-Hans", "largest")]
)
def test_changing_language_or_size_keeps_the_input_of_the_form(
    small: House, label: str, lang: str, size: str
) -> None:
    guest = small.client()
    page = Page(fill(guest, REGISTER, name="张桂芳", phone="1380013800", companion_1="王建国"))
    assert page.status == 422
    other = press(guest, page, label)
    assert (other.kind, other.status, size_of(other)) == ("register", 200, size)
    assert next(attrs for tag, attrs in other.tags if tag == "html")["lang"] == lang
    typed = other.form().fields
    assert (typed["name"], typed["phone"], typed["companion-1"]) == (
        "张桂芳",
        "1380013800",
        "王建国",
    )
    assert "Please correct" not in other.html


@pytest.mark.parametrize(
    ("label", "lang", "size"), [("English", "en", "standard"), ("大", "zh-Hans", "large")]
)
def test_changing_language_or_size_keeps_the_input_of_the_check_page(
    small: House, label: str, lang: str, size: str
) -> None:
    guest = small.client()
    page = Page(fill(guest, REGISTER, name="张桂芳", phone="13800138000"))
    other = press(guest, page, label)
    assert (other.kind, size_of(other)) == ("check", size)
    assert next(attrs for tag, attrs in other.tags if tag == "html")["lang"] == lang
    assert small.seats().taken == 0, "it registers nothing"


@pytest.mark.parametrize("why", ["full", "already-registered", "closed", "error"])
def test_changing_language_or_size_keeps_the_input_of_a_refusal_page(
    house: House, why: str
) -> None:
    house.apply(toml(capacity=2, head="max_per_phone = 2" if why == "error" else ""))
    guest = house.client()
    form = get(guest, REGISTER).form().fields
    typed = {"name": "张桂芳", "phone": "13800138000", "confirmed": "yes"}
    if why == "full":
        house.register("李一", "李二")
    elif why == "already-registered":
        house.register("张桂芳", phone="13800138000")
    elif why == "error":
        house.apply(toml(capacity=9, head="max_per_phone = 2"))
        house.register("李一", "李二", phone="13800138000")
    else:
        house.apply(toml(capacity=2, head="[registration]\ncloses_at = 2030-06-02T09:00:00"))
    page = Page(guest.post(REGISTER, data={**form, **typed}))
    assert (page.kind, page.status) == (why, 409)
    other = press(guest, page, "English")
    assert (other.kind, other.status) == (why, 409)
    assert "英" not in other.text
    larger = press(guest, page, "特大")
    assert (larger.kind, size_of(larger)) == (why, "largest")


def test_a_ticket_keeps_its_chosen_language_through_a_correction(small: House) -> None:
    guest, ticket = small.client(), addresses.ticket(small.register("张桂芳"))
    page = get(guest, f"{ticket}?lang=en")
    link = re.search(r'href="([^"]+/change[^"]*)"', page.html)
    assert link
    change = get(guest, link[1])
    assert "Change name or number" in change.text
    form = change.form()
    back = guest.post(form.action.split("#")[0], data={**form.fields, "name": "张桂英"})
    assert "What you changed is stored" in get(guest, back.headers["Location"]).text
