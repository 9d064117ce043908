"""One person's tries do not use up the limits of another. A try to find out who is registered is
recorded."""

import re
from typing import Any

import pytest

from eventreg.core import audit
from eventreg.core.audit import Action
from eventreg.core.registration import lookup
from eventreg.core.staff import accounts
from eventreg.storage.session import reading, write
from eventreg.web import addresses
from eventreg.web.limits import limits
from tests.support.factories import LONG_PASSWORD, House, local, toml
from tests.support.pages import Page, fill, get
from tests.support.tokens import token

REGISTER = "/zh/events/small/register"
X = {"name": "李小红", "phone": "13700137000"}
STRANGER, SHARED = {"REMOTE_ADDR": "198.51.100.9"}, {"REMOTE_ADDR": "203.0.113.1"}


@pytest.fixture
def limited(house: House) -> House:
    """An event with ten seats, and the default limits."""
    house.app.extensions["limits"].on = True
    house.apply(toml(capacity=10))
    return house


def filled(house: House, **typed: str) -> dict[str, str]:
    """A confirmed form, shown ten seconds ago."""
    made = int(house.now.timestamp()) - 10
    return {**typed, "confirmed": "yes", "csrf_token": token("small", made)}


def change(house: House, ticket: str, **typed: str) -> Any:
    """Send other names or another number with one's own ticket."""
    form = get(house.client(), f"{ticket}/change", environ_base=STRANGER).form().fields
    return house.client().post(f"{ticket}/change", data={**form, **typed}, environ_base=STRANGER)


def words(answer: Any) -> str:
    """The text of a page, without the input in its fields."""
    return re.sub(r'value="[^"]*"', "", Page(answer).html)


def test_a_correction_does_not_reveal_who_is_registered(limited: House) -> None:
    limited.register(X["name"], phone=X["phone"])
    limited.register("李一", "李二", phone="13900139000")
    limited.register("李三", "李四", phone="13900139000")
    mine = limited.register("张桂芳", phone="13800138000")
    taken, full = (
        change(limited, addresses.ticket(mine), **X),
        change(limited, addresses.ticket(mine), phone="13900139000"),
    )
    assert taken.status_code == full.status_code == 409
    assert words(taken) == words(full), "both show the same sentence"
    assert "这样改不了，没有保存" in words(taken)
    assert not [
        said for said in ("已经有", "已经报", "满") if said in words(taken).split("</main>")[0]
    ]
    lines = [
        line for line in audit.history(reading(), mine.id) if line.action == Action.EDIT_REFUSED
    ]
    assert [(line.kind, line.details) for line in lines] == [
        ("registrant", {"reason": "already_registered"}),
        ("registrant", {"reason": "phone_at_limit"}),
    ]


