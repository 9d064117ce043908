"""The waiting list: who is promoted first, how a party splits, and what calls are owed."""

from typing import Any

import pytest

from eventreg.core import audit, outbox
from eventreg.core.errors import (
    EventFull,
    RegistrationClosed,
    WaitlistFull,
)
from eventreg.core.models.registration import Registration
from eventreg.core.registration import lookup
from eventreg.core.values.notices import NoticeKind
from eventreg.storage.session import reading, write
from tests.core.registration.parties import checked_sum, fresh, place, state, wait
from tests.support.factories import House, local, toml

pytestmark = pytest.mark.both_databases


def test_when_the_event_is_full_one_gets_a_waiting_place_only_if_one_accepts_it(
    full: House,
) -> None:
    with pytest.raises(EventFull):
        full.register("李一")
    first, second = wait(full, "李一"), wait(full, "李二")
    assert (state(first), place(first), place(second)) == ("waitlisted", 1, 2)
    assert [person.code for person in lookup.party(reading(), fresh(first))] == [None]
    assert checked_sum(full).waiting == 2


def test_one_who_would_wait_gets_a_seat_if_there_is_one(house: House) -> None:
    house.apply(toml(capacity=1))
    assert wait(house, "李一").state == "confirmed"


def test_cancelling_promotes_the_first_party_that_fits(house: House) -> None:
    house.apply(toml(capacity=2))
    first = house.register("王一")
    house.register("王二")
    couple, single = wait(house, "赵一", "赵二"), wait(house, "孙一")
    house.cancel(first)
    assert (state(couple), state(single)) == ("waitlisted", "confirmed")
    assert place(couple) == 1, "passed over, and still first"
    assert all(person.code for person in lookup.party(reading(), fresh(single)))
    assert outbox.owed_calls(reading(), single.id) == ["promoted"]
    checked_sum(house)


def test_a_new_party_gets_a_seat_only_if_no_waiting_party_fits(house: House) -> None:
    house.apply(toml(capacity=3))
    people = [house.register(f"王{number}号") for number in range(3)]
    couple = wait(house, "赵一", "赵二")
    house.cancel(people[0])
    assert state(couple) == "waitlisted"
    assert house.register("孙一").state == "confirmed", "one seat, which nobody who waits could use"
    house.cancel(people[1])
    house.cancel(people[2])
    assert state(couple) == "confirmed"
    with pytest.raises(EventFull):
        house.register("孙二")
    checked_sum(house)


def test_a_waiting_party_that_shrinks_may_fit_at_once(house: House) -> None:
    house.apply(toml(capacity=2))
    first = house.register("王一")
    house.register("王二")
    couple = wait(house, "赵一", "赵二")
    house.cancel(first)
    second = lookup.party(reading(), fresh(couple))[1]
    house.cancel(couple, second.id)
    assert state(couple) == "confirmed"
    assert checked_sum(house).waiting == 0


def test_the_waiting_list_has_a_size_and_can_be_closed(house: House) -> None:
    house.apply(toml(capacity=1, more="[waitlist]\nsize = 2"))
    house.register("王一")
    wait(house, "李一")
    with pytest.raises(WaitlistFull):
        wait(house, "李二", "李三")
    wait(house, "李二")
    house.apply(toml(capacity=1, more="[waitlist]\nopen = false"))
    with pytest.raises(WaitlistFull):
        wait(house, "李四")
    assert checked_sum(house).waiting == 2, "who waits already goes on waiting"


def test_a_couple_may_split_if_one_seat_is_left(house: House) -> None:
    house.apply(toml(capacity=2))
    seated = house.register("王一")
    first = house.register("赵一", "赵二", split=True)
    (companion,) = lookup.waiting_beside(reading(), fresh(first))
    assert (state(first), companion.state, place(companion)) == ("confirmed", "waitlisted", 1)
    house.cancel(seated)
    assert state(companion) == "confirmed"
    assert checked_sum(house).confirmed == 2


