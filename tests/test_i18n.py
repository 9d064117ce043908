"""Dates and times in both languages."""

from datetime import date, datetime

import pytest

from eventreg import i18n

MORNING = datetime(2030, 6, 10, 8, 7)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("language", "year", "shown"),
    [
        ("zh", 2030, "06-10 8:07"),
        ("zh", 2031, "2030-06-10 8:07"),
        ("en", 2030, "10 Jun, 08:07"),
        ("en", 2031, "10 Jun 2030, 08:07"),
    ],
)
def test_a_short_date_names_the_year_if_it_is_another_one(
    language: str, year: int, shown: str
) -> None:
    assert i18n.stamp(language, MORNING, today=date(year, 1, 2)) == shown
