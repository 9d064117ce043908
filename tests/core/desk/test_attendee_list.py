"""The attendee list: search, filters and order; and the check-in list made of it."""

import csv
import io

import pytest

from eventreg.core import audit
from eventreg.core.desk import attendee_counts, attendee_list, check_in_list
from eventreg.core.desk.attendee_list import Filter, Selection, Sort
from eventreg.core.registration import cancellations, lookup
from eventreg.storage.session import reading, transaction
from tests.support.factories import House, toml, with_event

pytestmark = pytest.mark.both_databases

EVERYBODY = ["100%_纯", "Anna O'Neil", "吕秀兰", "王建国", "曾秀英", "张桂芳"]


@pytest.fixture
def full(house: House) -> House:
    """An event with six attendees."""
    house.apply(toml(capacity=60))
    house.register("张桂芳", "王建国", phone="13800138000")
    house.register("曾秀英", phone="13900139123")
    house.register("吕秀兰", phone="0574-56116778", source="phone")
    house.register("Anna O'Neil", phone="+44 20 7946 0018")
    house.register("100%_纯", phone="13700137000")
    return house


def found(house: House, query: str) -> list[str]:
    """The names that a search finds."""
    return [
        row.name for row in attendee_list.listed(reading(), house.event(), Selection(query=query))
    ]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("张", ["张桂芳"]),
        ("桂", ["张桂芳"]),
        ("zgf", ["张桂芳"]),
        ("z", ["曾秀英", "张桂芳"]),
        ("zhang", ["张桂芳"]),
        ("zhang gui fang", ["张桂芳"]),
        ("ZENG", ["曾秀英"]),
        ("8000", ["王建国", "张桂芳"]),
        ("139123", ["曾秀英"]),
        ("138 0013 8000", ["王建国", "张桂芳"]),
        ("6778", ["吕秀兰"]),
        ("lv", ["吕秀兰"]),
        ("lyu", ["吕秀兰"]),
        ("+86 138 0013 8000", ["王建国", "张桂芳"]),
        ("0086-138-0013-8000", ["王建国", "张桂芳"]),
        ("+", []),
        ("(0574) 5611.6778", ["吕秀兰"]),
        ("057456116778", ["吕秀兰"]),
        ("+44 20 7946 0018", ["Anna O'Neil"]),
        ("lü", ["吕秀兰"]),
        ("0000", []),
        ("00000000", []),
        ("+-()", []),
        ("/./", []),
        ("anna", ["Anna O'Neil"]),
        ("o'neil", ["Anna O'Neil"]),
        ("neil anna", ["Anna O'Neil"]),
        ("%", ["100%_纯"]),
        ("_", ["100%_纯"]),
        ("nobody", []),
        ("(a+)+$", []),
        ("' OR 1=1 --", []),
        ("\x00", EVERYBODY),
    ],
)
def test_search_finds_people_by_name_pinyin_or_number(
    full: House, query: str, names: list[str]
) -> None:
    assert found(full, query) == names


def test_search_finds_a_check_in_code_from_its_first_digits(full: House) -> None:
    somebody = attendee_list.confirmed(reading(), full.event())[0]
    assert somebody.code is not None
    assert somebody.name in found(full, somebody.code)


def test_each_filter_counts_the_rows_it_shows(full: House) -> None:
    registration = attendee_list.listed(reading(), full.event(), Selection(query="曾"))[
        0
    ].registration_id
    with transaction() as session:
        cancellations.cancel(
            session,
            *with_event(session, lookup.get(session, registration)),
            by=audit.SYSTEM,
            now=full.now,
        )
    counts = attendee_counts.by_filter(reading(), full.event())
    assert counts == {
        Filter.ALL: 6,
        Filter.CONFIRMED: 5,
        Filter.WAITLISTED: 0,
        Filter.CANCELLED: 1,
        Filter.ARRIVED: 0,
    }
    for wanted, count in counts.items():
        asked = Selection(filter=wanted)
        assert (
            len(attendee_list.listed(reading(), full.event(), asked))
            == count
            == attendee_counts.found(reading(), full.event(), asked)
        )


def test_the_list_sorts_by_name_time_and_code(full: House) -> None:
    def names(sort: Sort) -> list[str]:
        return [
            row.name for row in attendee_list.listed(reading(), full.event(), Selection(sort=sort))
        ]

    assert names(Sort.NAME) == EVERYBODY
    assert names(Sort.TIME)[0] == "100%_纯"
    codes = [
        row.code for row in attendee_list.listed(reading(), full.event(), Selection(sort=Sort.CODE))
    ]
    assert codes == sorted(codes, key=str)
    assert set(names(Sort.STATE)) == set(names(Sort.NAME))


def test_a_long_list_has_pages(full: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attendee_list, "PAGE", 4)
    event = full.event()
    pages = [attendee_list.listed(reading(), event, Selection(page=page)) for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [4, 2, 0]


def test_sources_are_counted_by_attendee(full: House) -> None:
    assert attendee_counts.by_source(reading(), full.event()) == {"online": 5, "phone": 1}


@pytest.mark.parametrize(("people", "sides"), [(0, 1), (1, 1), (25, 1), (26, 2), (50, 2), (51, 3)])
def test_a_side_holds_25_people(house: House, people: int, sides: int) -> None:
    house.apply(toml(capacity=60))
    for number in range(people):
        house.register(f"王{number}号")
    made = check_in_list.sides(attendee_list.confirmed(reading(), house.event()))
    assert len(made) == sides
    assert sum(len(side.rows) for side in made) == people
    assert [line.number for side in made for line in side.rows] == list(range(1, people + 1))
    assert all(side.sides == sides + 1 for side in made), "the blank side counts too"


def test_the_first_row_of_a_group_has_its_letter_and_each_row_numbers_its_party(
    full: House,
) -> None:
    side = check_in_list.sides(attendee_list.confirmed(reading(), full.event()))[0]
    assert [line.letter for line in side.rows] == ["#", "A", "L", "W", "Z", ""]
    assert [line.with_numbers for line in side.rows] == [(), (), (), (6,), (), (4,)]
    assert side.letters == "# – Z"


NAMES = [
    "=A1+1",
    "@cmd",
    "-b3",
    "'quoted",
    "+h86",
    'A "B", C',
    "＝A1",
    "＋甲",
    "－甲",
    "＠甲",
    "﹢甲",
    "−甲",
]


def test_the_csv_contains_no_formula_and_every_name(house: House) -> None:
    house.apply(toml(capacity=20))
    for name in NAMES:
        house.register(name)
    text = check_in_list.as_csv(
        check_in_list.sides(attendee_list.confirmed(reading(), house.event()))
    )
    assert text.startswith("\ufeff")
    cells = [row["name"] for row in csv.DictReader(io.StringIO(text.lstrip("\ufeff")))]
    assert not any(
        cell.startswith(("=", "@", "-", "+", "＝", "＋", "－", "＠", "﹢", "−")) for cell in cells
    )
    assert sorted(cell.removeprefix("'") for cell in cells) == sorted(NAMES)


def test_the_text_list_is_aligned_and_has_no_control_characters(full: House) -> None:
    text = check_in_list.as_text(
        check_in_list.sides(attendee_list.confirmed(reading(), full.event())), "书法课\x1b[2J"
    )
    assert "\x1b" not in check_in_list.plain("书法课\x1b[2J")
    rows = [line for line in text.splitlines() if line.endswith("[ ] [ ]")]
    assert len(rows) == 6
    assert len({check_in_list._width(row) for row in rows}) == 1
