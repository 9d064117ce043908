"""One-time links of accounts with a second factor need its code too."""

import pytest

from eventreg.core.staff import accounts
from eventreg.storage.session import transaction
from tests.support.factories import LONG_PASSWORD, House
from tests.support.pages import Page, fill, get
from tests.web.staff.test_accounts import with_factor
from tests.web.staff.test_second_factor import link_for, row

both = pytest.mark.both_databases


@both
def test_a_one_time_link_needs_the_code_too(shared: House) -> None:
    making, codes = with_factor(shared)
    for right in (making.at(shared.now), codes[0]):
        address, thief = link_for(shared, "olga"), shared.client()
        assert "code" in get(thief, address).form().fields
        for code in ("", "000000", codes[0] + "0"):
            page = Page(fill(thief, address, password=LONG_PASSWORD, code=code))
            assert (page.status, page.kind) == (422, "staff-welcome")
        assert thief.get("/staff/me").status_code == 303, "not signed in"
        assert (row("olga").password_hash or "").startswith("$argon2id$v=19$m=64,"), (
            "the password is the old one"
        )
        assert (
            fill(shared.client(), address, password=LONG_PASSWORD, code=right).headers["Location"]
            == "/staff/"
        )
        with transaction() as session:
            accounts.by_name(session, "olga").password_hash = row("otto").password_hash


@both
def test_ten_wrong_codes_spend_a_link(shared: House) -> None:
    making, _ = with_factor(shared)
    address, thief = link_for(shared, "olga"), shared.client()
    form = get(thief, address).form().fields
    typed = {**form, "password": LONG_PASSWORD, "code": "000000"}
    assert [thief.post(address, data=typed).status_code for _ in range(12)] == [422] * 9 + [404] * 3
    assert thief.post(address, data={**typed, "code": making.at(shared.now)}).status_code == 404


def test_guessing_codes_with_a_link_is_slowed_down(limited: House) -> None:
    with_factor(limited)
    address, thief = link_for(limited, "olga"), limited.client()
    typed = {**get(thief, address).form().fields, "password": LONG_PASSWORD, "code": "000000"}
    answers = [thief.post(address, data=typed).status_code for _ in range(7)]
    assert (answers[:5], answers[-1]) == ([422] * 5, 429)


def test_a_refused_password_does_not_reveal_whether_the_code_was_right(shared: House) -> None:
    making, _ = with_factor(shared)
    address, client = link_for(shared, "olga"), shared.client()
    pages = [
        Page(fill(client, address, password="short", code=code)).text
        for code in ("000000", making.at(shared.now))
    ]
    assert pages[0] == pages[1]
    assert (
        fill(client, address, password=LONG_PASSWORD, code=making.at(shared.now)).status_code == 303
    )


def test_a_link_of_an_account_without_a_second_factor_asks_for_no_code(shared: House) -> None:
    address = link_for(shared, "dora")
    assert "code" not in get(shared.client(), address).form().fields
    assert fill(shared.client(), address, password=LONG_PASSWORD).status_code == 303
