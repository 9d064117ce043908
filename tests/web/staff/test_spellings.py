"""User names: all spellings of a name are one account with one delay."""

import ast

import pytest

from eventreg.core.errors import FieldRefused
from eventreg.core.models.staff import Role
from eventreg.core.staff import accounts
from eventreg.core.values import usernames
from eventreg.storage.session import reading, transaction
from tests.support.factories import ROOT, House
from tests.support.pages import sign_in
from tests.web.staff.test_known_browsers import WRONG, guess

SPELLINGS = ["olga", "OLGA", " Olga ", "ｏｌｇａ", "ＯＬＧＡ", "\u3000olga\u3000", "ｏlga", "olgª"]


def test_all_spellings_of_a_name_share_one_delay(limited: House) -> None:
    answers = [sign_in(limited.client(), spelling, WRONG).status_code for spelling in SPELLINGS[:5]]
    assert answers == [422] * 5
    for _ in range(5):  # a delay of half a minute, longer than a slow machine takes
        limited.app.extensions["limits"].sign_in_failed("olga")
    waiting = [sign_in(limited.client(), spelling, WRONG).status_code for spelling in SPELLINGS]
    assert waiting == [429] * len(SPELLINGS)


def test_unknown_names_are_delayed_too_even_long_ones(limited: House) -> None:
    for name in ("nobody", "ﷺ" * 3000):
        assert guess(limited, name, 5) == [422] * 5
        for _ in range(5):
            key = usernames.fold(name)[: usernames.LONGEST]
            limited.app.extensions["limits"].sign_in_failed(key)
        assert guess(limited, name, 1) == [429]


@pytest.mark.both_databases
def test_a_name_that_is_too_long_when_folded_is_refused(house: House) -> None:
    house.hire()
    with transaction() as session:
        accounts.add(session, "ＢＯＢ", Role.DESK, by=house.olga, now=house.now)
    assert accounts.by_name(reading(), "bob").username == "ＢＯＢ"
    for unfit in ("ﷺ" * 60, "x" * 61, "\u3000"):
        with pytest.raises(FieldRefused), transaction() as session:
            accounts.add(session, unfit, Role.DESK, by=house.olga, now=house.now)


def test_no_web_module_folds_names_itself() -> None:
    """Two ways to fold a name would be two identities, so only the core folds."""
    for path in sorted((ROOT / "eventreg" / "web").rglob("*.py")):
        calls = {
            node.func.attr
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }
        assert not calls & {"casefold", "lower"}, path.name
