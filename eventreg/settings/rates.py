"""Read the rates of a setting, such as "10/minute, 40/hour"."""

from limits import RateLimitItem, parse_many

_MOST = 1_000_000


def read(text: str) -> tuple[RateLimitItem, ...]:
    """The rates in a text. Raises ``ValueError`` with a reason for the operator if it has none, or
    one above a million."""
    try:
        rates = tuple(parse_many(text))
    except ValueError:
        rates = ()
    if not rates or not all(
        0 < rate.amount <= _MOST and 0 < rate.multiples <= _MOST for rate in rates
    ):
        raise ValueError("must be rates such as 10/minute, 40/hour")
    return rates
