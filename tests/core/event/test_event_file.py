"""Event files: reading them, reporting every mistake at once, applying them to an event."""

import pytest

from eventreg.core import audit
from eventreg.core.event import event_file
from eventreg.core.event.definition import dump, load
from eventreg.core.event.event_file import DefinitionInvalid
from eventreg.core.organising import applying
from eventreg.storage.session import transaction
from tests.support.factories import SHIPPED, House, local, toml

EVERY_KEY = """
slug = "everything"
capacity = 9
timezone = "Asia/Shanghai"
starts_at = 2031-03-01T14:00:00
ends_at = 2031-03-01T16:00:00
title = { zh = "茶", en = "Tea" }
title_breaks = { zh = "茶", en = "Tea" }
theme = { zh = "茶", en = "Tea" }
summary = { zh = "茶", en = "Tea" }
health_note = { zh = "茶", en = "Tea" }
max_party = 3
max_per_phone = 5
[waitlist]
open = false
size = 7
[registration]
opens_at = 2031-02-01T09:00:00
closes_at = 12:00:00
[check_in]
opens_at = 13:30:00
closes_at = 14:00:00
release_at = 14:10:00
[[agenda]]
at = 14:00:00
until = 15:00:00
text = { zh = "茶", en = "Tea" }
[[topics]]
picture = "hands"
text = { zh = "手", en = "Hands" }
[[asked]]
text = { zh = "茶？", en = "Tea?" }
[place]
name = { zh = "茶馆", en = "Tea house" }
address = { zh = "路", en = "Road" }
transport = { zh = "车", en = "Bus" }
access = { zh = "电梯", en = "Lift" }
map = "https://map.example/tea"
[speaker]
name = "陆羽"
post = { zh = "茶人", en = "Tea master" }
institution = { zh = "茶馆", en = "Tea house" }
about = { zh = "茶", en = "Tea" }
[[hosts]]
name = { zh = "茶馆", en = "Tea house" }
[phone_line]
number = "87654321"
area_code = "0574"
calls_from = "0574-87654321"
weekdays = [1, 3]
opens = 10:00:00
closes = 12:00:00
closed_on = [2031-02-03]
open_on = [2031-02-08]
held_seats = 2
held_until = 2031-02-20T12:00:00
[day_phone]
number = "13800138000"
from = 08:00:00
until = 17:00:00
[gift]
text = { zh = "茶", en = "Tea" }
stock = 9
at_check_in = true
[[bring]]
text = { zh = "杯子", en = "A cup" }
[[promises]]
text = { zh = "不卖东西。", en = "We sell nothing." }
[notice]
kind = "moved"
text = { zh = "换了地方", en = "Another room" }
[privacy]
keep_days = 10
server = { zh = "茶馆里", en = "In the tea house" }
[site]
short_name = { zh = "茶馆", en = "Tea house" }
legal_name = { zh = "茶馆有限公司", en = "Tea House Ltd" }
filing = "浙ICP备00000000号"
"""


def mistakes(text: str) -> list[str]:
    """The mistakes that are reported for a file."""
    with pytest.raises(DefinitionInvalid) as refused:
        event_file.parse(text, "x.toml")
    return refused.value.mistakes


def test_the_shipped_file_is_valid_and_has_no_warnings() -> None:
    shipped = event_file.parse(SHIPPED.read_text(encoding="utf-8"))
    assert shipped.capacity == 50
    assert event_file.warnings(shipped) == []


def test_every_key_is_read_and_is_the_same_after_the_database() -> None:
    everything = event_file.parse(EVERY_KEY)
    assert load(dump(everything)) == everything
    assert everything.notice is not None
    assert everything.notice.kind == "moved"
    assert everything.day_phone is not None
    assert everything.day_phone.from_ is not None
    assert everything.aware(everything.registration.closes_at) == local("2031-03-01 12:00")
    assert everything.aware(everything.check_in.release_at) == local("2031-03-01 14:10")


