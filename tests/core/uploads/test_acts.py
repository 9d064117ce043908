"""A batch of acts is read as it was sent, or refused; one bad act refuses no other."""

import json
from typing import Any

import pytest

from eventreg.core.door_errors import BatchMalformed, BatchTooLarge, BatchWrong
from eventreg.core.uploads import acts
from eventreg.core.uploads.acts import Act, Invalid

GOOD = {"key": "a1", "act": "check-in", "attendee": "0" * 32}


def parse(*sent: Any, **more: Any) -> acts.Batch:
    """The batch with these acts."""
    return acts.parse(json.dumps({"device": "door-1", "acts": sent, **more}).encode())


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": ' * 1_000, b"NaN", b"9" * 5_000, b'"\x00"'],
)
def test_what_is_no_json_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(BatchMalformed):
        acts.parse(body)


def test_json_that_is_nested_too_deeply_is_refused() -> None:
    deep: Any = []
    for _ in range(acts.DEEPEST - 3):
        deep = [deep]
    assert isinstance(parse(deep).acts[0], Invalid), "as deep as allowed"
    with pytest.raises(BatchMalformed):
        parse([deep])


@pytest.mark.parametrize(
    "body",
    [
        [],
        "x",
        None,
        {"acts": []},
        {"device": 5, "acts": []},
        {"device": "\ud800", "acts": []},
        {"device": "x" * 65, "acts": []},
        {"device": "d", "acts": {}},
        {"device": "d"},
        {"device": "d", "acts": [], "now": 5},
        {"device": "d", "acts": [], "now": "yesterday"},
        {"device": "d", "acts": [], "unsent": -1},
        {"device": "d", "acts": [], "unsent": True},
    ],
)
def test_what_is_no_batch_is_refused_as_a_whole(body: Any) -> None:
    with pytest.raises(BatchWrong):
        acts.parse(json.dumps(body).encode())


def test_more_than_five_hundred_acts_are_refused() -> None:
    assert len(parse(*[GOOD] * 500).acts) == 500
    with pytest.raises(BatchTooLarge):
        parse(*[GOOD] * 501)


@pytest.mark.parametrize(
    "wrong",
    [
        {"act": "explode"},
        {"act": None},
        {"act": ["check-in"]},
        {"act": {}},
        {"attendee": 7},
        {"attendee": "\ud800"},
        {"attendee": "a\x00"},
        {"attendee": ""},
        {"attendee": "x" * 65},
        {"seq": "1"},
        {"seq": -1},
        {"seq": 2**31},
        {"seq": 1.5},
        {"at": 5},
        {"at": "noon"},
        {"name": ["张"]},
        {"phone": "1" * 201},
        {"device": {}},
        {"act": "walk-in"},
        {"act": "rename", "name": "  "},
    ],
)
def test_a_bad_act_is_invalid_and_the_others_are_read(wrong: dict[str, Any]) -> None:
    first, second, third = parse({**GOOD, **wrong}, GOOD, {**GOOD, "key": "b2"}).acts
    assert first == Invalid("a1")
    assert isinstance(second, Act)
    assert isinstance(third, Act)


@pytest.mark.parametrize(
    "sent", [None, 1, "x", [], {}, {"key": 1}, {"key": "ü"}, {"key": "\ud800"}]
)
def test_an_act_without_a_key_is_answered_without_one(sent: Any) -> None:
    assert parse(sent).acts[0] == Invalid(None)


def test_a_time_without_a_zone_or_out_of_range_says_nothing() -> None:
    for at in ("2030-06-10T08:47:00", "0001-01-01T00:00:00+14:00"):
        act = parse({**GOOD, "at": at}).acts[0]
        assert isinstance(act, Act)
        assert act.at is None
