"""Desk and door find people however their names are typed."""

from collections.abc import Sequence

import pytest

from eventreg.core.desk import attendee_list, search
from eventreg.core.desk.attendee_list import Selection
from eventreg.core.search import one_letter
from eventreg.core.search.tiers import How
from eventreg.core.values import search_keys
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
        house.register(
            name.replace("_", " "),
            phone="13800005678" if not place else f"139000{10000 + place * 37}",
        )
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


def test_who_fits_exactly_comes_first_and_a_beginning_after_that(hall: House) -> None:
    assert names(find(hall, "xy"))[:5] == ["徐英", "欧阳秀英", "王秀英", "曾秀英", "谢永强"]
    surnames = [name[0] for name in names(find(hall, "wu"))]
    assert set(surnames[:2]) == {"吴", "邬"}, "who is called Wu, before names that only begin so"


def test_a_wrong_letter_counts_only_if_nothing_else_matches(hall: House) -> None:
    assert find(hall, "zhangguifang").how is How.FITS
    assert names(find(hall, "zhangguifang")) == ["张桂芳"]
    hall.register("张桂方方", phone="13900099999")
    assert find(hall, "zhangguifamg").how is How.ONE_LETTER_OFF


@pytest.mark.parametrize("query", ["zsn", "lxy"])
def test_three_letters_with_a_wrong_one_find_nobody(hall: House, query: str) -> None:
    assert names(find(hall, query)) == []


@pytest.mark.parametrize(
    ("typed", "meant", "is_one_off"),
    [
        ("xiuyimg", "xiuying", True),
        ("xiuyin", "xiuying", True),
        ("xiuyingg", "xiuying", True),
        ("xiuyign", "xiuying", True),
        ("iuxying", "xiuying", False),
        ("xiuyimh", "xiuying", False),
        ("xiuying", "xiuying", False),
        ("wing", "wang", True),
        ("wan", "wang", False),
        ("欧阳淑娴", "欧阳淑贤", True),
    ],
)
def test_one_wrong_letter_is_another_one_more_one_less_or_two_exchanged(
    typed: str, meant: str, is_one_off: bool
) -> None:
    assert one_letter.is_one_off(typed, meant) is is_one_off


def test_every_single_wrong_letter_in_a_name_is_forgiven(hall: House) -> None:
    name = "zhangguifang"
    wrong = {
        *(name[:place] + "q" + name[place + 1 :] for place in range(len(name))),
        *(name[:place] + name[place + 1 :] for place in range(len(name) - 1)),
        *(name[:place] + "q" + name[place:] for place in range(len(name))),
        *(
            name[:place] + name[place + 1] + name[place] + name[place + 2 :]
            for place in range(len(name) - 1)
        ),
    }
    missed = [one for one in wrong if "张桂芳" not in names(find(hall, one))]
    assert not missed


def test_a_name_with_a_number_finds_only_who_has_both(hall: House) -> None:
    hall.register("李桂芳", phone="13700005678")
    assert names(find(hall, "张 5678", at_door=True)) == ["张桂芳"]
    assert names(find(hall, "5678", at_door=True)) == ["李桂芳", "张桂芳"]
    assert names(find(hall, "王 5678", at_door=True)) == []


def test_a_search_that_names_nobody_finds_nobody(hall: House) -> None:
    for query in ("qqqq", "葛朗台", "%%", "0000", "' OR 1=1 --"):
        assert names(find(hall, query)) == [], query


def test_names_that_sound_alike_stand_apart_from_those_that_fit(hall: House) -> None:
    found = find(hall, "wang")
    assert {row.name[0] for row in found.rows} == {"王"}
    assert {row.name[0] for row in found.near} == {"黄"}


def test_the_export_has_whom_the_search_shows(hall: House) -> None:
    for query in ("oyxy", "zhangguifamg", "秀莹", "qqqq"):
        asked = Selection(query=query)
        exported = {row.name for row in attendee_list.each(reading(), hall.event(), asked)}
        assert exported == {row.name for row in find(hall, query).rows}, query


def test_without_the_keys_of_parts_the_given_name_finds_nobody(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    monkeypatch.setattr(search_keys, "_of_chinese", lambda simple, _: ([simple], []))
    house.apply(toml(capacity=10))
    house.register("王秀英")
    assert names(find(house, "xiuying")) == []
