"""One-time links of accounts with a second factor need its code too."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from eventreg.core.models.staff import Role
from eventreg.core.staff import accounts
from eventreg.storage.session import transaction
from tests.support.factories import LONG_PASSWORD, House, toml
from tests.support.pages import Page, fill, get
from tests.web.staff.test_accounts import with_factor
from tests.web.staff.test_second_factor import link_for, row

both = pytest.mark.both_databases


@pytest.fixture
def guarded(small: House) -> House:
    """An event whose second organiser is Otto."""
    small.hired("otto", Role.ORGANISER)
    return small


@pytest.fixture
def strict(folder: Path) -> Iterator[House]:
    """A house with rate limits."""
    made = House(folder, EVENTREG_RATE_LIMITS="on")
    with made.app.app_context():
        made.apply(toml())
        made.hire()
        yield made
    made.close()


@both
def test_a_one_time_link_needs_the_code_too(guarded: House) -> None:
    making, codes = with_factor(guarded)
    for right in (making.at(guarded.now), codes[0]):
        address, thief = link_for(guarded, "olga"), guarded.client()
        assert "code" in get(thief, address).form().fields
        for code in ("", "000000", codes[0] + "0"):
            page = Page(fill(thief, address, password=LONG_PASSWORD, code=code))
            assert (page.status, page.kind) == (422, "staff-welcome")
        assert thief.get("/staff/me").status_code == 303, "not signed in"
        assert (row("olga").password_hash or "").startswith("$argon2id$v=19$m=64,"), (
            "the password is the old one"
        )
        assert (
            fill(guarded.client(), address, password=LONG_PASSWORD, code=right).headers["Location"]
            == "/staff/"
        )
        with transaction() as session:
            accounts.by_name(session, "olga").password_hash = row("otto").password_hash


@both
def test_ten_wrong_codes_spend_a_link(guarded: House) -> None:
    making, _ = with_factor(guarded)
    address, thief = link_for(guarded, "olga"), guarded.client()
    form = get(thief, address).form().fields
    typed = {**form, "password": LONG_PASSWORD, "code": "000000"}
    assert [thief.post(address, data=typed).status_code for _ in range(12)] == [422] * 9 + [404] * 3
    assert thief.post(address, data={**typed, "code": making.at(guarded.now)}).status_code == 404


def test_guessing_codes_with_a_link_is_slowed_down(strict: House) -> None:
    with_factor(strict)
    address, thief = link_for(strict, "olga"), strict.client()
    typed = {**get(thief, address).form().fields, "password": LONG_PASSWORD, "code": "000000"}
    answers = [thief.post(address, data=typed).status_code for _ in range(7)]
    assert (answers[:5], answers[-1]) == ([422] * 5, 429)


def test_a_refused_password_does_not_reveal_whether_the_code_was_right(guarded: House) -> None:
    making, _ = with_factor(guarded)
    address, client = link_for(guarded, "olga"), guarded.client()
    pages = [
        Page(fill(client, address, password="short", code=code)).text
        for code in ("000000", making.at(guarded.now))
    ]
    assert pages[0] == pages[1]
    assert (
        fill(client, address, password=LONG_PASSWORD, code=making.at(guarded.now)).status_code
        == 303
    )


def test_a_link_of_an_account_without_a_second_factor_asks_for_no_code(guarded: House) -> None:
    address = link_for(guarded, "dora")
    assert "code" not in get(guarded.client(), address).form().fields
    assert fill(guarded.client(), address, password=LONG_PASSWORD).status_code == 303
