"""The code of a person who cancelled is never given to another."""

import pytest

from tests.core.undo.offers import codes
from tests.support.factories import House

pytestmark = pytest.mark.both_databases


def test_nobody_else_ever_gets_the_code_of_a_person_who_cancelled(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = house.register("王一")
    (code,) = codes(made)
    house.cancel(made)
    from eventreg.core.registration import check_in_codes  # noqa: PLC0415 - patched below

    drawn = iter([str(code), str(code), "3829", "3815"])
    monkeypatch.setattr(check_in_codes, "_random_code", lambda _length: next(drawn))
    assert codes(house.register("王二"))[0] in {"3829", "3815"}


def test_if_the_codes_of_one_length_run_out_the_next_are_longer(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from eventreg.core.registration import check_in_codes  # noqa: PLC0415 - patched below

    known = {4: "3829", 5: "38150"}
    monkeypatch.setattr(check_in_codes, "_random_code", known.__getitem__)
    first = house.register("王一")
    house.cancel(first)
    assert (codes(first), codes(house.register("王二"))) == (["3829"], ["38150"])
