"""Check-in codes and ticket tokens."""

from collections import Counter
from collections.abc import Iterator

from eventreg.core.registration import check_in_codes, tickets
from eventreg.storage.session import reading
from tests.support.factories import House, toml


def every_code(length: int) -> Iterator[str]:
    """Every code of that length."""
    digits = (f"{number}" for number in range(10 ** (length - 2), 10 ** (length - 1)))
    codes = (start + check_in_codes.check_digit(start) for start in digits)
    return filter(check_in_codes.is_code, codes)


def test_the_number_of_codes_of_each_length_is_right() -> None:
    assert [len(list(every_code(length))) for length in (4, 5, 6)] == [
        581,
        5_226,
        46_971,
    ]


def test_one_wrong_digit_or_two_swapped_ones_never_make_another_code() -> None:
    all_codes = set(every_code(4))
    for code in all_codes:
        for place in range(4):
            wrong = {code[:place] + digit + code[place + 1 :] for digit in "0123456789"} - {code}
            assert not wrong & all_codes
        for place in range(3):
            swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
            assert swapped == code or swapped not in all_codes


def test_no_code_is_unlucky_or_hard_to_say() -> None:
    for code in every_code(4):
        assert code[0] != "0"
        assert "4" not in code
        assert "250" not in code
        assert len(set(code)) > 1
        assert check_in_codes.is_code(code)
    assert "3829" in set(every_code(4))
    assert not check_in_codes.is_code("3828")


def test_codes_get_longer_with_the_number_of_people() -> None:
    assert [
        check_in_codes.length_for(people) for people in (70, 290, 291, 2_613, 2_614, 200_000)
    ] == [4, 4, 5, 5, 6, 7]


def test_each_person_has_a_different_code_that_is_not_the_end_of_an_earlier_number(
    house: House,
) -> None:
    house.apply(toml(capacity=120))
    for number in range(120):
        house.register(f"王{number}号", phone=f"139{number:04d}{7000 + number}")
    rows = reading().connection().exec_driver_sql("SELECT code, phone_tail FROM attendees").all()
    drawn = [row.code for row in rows]
    assert max(Counter(drawn).values()) == 1
    assert all(check_in_codes.is_code(code) for code in drawn)
    for place, code in enumerate(drawn):
        assert code not in {tail for _, tail in rows[: place + 1]}, (
            "the code could be mistaken for the end of a number"
        )


def test_a_ticket_token_has_130_bits_and_may_be_copied_by_hand() -> None:
    token = tickets.token("key", tickets.new_seed())
    assert len(token) == 26
    assert set(token) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    assert tickets.digest(token.lower()) == tickets.digest(token)
    assert tickets.digest(token.replace("0", "O").replace("1", "l")) == tickets.digest(token)
    assert (
        tickets.token("key", "seed")
        == tickets.token("key", "seed")
        != tickets.token("other key", "seed")
    )
