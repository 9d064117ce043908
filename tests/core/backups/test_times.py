"""When a backup is due, and which ones may be deleted."""

from datetime import UTC, datetime, timedelta

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventreg.core.backups import times
from tests.proofs.conftest import rounds
from tests.support.factories import local

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LECTURE = times.busy_time(
    local("2030-06-10 08:45"), local("2030-06-10 09:00"), local("2030-06-10 11:00"), "Asia/Shanghai"
)


@pytest.mark.parametrize(
    ("last", "now", "due"),
    [
        (None, "2030-06-03 10:00", True),
        ("2030-06-03 10:00", "2030-06-03 10:05", False),
        ("2030-06-03 10:00", "2030-06-03 10:53", False),
        ("2030-06-03 10:00", "2030-06-03 10:55", True),  # the timer is not exact
        ("2030-06-03 10:00", "2030-06-03 09:00", True),  # the clock was wrong
        ("2030-06-10 05:50", "2030-06-10 05:59", False),
        ("2030-06-10 05:50", "2030-06-10 06:00", True),  # the morning of the event
        ("2030-06-10 10:50", "2030-06-10 10:54", False),
        ("2030-06-10 10:50", "2030-06-10 10:55", True),
        ("2030-06-10 10:50", "2030-06-10 11:00", False),  # it is over
        ("2030-06-10 10:50", "2030-06-10 11:50", True),
    ],
)
def test_a_backup_is_due_each_hour_and_every_five_minutes_on_the_day(
    last: str | None, now: str, due: bool
) -> None:
    assert times.is_due(local(last) if last else None, None, [LECTURE], local(now)) is due


def test_an_event_before_breakfast_is_busy_from_check_in_on() -> None:
    early = times.busy_time(
        local("2030-06-10 05:00"),
        local("2030-06-10 05:30"),
        local("2030-06-10 07:00"),
        "Asia/Shanghai",
    )
    assert times.is_busy([early], local("2030-06-10 05:00"))
    assert not times.is_busy([early], local("2030-06-10 04:59"))


def test_after_a_failure_it_is_tried_again_in_five_minutes() -> None:
    now = local("2030-06-03 10:00")
    for minutes, due in ((1, False), (4, False), (5, True)):
        later = now + timedelta(minutes=minutes)
        assert times.is_due(now - DAY, now, [], later) is due
        assert times.is_copy_due(now, now - DAY, now, later) is due


def test_a_copy_is_due_for_a_backup_that_was_not_copied_yet() -> None:
    now = local("2030-06-03 10:00")
    assert not times.is_copy_due(None, None, None, now)
    assert times.is_copy_due(now, None, None, now)
    assert times.is_copy_due(now, now - HOUR, None, now)
    assert not times.is_copy_due(now, now, None, now + HOUR)


def test_a_drill_is_due_once_a_month_a_day_after_a_failure_and_never_on_the_day() -> None:
    now = local("2030-06-03 10:00")
    assert times.is_drill_due(None, None, [LECTURE], now)
    assert not times.is_drill_due(now - 20 * DAY, None, [LECTURE], now)
    assert times.is_drill_due(now - 30 * DAY, None, [LECTURE], now)
    assert not times.is_drill_due(now - 30 * DAY, now - HOUR, [LECTURE], now)
    assert times.is_drill_due(now - 30 * DAY, now - DAY, [LECTURE], now)
    assert not times.is_drill_due(None, None, [LECTURE], local("2030-06-10 08:00"))


NOW = datetime(2030, 6, 3, 2, tzinfo=UTC)
AGES = st.lists(
    st.integers(-120, 60 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes)), max_size=60
)
"""Up to sixty days old; a few from the future, because a clock was wrong."""


@hypothesis.settings(max_examples=rounds(30, 1000), deadline=None)
@given(AGES)
def test_what_is_kept_of_any_backups(ages: list[timedelta]) -> None:
    made = {NOW - age for age in ages}
    gone = times.superfluous(made, NOW)
    kept = made - gone
    assert gone <= made
    assert not made or max(made) in kept, "the last one stays, however old it is"
    assert all(one in kept for one in made if NOW - one <= timedelta(hours=48))
    rest = [one for one in kept if NOW - one > timedelta(hours=48) and one != max(made)]
    assert len({one.date() for one in rest}) == len(rest), "one a day"
    assert all(NOW - one <= timedelta(days=35) for one in rest)
    days = {one.date() for one in made if NOW - one <= timedelta(days=35)}
    assert days == {one.date() for one in kept if NOW - one <= timedelta(days=35)}, (
        "each day that had a backup still has one"
    )


@hypothesis.settings(max_examples=rounds(30, 1000), deadline=None)
@given(AGES)
def test_thinning_out_after_each_backup_keeps_the_same_as_thinning_out_once(
    ages: list[timedelta],
) -> None:
    made = {NOW - age for age in ages if age >= timedelta()}
    left: set[datetime] = set()
    for one in sorted(made):
        left.add(one)
        left -= times.superfluous(left, one)
    left -= times.superfluous(left, NOW)
    assert left == made - times.superfluous(made, NOW)


def test_a_month_of_backups_every_hour() -> None:
    """49 of the last two days, and one for each of the 33 days before."""
    made = {NOW - hours * HOUR for hours in range(24 * 60)}
    kept = made - times.superfluous(made, NOW)
    assert len(kept) == 49 + 33
    assert min(kept) >= NOW - timedelta(days=35)
