"""What one person tries never uses up what another may do, and a try to find out who is registered
leaves a trace."""

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
from tests.support.factories import LONG_PASSWORD, House, toml
from tests.support.pages import Page, fill, get
from tests.support.tokens import token

REGISTER = "/zh/events/small/register"
X = {"name": "李小红", "phone": "13700137000"}
STRANGER, SHARED = {"REMOTE_ADDR": "198.51.100.9"}, {"REMOTE_ADDR": "203.0.113.1"}


@pytest.fixture
def limited(house: House) -> House:
    """Ten seats, and limits as they are delivered."""
    house.app.extensions["limits"].on = True
    house.apply(toml(capacity=10))
    return house


def filled(house: House, **typed: str) -> dict[str, str]:
    """A form that was opened ten seconds ago, confirmed."""
    made = int(house.now.timestamp()) - 10
    return {**typed, "confirmed": "yes", "csrf_token": token("small", made)}


def change(house: House, ticket: str, **typed: str) -> Any:
    """Somebody sends other names or another number with their own ticket."""
    form = get(house.client(), f"{ticket}/change", environ_base=STRANGER).form().fields
    return house.client().post(f"{ticket}/change", data={**form, **typed}, environ_base=STRANGER)


def words(answer: Any) -> str:
    """What a page says, without what was typed into it."""
    return re.sub(r'value="[^"]*"', "", Page(answer).html)


def test_that_somebody_is_registered_is_not_said_to_who_asks_by_changing(limited: House) -> None:
    limited.register(X["name"], phone=X["phone"])
    limited.register("李一", "李二", phone="13900139000")
    limited.register("李三", "李四", phone="13900139000")
    mine = limited.register("张桂芳", phone="13800138000")
    taken, full = (
        change(limited, addresses.ticket(mine), **X),
        change(limited, addresses.ticket(mine), phone="13900139000"),
    )
    assert taken.status_code == full.status_code == 409
    assert words(taken) == words(full), "one sentence for both"
    assert "这样改不了，没有保存" in words(taken)
    assert not [
        said for said in ("已经有", "已经报", "满") if said in words(taken).split("</main>")[0]
    ]
    lines = [
        line for line in audit.history(reading(), mine.id) if line.action is Action.EDIT_REFUSED
    ]
    assert [(line.kind, line.details) for line in lines] == [
        ("registrant", {"reason": "already_registered"}),
        ("registrant", {"reason": "phone_at_limit"}),
    ]


def test_five_changes_a_day_with_one_ticket_and_then_the_desk_corrects(limited: House) -> None:
    limited.register(X["name"], phone=X["phone"])
    mine = limited.register("张桂芳", phone="13800138000")
    answers = [change(limited, addresses.ticket(mine), **X) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [409] * 5 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    page = Page(answers[-1])
    assert (page.kind, page.form("/change").fields["name"]) == ("change", X["name"])
    assert "请打电话给我们，我们替您改" in page.text
    assert (
        len([one for one in audit.history(reading(), mine.id) if one.action is Action.EDIT_REFUSED])
        == 5
    )


def test_one_address_with_many_tickets_changes_twenty_an_hour(limited: House) -> None:
    mine = [addresses.ticket(limited.register(f"王{n}号")) for n in range(5)]
    answers = [change(limited, mine[n % 5], name=f"王{n}{n}号").status_code for n in range(21)]
    assert answers == [303] * 20 + [429]


def test_tries_on_somebodys_number_never_keep_that_number_from_registering(limited: House) -> None:
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


def test_what_is_refused_counts_neither_against_a_number_nor_against_the_people_of_an_address(
    limited: House,
) -> None:
    limited.register(X["name"], phone=X["phone"])
    for _ in range(14):
        answer = limited.client().post(REGISTER, data=filled(limited, **X), environ_base=SHARED)
        assert answer.status_code == 409
    for n in range(9):
        sent = filled(limited, name=f"王{n}号", phone=X["phone"] if n < 3 else f"138{n:08d}")
        assert limited.client().post(REGISTER, data=sent, environ_base=SHARED).status_code == 303


def test_a_valid_ticket_opens_behind_an_address_that_has_used_up_its_unknown_ones(
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


def test_a_welcome_link_and_a_pairing_open_there_too(limited: House) -> None:
    limited.hire()
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


def test_looking_for_a_ticket_is_counted_before_anything_is_looked_up(limited: House) -> None:
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
        "twelve a day of one number"
    )


def test_an_address_that_is_refused_makes_no_counters_and_asks_no_database(limited: House) -> None:
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
        "before a field is read"
    )


def test_looking_for_tickets_and_opening_unknown_ones_are_counted_apart(limited: House) -> None:
    guest = limited.client()
    for n in range(25):
        guest.get(f"/T/{n:026d}", environ_base=SHARED)
    assert fill(guest, "/zh/find", **FIND).status_code == 422
    assert guest.post("/zh/find", data=FIND, environ_base=SHARED).status_code == 422


def test_registering_is_offered_again_in_words_with_the_telephone_and_everything_kept(
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
        "from elsewhere at once"
    )


def test_a_form_that_booked_before_the_limit_leads_to_its_ticket_behind_it(limited: House) -> None:
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
