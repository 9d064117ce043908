"""Correct names and number by the ticket."""

import pytest
from sqlalchemy import select

from eventreg.core import audit
from eventreg.core.audit import Action
from eventreg.core.door import check_in
from eventreg.core.door.check_in import Arrival
from eventreg.core.models.audit import AuditEntry
from eventreg.core.models.registration import Registration
from eventreg.core.registration import lookup
from eventreg.storage.session import reading, transaction
from eventreg.web import addresses
from tests.support.factories import House, local, toml, with_event
from tests.support.houses import with_seats
from tests.support.pages import Page, get

pytestmark = pytest.mark.both_databases
small = with_seats(6)


def change(house: House, made: Registration, **typed: str) -> Page:
    """Fill in the form and save it. Returns the next page, or the form if it was refused."""
    guest, path = house.client(), f"{addresses.ticket(made)}/change"
    form = get(guest, path).form()
    answer = guest.post(
        path, data={**form.fields, **{name.replace("_", "-"): text for name, text in typed.items()}}
    )
    return get(guest, answer.headers["Location"]) if answer.status_code == 303 else Page(answer)


def names_and_number(made: Registration) -> tuple[list[str], str]:
    """The present names and number of a registration."""
    found = lookup.get(reading(), made.id)
    return [person.name for person in lookup.party(reading(), found)], found.phone_number


def test_a_name_and_a_number_are_corrected_and_the_code_stays(small: House) -> None:
    made = small.register("张桂方", "王建国", phone="13800138000")
    codes = [person.code for person in lookup.party(reading(), made)]
    page = change(small, made, name="张桂芳", phone="139 0013 9000")
    assert page.kind == "ticket"
    assert names_and_number(made) == (["张桂芳", "王建国"], "+8613900139000")
    assert [person.code for person in lookup.party(reading(), made)] == codes
    assert "139****9000" in page.text
    entry = reading().scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert (entry.action, entry.actor_kind) == (Action.REGISTRATION_EDITED, "registrant")


def test_the_form_never_shows_the_number_and_leaving_it_empty_keeps_it(small: House) -> None:
    made = small.register("张桂芳", phone="13800138000")
    page = get(small.client(), f"{addresses.ticket(made)}/change")
    assert page.kind == "change"
    assert "13800138000" not in page.html
    assert "0013" not in page.html
    assert "138****8000" in page.text
    assert change(small, made, name="张桂英").kind == "ticket"
    assert names_and_number(made) == (["张桂英"], "+8613800138000")


def test_opening_the_page_or_saving_it_unchanged_changes_nothing(small: House) -> None:
    made = small.register("张桂芳", phone="13800138000")
    get(small.client(), f"{addresses.ticket(made)}/change")
    assert change(small, made).kind == "ticket"
    assert lookup.get(reading(), made.id).version == 1


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"name": ""}, "name", "请填写参加人的姓名"),
        ({"name": "12345"}, "name", "姓名里不能只有数字"),
        ({"name": "王建国"}, "companion-1", "两位的姓名一样"),
        ({"phone": "1380013800"}, "phone", "手机号要有 11 位数字，现在是 10 位"),
        ({"companion_1": "张\u202e三"}, "companion-1", "姓名里有看不见的特殊符号"),
    ],
)
def test_an_error_is_shown_at_its_field_and_the_input_is_kept(
    small: House, typed: dict[str, str], field: str, words: str
) -> None:
    made = small.register("张桂芳", "王建国", phone="13800138000")
    page = change(small, made, **typed)
    assert (page.kind, page.status) == ("change", 422)
    assert words in page.text
    assert [attrs["id"] for attrs in page.having("aria-invalid")] == [field]
    for name, text in typed.items():
        assert page.form().fields[name.replace("_", "-")] == text
    assert names_and_number(made) == (["张桂芳", "王建国"], "+8613800138000")


def test_a_number_at_its_limit_or_with_the_same_person_is_refused(small: House) -> None:
    small.register("李一", "李二", phone="13900139000")
    small.register("李三", phone="13900139000")
    made = small.register("张桂芳", "王建国", phone="13800138000")
    page = change(small, made, phone="13900139000")
    assert (page.kind, page.status) == ("change", 409)
    assert "这样改不了，没有保存" in page.text
    other = small.register("李三", phone="13700137000")
    assert change(small, other, phone="13900139000").status == 409
    assert names_and_number(made)[1] == "+8613800138000"


