"""Desk and door find people however their names are typed."""

from collections.abc import Sequence

import pytest

from eventreg.core.desk import search
from eventreg.core.desk.attendee_list import Selection
from eventreg.core.search import one_letter
from eventreg.core.search.tiers import How
from eventreg.storage.session import reading
from tests.core.search.tries import LIKE_THE_ISSUE, OUR_OWN, PEOPLE
from tests.support.factories import House, toml

pytestmark = pytest.mark.both_databases
TRIES = {**LIKE_THE_ISSUE, **OUR_OWN}
SEEN = 3
"""Rows of the result that a volunteer sees without scrolling."""


@pytest.fixture
def hall(house: House) -> House:
    """An event with everybody."""
    house.apply(toml(capacity=100))
    for place, name in enumerate(PEOPLE):
        house.register(name, phone="13800005678" if not place else f"139000{10000 + place * 37}")
    return house


def find(house: House, query: str, *, at_door: bool = False) -> search.Answer:
    """Search as the desk does, or as the door does."""
    asked = Selection(query=query, at_door=at_door, area_code="0574")
    return search.search(reading(), house.event(), asked)


def names(found: search.Answer) -> Sequence[str]:
    """The names on the page, with those that sound alike at the end."""
    return [row.name for row in (*found.rows, *found.near)]


def test_there_are_forty_tries_of_each_kind() -> None:
    assert (len(LIKE_THE_ISSUE), len(OUR_OWN)) == (40, 40)


@pytest.mark.parametrize("at_door", [False, True], ids=["desk", "door"])
def test_all_eighty_tries_find_whom_they_mean(hall: House, at_door: bool) -> None:
    code = find(hall, "张桂芳").rows[0].code or ""
    missed = {
        query: (meant, names(found)[:5])
        for query, meant in TRIES.items()
        for found in [find(hall, query.replace("CODE", code), at_door=at_door)]
        if meant not in names(found)[:SEEN]
    }
    assert not missed