def test_a_couple_that_accepts_a_split_is_seated_together_if_there_are_two_seats(
    house: House,
) -> None:
    house.apply(toml(capacity=2))
    made = house.register("赵一", "赵二", split=True)
    assert len(lookup.party(reading(), fresh(made))) == 2


@pytest.mark.parametrize(
    ("left", "size", "wishes"), [(0, 20, {"split": True}), (1, 0, {"split": True}), (1, 1, {})]
)
def test_a_couple_is_split_only_with_a_seat_a_waiting_place_and_its_consent(
    house: House, left: int, size: int, wishes: dict[str, Any]
) -> None:
    house.apply(toml(capacity=2, more=f"[waitlist]\nsize = {size}"))
    for number in range(2 - left):
        house.register(f"王{number}号")
    with pytest.raises((EventFull, WaitlistFull)):
        house.register("赵一", "赵二", **wishes)
    assert checked_sum(house).confirmed == 2 - left


def test_more_capacity_promotes_exactly_as_many_people(full: House) -> None:
    waiting = [wait(full, f"李{number}号") for number in range(4)]
    full.apply(toml(capacity=4))
    assert [state(made) for made in waiting] == [
        "confirmed",
        "confirmed",
        "waitlisted",
        "waitlisted",
    ]
    assert checked_sum(full).confirmed == 4


def test_with_less_capacity_everyone_keeps_the_seat_and_no_one_is_promoted_until_it_fits(
    house: House,
) -> None:
    house.apply(toml(capacity=3))
    people = [house.register(f"王{number}号") for number in range(3)]
    waiting = wait(house, "李一")
    house.apply(toml(capacity=1))
    assert (checked_sum(house).over, checked_sum(house).confirmed) == (2, 3)
    for person in people[:2]:
        house.cancel(person)
        assert state(waiting) == "waitlisted"
    house.cancel(people[2])
    assert state(waiting) == "confirmed"
    assert checked_sum(house).over == 0


@pytest.mark.parametrize("kind", list(NoticeKind))
def test_after_a_notice_everyone_is_owed_a_call_and_a_cancelled_event_is_closed(
    full: House, kind: str
) -> None:
    seated = reading().query(Registration).one()
    waiting = wait(full, "李一", email="li@example.org")
    gone = wait(full, "李二")
    full.cancel(gone)
    notice = f'[notice]\nkind = "{kind}"\ntext = {{ zh = "通知", en = "Notice" }}'
    full.apply(toml(capacity=2, more=notice))
    told = {who for who, _ in outbox.unsettled_calls(reading(), full.event().id)}
    assert told == {seated.id, waiting.id}
    if kind == "cancelled":
        with pytest.raises(RegistrationClosed):
            wait(full, "李三")
        full.cancel(seated)
        assert state(waiting) == "waitlisted", "nobody is seated in an event that will not be"
    else:
        assert wait(full, "李三").state == "waitlisted"
    full.apply(toml(capacity=2))
    owed = {kind for _, kind in outbox.unsettled_calls(reading(), full.event().id)}
    assert owed <= {"promoted"}, "a notice that was withdrawn is owed to nobody"
    checked_sum(full)


def test_a_party_that_was_reached_is_owed_no_call_any_more(full: House) -> None:
    full.hire()
    waiting = wait(full, "李一")
    full.apply(toml(capacity=3))
    assert [who for who, _ in outbox.unsettled_calls(reading(), full.event().id)] == [waiting.id]
    for _ in range(2):
        write(lambda session: outbox.settle(session, fresh(waiting), by=full.desmond, now=full.now))
    assert outbox.unsettled_calls(reading(), full.event().id) == []
    acts = [line.action for line in audit.history(reading(), waiting.id)]
    assert acts.count(audit.Action.TOLD) == 1


def test_after_the_event_no_one_is_promoted(full: House) -> None:
    waiting = wait(full, "李一")
    full.now = local("2030-06-10 11:00")
    full.cancel(reading().query(Registration).filter_by(state="confirmed").one())
    assert state(waiting) == "waitlisted"
    checked_sum(full)