def test_saving_an_outdated_page_is_refused_and_changes_nothing(small: House) -> None:
    made = small.register("张桂芳", phone="13800138000")
    guest, path = small.client(), f"{addresses.ticket(made)}/change"
    old = get(guest, path).form().fields
    change(small, made, name="张桂英")
    page = Page(guest.post(path, data={**old, "name": "张桂兰"}))
    assert (page.kind, page.status) == ("change", 409)
    assert "别人刚刚改过" in page.text
    assert names_and_number(made)[0] == ["张桂英"]


@pytest.mark.parametrize("moment", ["2030-06-10 08:59", "2030-06-10 09:00"])
def test_after_the_start_a_ticket_cannot_be_corrected(small: House, moment: str) -> None:
    made = small.register("张桂芳", phone="13800138000")
    guest, path = small.client(), f"{addresses.ticket(made)}/change"
    form = get(guest, path).form().fields
    small.now = local(moment)
    late = moment.endswith("09:00")
    assert guest.get(path).status_code == (409 if late else 200)
    assert guest.post(path, data={**form, "name": "张桂英"}).status_code == (409 if late else 303)
    assert names_and_number(made)[0] == ["张桂芳" if late else "张桂英"]


def test_a_guest_who_has_checked_in_cannot_be_renamed(small: House) -> None:
    small.hire()
    made = small.register("张桂芳", phone="13800138000")
    small.now = local("2030-06-10 08:50")
    with transaction() as session:
        event, found = with_event(session, made)
        person = lookup.party(session, found)[0]
        arrival = Arrival(person.public_id, small.now, small.now)
        check_in.check_in(session, event, arrival, anyway=False, by=small.dora)
    page = change(small, made, name="张桂英")
    assert page.status == 409
    assert names_and_number(made)[0] == ["张桂芳"]


def test_a_cancelled_registration_cannot_be_corrected(small: House) -> None:
    made = small.register("张桂芳", phone="13800138000")
    guest, path = small.client(), f"{addresses.ticket(made)}/change"
    form = get(guest, path).form().fields
    small.cancel(made, by=audit.SYSTEM)
    assert guest.get(path).status_code == 303
    for sent in ({"name": "张桂英"}, {"name": ""}, {"show": "form"}):
        answer = guest.post(path, data={**form, **sent})
        assert "****" not in answer.text
        assert get(guest, answer.headers["Location"]).kind == "cancelled"


def test_the_waiting_half_of_a_split_party_gets_the_new_number_too(house: House) -> None:
    house.apply(toml(capacity=1))
    made = house.register("张桂芳", "王建国", phone="13800138000", split=True)
    (beside,) = lookup.waiting_beside(reading(), made)
    waiting = beside.id
    page = change(house, made, phone="13900139000")
    assert "王建国 排在候补第 1 位" in page.text
    assert lookup.get(reading(), waiting).phone_number == "+8613900139000"


def test_an_unknown_token_opens_no_form(small: House) -> None:
    assert small.client().get("/T/00000000000000000000000000/change").status_code == 404
    assert (
        small.client().post("/T/00000000000000000000000000/change", data={"name": "x"}).status_code
        == 404
    )


@pytest.mark.parametrize("state", ["confirmed", "waitlisted"])
def test_a_ticket_shows_no_name_and_no_code_after_the_retention_period(
    house: House, state: str
) -> None:
    house.apply(toml(capacity=1, more="[privacy]\nkeep_days = 7\n"))
    first = house.register("李一", phone="13900139000")
    made = (
        first
        if state == "confirmed"
        else house.register("张桂芳", phone="13800138000", waitlist=True)
    )
    house.now = local("2030-06-17 10:59")
    assert get(house.client(), addresses.ticket(made)).data["data-state"] == state
    house.now = local("2030-06-17 11:00")
    page = get(house.client(), addresses.ticket(made))
    assert (page.status, page.kind, page.data["data-state"]) == (200, "closed", "over")
    assert "活动已结束，谢谢参加" in page.text
    for secret in ("李一", "张桂芳", "****", "data-code"):
        assert secret not in page.html
    for answer in (
        house.client().get(f"{addresses.ticket(made)}/change"),
        house.client().post(f"{addresses.ticket(made)}/change", data={"show": "form"}),
        house.client().post(f"{addresses.ticket(made)}/change", data={"name": ""}),
    ):
        assert answer.status_code == 409
        assert not [secret for secret in ("李一", "张桂芳", "****") if secret in answer.text]
