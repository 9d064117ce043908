"""An organiser copies an event, or brings one in as a file. Each has a slug of its own."""

import io
import tomllib
from datetime import date

import pytest
from flask.testing import FlaskClient

from eventreg.core.errors import EventUnknown
from eventreg.core.event import event_file, events
from eventreg.core.organising import drafts
from tests.support.factories import SHIPPED, House, local, toml
from tests.support.houses import with_seats
from tests.support.pages import Page, get
from tests.web.organising.edit_form import DESK, apply, whole_form

small = with_seats(3, "张桂芳", "王建国", staff=True)


def test_the_june_lecture_is_copied_to_july(house: House) -> None:
    house.apply(SHIPPED.read_text(encoding="utf-8"))
    house.hire()
    olga = house.signed_in("olga")
    form = next(form for form in get(olga, "/staff/events/new").forms if form.method == "get")
    assert "date" in form.fields
    copied = get(olga, "/staff/events/new?from=june-10-self-care&date=2030-07-08")
    form = whole_form(copied)
    assert (form.fields["slug"], form.fields["date"], form.fields["starts"]) == (
        "july-8-self-care",
        "2030-07-08",
        "09:00",
    )
    definition = events.definition(house.event("june-10-self-care"))
    typed = {**drafts.values(definition), **form.fields}
    shown = Page(olga.post("/staff/events/new", data=typed))
    assert shown.kind == "staff-event-check"
    with pytest.raises(EventUnknown):
        house.event("july-8-self-care")
    assert apply(olga, shown) == "/staff/events/july-8-self-care"
    new, old = house.event("july-8-self-care"), house.event("june-10-self-care")
    assert new.starts_at == local("2030-07-08 09:00")
    first, second = (event_file.raw_of(events.definition(event)) for event in (old, new))
    assert {key for key in first if first[key] != second[key]} == {"slug", "starts_at"}
    listed = get(house.client(), "/zh/").text
    assert "6 月 10 日" in listed
    assert "7 月 8 日" in listed, "the public start page lists both events"


def test_the_event_file_is_downloaded_and_uploaded(small: House, olga: FlaskClient) -> None:
    file = olga.get(f"{DESK}/event.toml").get_data(as_text=True)
    assert event_file.parse(file) == events.definition(small.event())
    form = get(olga, "/staff/events/new").form("/upload")

    def send(content: bytes) -> Page:
        data = {**form.fields, "file": (io.BytesIO(content), "event.toml")}
        return Page(
            olga.post("/staff/events/upload", data=data, content_type="multipart/form-data")
        )

    assert send(file.encode()).data["data-changes"] == "0"
    page = send(file.replace("capacity = 3", "capacity = 5").encode())
    assert page.data["data-changes"] == "1"
    apply(olga, page)
    assert small.seats().capacity == 5
    assert tomllib.loads(olga.get(f"{DESK}/event.toml").get_data(as_text=True))["capacity"] == 5
    new = send(toml(slug="brand-new").encode())
    apply(olga, new)
    assert small.event("brand-new").version == 1
    for bad in (b"\xff\xfe", b"slug = ", b"", toml(capacity=-1).encode()):
        refused = send(bad)
        assert (refused.status, refused.kind) == (422, "staff-event-new")


def test_a_slug_that_is_taken_is_refused(small: House, olga: FlaskClient) -> None:
    form = whole_form(get(olga, "/staff/events/new?from=small&date=2030-07-08"))
    typed = {**drafts.values(events.definition(small.event())), **form.fields, "slug": "small"}
    page = Page(olga.post("/staff/events/new", data=typed))
    assert (page.status, "请换一个" in page.text) == (409, True)
    sent = {**form.fields, "toml": toml(capacity=9), "version": "0"}
    assert olga.post("/staff/events/apply", data=sent).status_code == 409, "nor without that page"
    assert small.seats().capacity == 3


@pytest.mark.parametrize(
    ("slug", "day", "expected"),
    [
        ("june-10-self-care", (2030, 7, 8), "july-8-self-care"),
        ("book-club", (2030, 1, 2), "january-2-book-club"),
        ("x-2030-06-10", (2030, 7, 8), "july-8-x"),
        ("june-10", (2030, 7, 8), "july-8"),
    ],
)
def test_a_copy_gets_a_slug_with_its_day(
    slug: str, day: tuple[int, int, int], expected: str
) -> None:
    assert drafts.slug_for(slug, date(*day)) == expected
