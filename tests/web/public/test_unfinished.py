"""The address of an unfinished form: who gets one, what it shows, and what it never shows."""

from typing import Any

import pytest
from sqlalchemy import text

from eventreg.core.errors import Busy
from eventreg.core.models.registration import Registration
from eventreg.core.registration import sent_forms
from eventreg.storage.session import reading
from eventreg.web import addresses
from eventreg.web.public import unfinished
from tests.support.factories import House, toml
from tests.support.pages import Page, get

REGISTER = "/zh/events/small/register"
COUPLE = {"name": "张桂芳", "companion-1": "王建国", "phone": "13800138000"}
PROGRAM = {"Accept": "*/*"}

pytestmark = pytest.mark.both_databases


@pytest.fixture
def guest(small: House) -> Any:
    """A guest's browser."""
    return small.client()


def send(guest: Any, address: str = REGISTER, **typed: str) -> str:
    """Fill in a form and send it. Returns the address to which it leads."""
    fields = get(guest, address).form().fields
    return sent(guest, address, {**fields, **typed})


def sent(guest: Any, address: str, fields: dict[str, str], **more: Any) -> str:
    """Send fields. Returns the address of the page that answers, without its fragment."""
    answer = guest.post(address, data=fields, **more)
    return str(answer.request.full_path if answer.status_code != 303 else answer.location)


def test_a_browser_gets_an_address_and_a_program_the_page_itself(guest: Any) -> None:
    fields = {**get(guest, REGISTER).form("/register").fields, **COUPLE}
    for phone, status, kind in (("1", 422, "register"), ("13800138000", 200, "check")):
        typed = {**fields, "phone": phone}
        address = sent(guest, REGISTER, typed)
        assert "form=" in address
        shown = get(guest, address)
        assert (shown.status, shown.kind) == (status, kind)
        assert "王建国" in shown.html
        directly = guest.post(REGISTER, data=typed, headers=PROGRAM)
        assert (directly.status_code, Page(directly).kind) == (status, kind)


def test_the_first_form_may_stay_in_the_browser_and_pages_with_names_may_not(guest: Any) -> None:
    assert guest.get(REGISTER).headers["Cache-Control"] == "private, no-cache"
    assert guest.get(send(guest, **COUPLE)).headers["Cache-Control"] == "no-store"


def test_once_confirmed_the_address_leads_to_the_ticket_and_the_others_to_nothing(
    guest: Any,
) -> None:
    mistaken = send(guest, **{**COUPLE, "phone": "1"})
    right = {**get(guest, mistaken).form("/register").fields, "phone": COUPLE["phone"]}
    checked = sent(guest, REGISTER, right)
    ticket = sent(guest, REGISTER, get(guest, checked).form("/register").fields)
    assert ticket.startswith("/T/")
    assert guest.get(checked).headers["Location"] == ticket
    gone = get(guest, mistaken)
    assert (gone.status, gone.kind) == (200, "register")
    assert "已经报好的，不用再报" in gone.text
    assert "王建国" not in gone.html
    assert reading().query(Registration).count() == 1