def test_a_ticket_may_be_corrected_five_times_a_day(limited: House) -> None:
    limited.register(X["name"], phone=X["phone"])
    mine = limited.register("张桂芳", phone="13800138000")
    answers = [change(limited, addresses.ticket(mine), **X) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [409] * 5 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    page = Page(answers[-1])
    assert (page.kind, page.form("/change").fields["name"]) == ("change", X["name"])
    assert "请打电话给我们，我们替您改" in page.text
    assert (
        len([one for one in audit.history(reading(), mine.id) if one.action == Action.EDIT_REFUSED])
        == 5
    )


def test_an_address_may_correct_twenty_times_an_hour(limited: House) -> None:
    mine = [addresses.ticket(limited.register(f"王{n}号")) for n in range(5)]
    answers = [change(limited, mine[n % 5], name=f"王{n}{n}号").status_code for n in range(21)]
    assert answers == [303] * 20 + [429]


def test_tries_with_another_persons_number_do_not_block_that_number(limited: House) -> None:
    mine = [addresses.ticket(limited.register(f"王{n}号")) for n in range(3)]
    for n in range(13):
        change(limited, mine[n % 3], phone=X["phone"], name=f"王{n % 3}号")
        limited.client().post(
            REGISTER, data=filled(limited, name="12", phone=X["phone"]), environ_base=STRANGER
        )
    for ticket in mine:
        change(limited, ticket, phone="13600136000")
    answer = limited.client().post(REGISTER, data=filled(limited, **X), environ_base=SHARED)
    assert answer.status_code == 303


def test_refused_registrations_do_not_count_for_number_or_address(
    limited: House,
) -> None:
    limited.register(X["name"], phone=X["phone"])
    for _ in range(14):
        answer = limited.client().post(REGISTER, data=filled(limited, **X), environ_base=SHARED)
        assert answer.status_code == 409
    for n in range(9):
        sent = filled(limited, name=f"王{n}号", phone=X["phone"] if n < 3 else f"138{n:08d}")
        assert limited.client().post(REGISTER, data=sent, environ_base=SHARED).status_code == 303


def test_a_valid_ticket_opens_at_an_address_that_has_used_up_its_tries(
    limited: House,
) -> None:
    mine = addresses.ticket(limited.register("张桂芳"))
    guest = limited.client()
    unknown = [guest.get(f"/T/{n:026d}", environ_base=SHARED).status_code for n in range(25)]
    assert unknown == [404] * 20 + [429] * 5
    for path in ("", "/change", "/cancel"):
        assert guest.get(f"{mine}{path}", environ_base=SHARED).status_code == 200
    assert guest.get("/staff/welcome/unknown", environ_base=SHARED).status_code == 429
    assert guest.get("/staff/pair/unknown", environ_base=SHARED).status_code == 429
    with pytest.raises(limits.TooOften):
        limited.app.extensions["limits"].check("unknown", limits.UNKNOWN_SECRET, "203.0.113.1")


def test_a_valid_link_opens_at_an_address_that_has_used_up_its_tries(limited: House) -> None:
    limited.hire()
    limited.now = local("2030-06-08 10:00")
    olga = limited.signed_in("olga")
    guest = limited.client()
    for n in range(25):
        guest.get(f"/T/{n:026d}", environ_base=SHARED)
    form = {"csrf_token": get(olga, "/staff/").form("/sign-out").fields["csrf_token"]}
    offered = Page(olga.post("/staff/events/small/telephones", data=form)).text
    address = next(word for word in offered.split() if "/staff/pair/" in word)
    assert (
        guest.get(address[address.index("/staff/pair/") :], environ_base=SHARED).status_code == 200
    )
    link = write(
        lambda session: accounts.make_link(
            session, accounts.by_name(session, "dora"), by=audit.SYSTEM, now=limited.now
        )
    )
    page = get(guest, f"/staff/welcome/{link}", environ_base=SHARED)
    chosen = {**page.form().fields, "password": LONG_PASSWORD}
    assert guest.post(f"/staff/welcome/{link}", data=chosen, environ_base=SHARED).status_code == 303
    assert guest.post("/staff/welcome/x", data=chosen, environ_base=SHARED).status_code in {
        400,
        429,
    }


FIND = {"name": "张桂芳", "phone": "13800138000", "code": "3829"}


def test_a_search_for_a_ticket_is_counted_before_the_lookup(limited: House) -> None:
    made = limited.register(FIND["name"], phone=FIND["phone"])
    (person,) = lookup.party(reading(), made)
    right = {**FIND, "code": str(person.code)}
    guest = limited.client()
    for n in range(12):
        guest.post(
            "/zh/find",
            data={**FIND, "code": "9999"},
            environ_base={"REMOTE_ADDR": f"198.51.100.{n}"},
        )
    assert guest.post("/zh/find", data=right, environ_base=SHARED).status_code == 429, (
        "twelve a day for one number"
    )


def test_an_address_over_its_limit_creates_no_counters(limited: House) -> None:
    guest, counters = limited.client(), limited.app.extensions["limits"]
    for n in range(20):
        guest.post("/zh/find", data={**FIND, "phone": f"138{n:08d}"}, environ_base=SHARED)
    before = len(counters._own)
    said = [
        guest.post("/zh/find", data={**FIND, "phone": f"139{n:08d}"}, environ_base=SHARED)
        for n in range(50)
    ]
    assert {answer.status_code for answer in said} == {429}
    assert len(counters._own) == before
    assert guest.post("/zh/find", data={}, environ_base=SHARED).status_code == 429, (
        "it is refused before a field is read"
    )


def test_searching_tickets_and_opening_unknown_ones_are_counted_separately(limited: House) -> None:
    guest = limited.client()
    for n in range(25):
        guest.get(f"/T/{n:026d}", environ_base=SHARED)
    assert fill(guest, "/zh/find", **FIND).status_code == 422
    assert guest.post("/zh/find", data=FIND, environ_base=SHARED).status_code == 422


def test_an_address_over_its_limit_keeps_the_input_and_is_told_when_to_try_again(
    limited: House,
) -> None:
    limited.apply(toml(capacity=50))
    for n in range(10):
        limited.client().post(
            REGISTER,
            data=filled(limited, name=f"王{n}号", phone=f"138{n:08d}"),
            environ_base=SHARED,
        )
    sent = filled(limited, **X)
    answer = limited.client().post(REGISTER, data=sent, environ_base=SHARED)
    page = Page(answer)
    assert (page.status, page.kind) == (429, "check")
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    for said in (
        "您这个网络上，刚才报名的人太多了",
        "可以打电话报名：",
        "0574-87654321",
        "您填的都还在。1 分钟后",
    ):
        assert said in page.text, said
    kept = page.form("/register").fields
    assert (kept["name"], kept["phone"], kept["csrf_token"]) == (
        X["name"],
        X["phone"],
        sent["csrf_token"],
    )
    english = Page(
        limited.client().post(REGISTER.replace("zh", "en"), data=kept, environ_base=SHARED)
    )
    assert "many people have just registered from your network" in english.text
    assert limited.client().post(REGISTER, data=kept, environ_base=STRANGER).status_code == 303, (
        "another address may register at once"
    )


def test_a_form_sent_again_leads_to_its_ticket_even_over_the_limit(limited: House) -> None:
    limited.apply(toml(capacity=50))
    sent = [filled(limited, name=f"王{n}号", phone=f"138{n:08d}") for n in range(10)]
    first = [
        limited.client().post(REGISTER, data=one, environ_base=SHARED).headers["Location"]
        for one in sent
    ]
    again = [
        limited.client().post(REGISTER, data=one, environ_base=SHARED).headers["Location"]
        for one in sent
    ]
    assert first == again