def test_all_mistakes_are_reported_at_once_with_file_path_and_expectation() -> None:
    found = mistakes(
        toml(
            capacity=-1,
            head='colour = "red"',
            more="held_seats = 9\nweekdays = [0]\n[gift]\ntext = 5\n[speaker]\nnme = 1",
        )
        .replace("Asia/Shanghai", "Mars/Base")
        .replace("11:00:00", "08:00:00")
        .replace('number = "87654321"', 'number = "12"')
    )
    paths = [line.split(": ")[1] for line in found]
    assert all(line.startswith("x.toml: ") for line in found)
    assert set(paths) >= {
        "capacity",
        "colour",
        "timezone",
        "ends_at",
        "phone_line.number",
        "phone_line.weekdays.0",
        "gift.text",
        "speaker.nme",
        "phone_line.held_seats",
    }
    assert any("{ zh = " in line for line in found)


def test_a_syntax_error_is_reported_with_its_line() -> None:
    assert mistakes('slug = "x"\ncapacity = = 3\n') == [
        "x.toml: not TOML: Invalid value (at line 2, column 12)"
    ]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ('slug = "small"|slug = "Not A Slug"', "slug"),
        ('slug = "small"|', "slug"),
        ('slug = "small"|slug = "new"', "slug"),
        ("capacity = 3|capacity = 3.5", "capacity"),
        ('capacity = 3|capacity = "3"', "capacity"),
        ("capacity = 3|capacity = true", "capacity"),
        ("2030-06-10T09:00:00|2030-06-10T09:00:00+08:00", "starts_at"),
        ("2030-06-10T09:00:00|2030-06-10", "starts_at"),
        ('en = "Calligraphy class"|fr = "Cours"', "title.en"),
        ('en = "Calligraphy class"|en = ""', "title.en"),
        ("closes_at = 09:00:00|closes_at = 08:30:00", "check_in.closes_at"),
        ("closes_at = 09:00:00|closes_at = 09:00:00\nrelease_at = 08:00:00", "check_in.release_at"),
        (
            "[place]|[[agenda]]\nat = 09:00:00\nuntil = 08:00:00\ntext = {zh='a', en='b'}\n[place]",
            "agenda.0.until",
        ),
        (
            "[place]|[[topics]]\npicture = 'nose'\ntext = {zh='a', en='b'}\n[place]",
            "topics.0.picture",
        ),
        ("[place]|[notice]\nkind = 'late'\ntext = {zh='a', en='b'}\n[place]", "notice.kind"),
        ("[place]|[privacy]\nkeep_days = 400\n[place]", "privacy.keep_days"),
        ("[check_in]|max_party = 6\n[check_in]", "max_per_phone"),
        ('area_code = "0574"|opens = 17:00:00\ncloses = 09:00:00', "phone_line.closes"),
    ],
)
def test_a_wrong_value_is_reported_with_its_path(change: str, path: str) -> None:
    before, after = change.split("|")
    assert any(
        line.startswith(f"x.toml: {path}: ") for line in mistakes(toml().replace(before, after))
    )


def test_words_that_promise_a_cure_are_warned_of_and_words_of_health_are_not() -> None:
    file = toml().replace("Calligraphy class", "A cure by experts")
    file = file.replace("书法课", "第一次健康课，包治")
    warnings = "\n".join(event_file.warnings(event_file.parse(file)))
    assert "'cure'" in warnings
    assert "'包治'" in warnings
    assert "'第一'" not in warnings
    harmless = toml().replace("Calligraphy class", "Health, treatment, secure")
    assert event_file.warnings(event_file.parse(harmless)) == []


def test_applying_the_same_file_twice_changes_nothing(house: House) -> None:
    house.apply(toml())
    with transaction() as session:
        again = applying.apply(session, event_file.parse(toml()), by=audit.SYSTEM, now=house.now)
    assert not again.created
    assert again.changes == ()
    assert house.event().version == 1


def test_applying_a_changed_file_shows_what_changes(house: House) -> None:
    house.apply(toml())
    with transaction() as session:
        changed = event_file.parse(toml(capacity=5).replace("图书馆", "礼堂"))
        applied = applying.apply(session, changed, by=audit.SYSTEM, now=house.now)
    assert ("capacity", "3", "5") in applied.changes
    assert ("place.name.zh", "图书馆", "礼堂") in applied.changes
    assert house.event().version == 2


def test_a_capacity_below_the_seats_taken_is_over_and_cancels_no_one(house: House) -> None:
    house.apply(toml(capacity=3))
    for name in ("王一", "王二", "王三"):
        house.register(name)
    house.apply(toml(capacity=1))
    counted = house.seats()
    assert (counted.taken, counted.capacity, counted.left, counted.over) == (3, 1, 0, 2)
