"""When the start of an event moves, the times that belong to it are found, moved, or told."""

import pytest

from eventreg.core.errors import Contradicted
from eventreg.core.event import event_file
from eventreg.core.event.definition import Definition
from eventreg.core.organising import consistency
from tests.support.factories import SHIPPED

LECTURE = """
[day_phone]
number = "13800138000"
from = 08:00:00
until = 11:30:00
"""


def lecture(*changes: tuple[str, str]) -> Definition:
    """The shipped lecture with a release time and a telephone for the day, and with these
    replacements in its file."""
    toml = SHIPPED.read_text(encoding="utf-8") + LECTURE
    toml = toml.replace("closes_at = 09:00:00", "closes_at = 09:00:00\nrelease_at = 09:10:00")
    for old, new in changes:
        assert old in toml, old
        toml = toml.replace(old, new)
    return event_file.parse(toml)


RELEASE = "check_in.release_at"
HALF_PAST_NINE = ("2030-06-10T09:00:00", "2030-06-10T09:30:00")


def reasons(written: Definition, before: Definition | None = None) -> dict[str, str]:
    """The contradictions, by the path of the fact."""
    return {one.path: one.reason for one in consistency.contradictions(written, before)}


def test_the_lecture_as_it_is_shipped_fits_together() -> None:
    assert reasons(lecture()) == {}


def test_a_start_half_an_hour_later_leaves_ten_times_behind() -> None:
    before, written = lecture(), lecture(HALF_PAST_NINE)
    assert consistency.left_behind(before, written) == [
        "ends_at",
        "check_in.opens_at",
        "check_in.closes_at",
        "check_in.release_at",
        "day_phone.from",
        "day_phone.until",
        "agenda.0.at",
        "agenda.0.until",
        "agenda.1.at",
        "agenda.2.at",
    ]
    assert reasons(written, before) == {
        "check_in.closes_at": "clash_check_in_closes",
        "check_in.release_at": "clash_release",
        "agenda": "clash_agenda_start",
        "agenda.1.at": "clash_agenda_old",
    }


def test_the_times_that_were_left_behind_move_along() -> None:
    before, written = lecture(), lecture(HALF_PAST_NINE)
    moved = consistency.moved_along(before, written)
    assert [f"{moved.local(item.at):%H:%M}" for item in moved.agenda] == ["09:15", "09:30", "11:30"]
    window = (moved.check_in_opens, moved.check_in_closes, moved.local(moved.check_in.release_at))
    assert [f"{at:%H:%M}" for at in window] == ["09:15", "09:30", "09:40"]
    assert f"{moved.local(moved.ends_at):%H:%M}" == "11:30"
    assert moved.day_phone is not None
    assert (str(moved.day_phone.from_), str(moved.day_phone.until)) == ("08:30:00", "12:00:00")
    assert reasons(moved, before) == {}


def test_a_time_that_the_organiser_set_stays() -> None:
    before = lecture()
    written = lecture(HALF_PAST_NINE, ("opens_at = 08:45:00", "opens_at = 08:50:00"))
    assert "check_in.opens_at" not in consistency.left_behind(before, written)
    assert f"{consistency.moved_along(before, written).check_in_opens:%H:%M}" == "08:50"


def test_another_day_at_the_same_hour_leaves_nothing_behind() -> None:
    before, written = lecture(), lecture(("2030-06-10T", "2030-06-17T"))
    assert consistency.left_behind(before, written) == []
    assert reasons(written, before) == {}


def test_an_end_that_has_a_date_moves_along_too() -> None:
    dated = ("ends_at = 11:00:00", "ends_at = 2030-06-10T11:00:00")
    before, written = lecture(dated), lecture(dated, HALF_PAST_NINE)
    assert f"{consistency.moved_along(before, written).ends_at:%d %H:%M}" == "10 11:30"


@pytest.mark.parametrize(
    ("change", "path", "reason"),
    [
        (("until = 11:30:00", "until = 08:30:00"), "day_phone.until", "clash_day_phone"),
        (("from = 08:00:00", "from = 09:00:00"), "day_phone.from", "clash_day_phone"),
        (("release_at = 09:10:00", "release_at = 08:50:00"), RELEASE, "clash_release"),
        (("release_at = 09:10:00", "release_at = 11:10:00"), RELEASE, "clash_release"),
        (("\nat = 11:00:00", "\nat = 11:30:00"), "agenda.2.at", "clash_agenda"),
        (("at = 08:45:00\nuntil", "at = 08:15:00\nuntil"), "agenda.0.at", "clash_agenda"),
        (
            ("[registration]", "[registration]\ncloses_at = 12:00:00"),
            "registration.closes_at",
            "clash_registration",
        ),
    ],
)
def test_what_contradicts_itself_is_told_with_the_fact_to_correct(
    change: tuple[str, str], path: str, reason: str
) -> None:
    assert reasons(lecture(change))[path] == reason


@pytest.mark.parametrize(
    "words", ["上午 9:00 开始", "早上 9 点开始", "9点半开始", "We begin at 9:00.", "09:00 sharp"]
)
def test_a_text_that_still_says_the_old_time_is_told(words: str) -> None:
    text = ("听得懂，学得会，在家也能练。", words)
    found = reasons(lecture(text, HALF_PAST_NINE), lecture(text))
    assert ("summary.zh" in found) == ("半" not in words), "half past nine is not nine"


def test_a_contradiction_that_was_saved_on_purpose_is_not_told_again() -> None:
    odd = ("release_at = 09:10:00", "release_at = 08:50:00")
    before = lecture(odd)
    assert reasons(lecture(odd, ("capacity = 50", "capacity = 60")), before) == {}
    with pytest.raises(Contradicted):
        consistency.require_consistent(lecture(odd), lecture())
    consistency.require_consistent(lecture(odd), lecture(), meant=True)
