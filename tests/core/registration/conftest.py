"""Fixtures of the registration tests: a house with room, and one that is full."""

from tests.support.houses import with_seats

small = with_seats(5)
full = with_seats(2, "王一", "王二")
