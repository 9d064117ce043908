"""Rates as a setting writes them: so many in such a time."""

from limits import RateLimitItem, parse_many

_MOST = 1_000_000


def read(text: str) -> tuple[RateLimitItem, ...]:
    """The rates of a text such as "10/minute, 40/hour"; ``ValueError`` in words for every other
    text."""
    try:
        rates = tuple(parse_many(text))
    except ValueError:
        rates = ()
    if not rates or not all(
        0 < rate.amount <= _MOST and 0 < rate.multiples <= _MOST for rate in rates
    ):
        raise ValueError("must be rates such as 10/minute, 40/hour")
    return rates
