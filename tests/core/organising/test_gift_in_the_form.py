"""The gift in the form in which organisers edit an event."""

from eventreg.core.event import event_file
from eventreg.core.organising import drafts
from tests.support.factories import toml

TEA = '[gift]\ntext = { zh = "茶", en = "Tea" }\n'


def test_check_in_gives_the_gift_if_the_organiser_ticks_it() -> None:
    before = event_file.parse(toml(more=TEA))
    typed = drafts.values(before)
    assert "gift.at_check_in" not in typed
    ticked = event_file.of_raw(drafts.merged(before, {**typed, "gift.at_check_in": "yes"}))
    assert ticked.gift is not None
    assert ticked.gift.at_check_in
    shown = drafts.values(ticked)
    assert shown["gift.at_check_in"] == "yes"
    shown.pop("gift.at_check_in")  # a box that is not ticked is not sent
    again = event_file.of_raw(drafts.merged(ticked, shown))
    assert again == before


def test_an_event_without_a_gift_stays_without_one() -> None:
    bare = event_file.parse(toml())
    assert "gift" not in drafts.merged(bare, drafts.values(bare))