def test_without_deleting_it_what_was_typed_would_stay(
    guest: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above."""
    monkeypatch.setattr(sent_forms, "finish", lambda *_: None)
    mistaken = send(guest, **{**COUPLE, "phone": "1"})
    right = {**get(guest, mistaken).form("/register").fields, "phone": COUPLE["phone"]}
    checked = get(guest, sent(guest, REGISTER, right)).form("/register").fields
    assert sent(guest, REGISTER, checked).startswith("/T/")
    assert "王建国" in get(guest, mistaken).html


def test_who_got_the_link_of_a_form_sees_nothing_typed_later(small: House, guest: Any) -> None:
    """A link to a form with a mistake is passed on, and the next guest registers from it."""
    passed_on = send(guest, **{**COUPLE, "phone": "1"})
    other = small.client()
    fields = get(other, passed_on).form("/register").fields
    checked = sent(other, REGISTER, {**fields, "name": "李秀英", "phone": "13900139000"})
    assert "李秀英" not in get(guest, passed_on).html
    ticket = sent(other, REGISTER, get(other, checked).form("/register").fields)
    assert ticket.startswith("/T/")
    after = guest.get(passed_on)
    assert after.status_code == 200, "no way to the other guest's ticket"
    assert "李秀英" not in after.text


def test_changing_size_or_language_keeps_what_was_typed_at_an_address(guest: Any) -> None:
    checked = get(guest, send(guest, **COUPLE))
    fields = {**checked.form("/register").fields, "show": "check"}
    english = get(guest, sent(guest, "/en/events/small/register?size=largest", fields))
    assert (english.kind, english.status) == ("check", 200)
    assert 'class="largest"' in english.html
    assert "Book this seat" in english.text
    assert "王建国" in english.html


def test_a_full_event_keeps_everything_under_an_address(house: House) -> None:
    house.apply(toml(capacity=1))
    guest = house.client()
    full = send(guest, **COUPLE)
    shown = get(guest, full)
    assert (shown.status, shown.kind) == (409, "full")
    house.apply(toml(capacity=2))
    assert get(guest, full).kind == "check", "seats have come free meanwhile"


def test_who_is_registered_already_is_told_so_at_the_address_after_confirming(
    small: House, guest: Any
) -> None:
    small.register("张桂芳", phone="13800138000")
    checked = get(guest, send(guest, **COUPLE))
    assert checked.kind == "check", "not before confirming"
    told = sent(guest, REGISTER, checked.form("/register").fields)
    for _ in range(2):
        page = get(guest, told)
        assert (page.status, page.kind) == (409, "already-registered")
        assert 'class="way" href="/zh/find"' in page.html
    assert reading().query(Registration).count() == 1


def test_a_busy_database_is_answered_by_the_page_itself(
    guest: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(_act: Any) -> bool:
        raise Busy

    monkeypatch.setattr(unfinished, "write", busy)
    fields = {**get(guest, REGISTER).form("/register").fields, **COUPLE}
    answer = guest.post(REGISTER, data=fields)
    assert (answer.status_code, Page(answer).kind) == (200, "check")
    assert answer.request.query_string == b""


def test_one_network_address_does_not_fill_the_table(small: House) -> None:
    small.app.extensions["limits"].on = True
    guest = small.client()
    fields = {**get(guest, REGISTER).form("/register").fields, **COUPLE, "phone": "1"}
    answers = [sent(guest, REGISTER, fields) for _ in range(125)]
    assert ["form=" in one for one in answers] == [True] * 120 + [False] * 5
    count = text("SELECT count(*) FROM unfinished_forms")
    assert reading().execute(count).scalar_one() == 120


def test_neither_the_log_nor_the_audit_trail_knows_an_address(
    guest: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    entries = text("SELECT count(*) FROM audit_entries")
    before = reading().execute(entries).scalar_one()
    address = send(guest, **COUPLE)
    get(guest, address)
    key = address.split("form=")[1]
    told = "".join(capfd.readouterr())
    assert "register.form" in told
    assert key not in told
    assert reading().execute(entries).scalar_one() == before


def test_a_mistake_in_the_finder_and_in_a_correction_has_an_address(
    small: House, guest: Any
) -> None:
    found = send(guest, "/zh/find", name="张桂芳", phone="138", code="12")
    page = get(guest, found)
    assert (page.status, page.kind) == (422, "find")
    assert 'value="12"' in page.html
    made = small.register("张桂芳", phone="13800138000")
    reading().rollback()
    ticket = addresses.ticket(made)
    changed = send(guest, f"{ticket}/change", phone="139")
    page = get(guest, changed)
    assert (page.status, page.kind) == (422, "change")
    assert 'value="139"' in page.html
    again = {**page.form("/change").fields, "phone": "13900139000"}
    assert sent(guest, f"{ticket}/change", again).startswith(ticket)
    assert 'value="139"' not in get(guest, changed).html
