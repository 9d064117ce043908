"""Undoing a cancellation within ten minutes, and the one exception to first come, first served."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from eventreg.core import audit
from eventreg.core.audit import Action
from eventreg.core.errors import (
    AlreadyRegistered,
    NothingToUndo,
    PhoneAtLimit,
    RegistrationClosed,
    SeatGivenAway,
    TooLateToUndo,
)
from eventreg.core.models.registration import Attendee, Registration
from eventreg.core.registration import lookup
from eventreg.core.undo.cancelled import Offer
from eventreg.operations import forgetting
from eventreg.storage.session import reading
from tests.core.registration.parties import checked_sum, fresh, place, state, wait
from tests.core.undo.offers import codes, offered, person
from tests.support.factories import House, toml

pytestmark = pytest.mark.both_databases


def test_who_cancelled_by_mistake_gets_the_seat_back_with_the_same_code(house: House) -> None:
    couple = house.register("王一", "王二")
    before = codes(couple)
    house.cancel(couple)
    assert offered(house, couple) is Offer.UNDO
    house.now += timedelta(minutes=9, seconds=59)
    house.undo(couple)
    assert (state(couple), codes(couple)) == ("confirmed", before)
    assert fresh(couple).cancelled_at is None
    assert checked_sum(house).confirmed == 2
    assert [line.action for line in audit.history(reading(), couple.id)][-2:] == [
        Action.SEATS_RELEASED,
        Action.CANCELLATION_UNDONE,
    ]


def test_after_ten_minutes_it_is_too_late(house: House) -> None:
    made = house.register("王一")
    house.cancel(made)
    house.now += timedelta(minutes=10)
    assert offered(house, made) is None
    with pytest.raises(TooLateToUndo):
        house.undo(made)
    assert (state(made), checked_sum(house).confirmed) == ("cancelled", 0)


def test_only_the_one_of_a_couple_who_cancelled_comes_back(house: House) -> None:
    couple = house.register("王一", "王二")
    house.cancel(couple, person(couple, 1))
    house.undo(couple)
    assert [one.name for one in lookup.party(reading(), fresh(couple))] == ["王一", "王二"]
    assert checked_sum(house).confirmed == 2


def test_two_cancellations_of_a_couple_are_undone_one_by_one_the_last_one_first(
    house: House,
) -> None:
    couple = house.register("王一", "王二")
    house.cancel(couple, person(couple, 1))
    house.cancel(couple, person(couple, 2))
    house.undo(couple)
    assert [one.name for one in lookup.party(reading(), fresh(couple))] == ["王二"]
    house.undo(couple)
    assert checked_sum(house).confirmed == 2
    with pytest.raises(NothingToUndo):
        house.undo(couple)
    house.cancel(couple)
    house.undo(couple)
    assert checked_sum(house).confirmed == 2, "cancelled and undone once more"


def test_a_seat_that_somebody_has_by_now_stays_with_them(house: House) -> None:
    house.register("王一")
    made = house.register("王二")
    waiting = wait(house, "钱大伟")
    house.cancel(made)
    assert state(waiting) == "confirmed"
    assert offered(house, made) is Offer.PUT_FIRST
    with pytest.raises(SeatGivenAway):
        house.undo(made)
    assert (state(waiting), state(made)) == ("confirmed", "cancelled")
    assert checked_sum(house).confirmed == 2


def test_who_waits_comes_before_who_takes_a_cancellation_back(house: House) -> None:
    house.apply(toml(capacity=2, more="held_seats = 1\nheld_until = 2030-06-03T10:05:00"))
    made = house.register("王一")
    waiting = wait(house, "钱大伟")
    house.cancel(made)
    assert state(waiting) == "confirmed"
    later = wait(house, "孙一")
    house.now += timedelta(minutes=6)  # the held seat is free by the clock; nobody looked yet
    with pytest.raises(SeatGivenAway):
        house.undo(made)
    assert state(later) == "waitlisted", "the refusal has changed nothing"
    house.put_first(made)
    assert (state(later), state(made)) == ("confirmed", "cancelled")
    checked_sum(house)


def test_seats_held_for_the_telephone_are_not_used(house: House) -> None:
    made = house.register("王一", "王二")
    house.cancel(made)
    house.apply(toml(capacity=2, more="held_seats = 1\nheld_until = 2030-06-09T10:05:00"))
    with pytest.raises(SeatGivenAway):
        house.undo(made)
    assert checked_sum(house).held == 1


def test_who_left_the_waiting_list_gets_the_same_place_back(house: House) -> None:
    house.register("王一", "王二")
    first, second = wait(house, "李一", "李二"), wait(house, "孙一")
    house.cancel(first)
    assert place(second) == 1
    house.undo(first)
    assert (place(first), place(second), codes(first)) == (1, 2, [None, None])
    assert checked_sum(house).waiting == 3


def test_who_left_the_waiting_list_just_before_a_seat_came_free_sits(house: House) -> None:
    seated = house.register("王一", "王二")
    waiting = wait(house, "李一")
    house.cancel(waiting)
    house.cancel(seated, person(seated, 1))
    house.undo(waiting)
    assert state(waiting) == "confirmed"
    checked_sum(house)


def test_one_of_a_party_that_got_seats_meanwhile_comes_back_to_a_seat(house: House) -> None:
    house.apply(toml(capacity=3))
    house.register("王一", "王二")
    couple = wait(house, "李一", "李二")
    house.cancel(couple, person(couple, 1))
    assert state(couple) == "confirmed"
    with pytest.raises(SeatGivenAway):
        house.undo(couple)
    house.apply(toml(capacity=4))
    house.undo(couple)
    assert all(codes(couple))
    assert checked_sum(house).confirmed == 4


def test_a_guest_cannot_undo_what_the_desk_cancelled_but_the_desk_what_a_guest_did(
    house: House,
) -> None:
    house.hire()
    made = house.register("王一")
    house.cancel(made, by=house.desmond)
    with pytest.raises(NothingToUndo):
        house.undo(made, by=audit.REGISTRANT)
    house.undo(made, by=house.desmond)
    house.cancel(made, by=audit.REGISTRANT)
    house.undo(made, by=house.desmond)
    house.cancel(made, by=audit.REGISTRANT)
    house.undo(made, by=audit.REGISTRANT)
    assert checked_sum(house).confirmed == 1


def test_who_has_registered_again_meanwhile_does_not_get_a_second_seat(house: House) -> None:
    made = house.register("王一", phone="13800138000")
    house.cancel(made)
    house.register("王一", phone="13800138000")
    with pytest.raises(AlreadyRegistered):
        house.undo(made)
    assert checked_sum(house).confirmed == 1


def test_a_seat_that_was_handed_to_another_name_of_the_party_is_not_doubled(house: House) -> None:
    couple = house.register("王一", "王二", phone="13800138000")
    house.cancel(couple, person(couple, 1))
    with house.writing() as session:
        session.query(Attendee).filter_by(id=person(couple, 2)).update({"name_folded": "王一"})
    with pytest.raises(AlreadyRegistered):
        house.undo(couple)
    checked_sum(house)


def test_the_limit_of_one_number_holds(house: House) -> None:
    house.apply(toml(capacity=20, head="max_per_phone = 2"))
    made = house.register("王一", phone="13800138000")
    house.cancel(made)
    house.register("王二", "王三", phone="13800138000")
    with pytest.raises(PhoneAtLimit):
        house.undo(made)
    checked_sum(house)


def test_who_comes_back_has_the_number_that_the_party_has_by_now(house: House) -> None:
    couple = house.register("王一", "王二", phone="13800138000")
    house.cancel(couple, person(couple, 1))
    with house.writing() as session:
        new: Any = {"phone_number": "+8613900139000", "phone_tail": "9000"}
        session.query(Registration).update(new)
        session.query(Attendee).filter_by(place=2).update(new)
    house.undo(couple)
    assert {one.phone_number for one in lookup.party(reading(), fresh(couple))} == {
        "+8613900139000"
    }


def test_in_an_event_that_was_cancelled_nothing_is_undone(house: House) -> None:
    made = house.register("王一")
    house.cancel(made)
    notice = '[notice]\nkind = "cancelled"\ntext = { zh = "取消", en = "Off" }'
    house.apply(toml(capacity=2, more=notice))
    assert offered(house, made) is Offer.NOTHING
    with pytest.raises(RegistrationClosed):
        house.undo(made)


def test_who_was_erased_does_not_come_back(house: House) -> None:
    made = house.register("王一")
    forgetting.erase("small", made.id, "", by=audit.SYSTEM, now=house.now)
    reading().rollback()
    assert offered(house, made) is None
    with pytest.raises(NothingToUndo):
        house.undo(made)


def test_pressed_twice_it_is_undone_once(house: House) -> None:
    made = house.register("王一")
    house.cancel(made)
    house.undo(made)
    with pytest.raises(NothingToUndo):
        house.undo(made)
    assert checked_sum(house).confirmed == 1


def test_the_audit_trail_notices_an_undo_that_it_does_not_have(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: without its audit entry, the replay gives another state."""
    made = house.register("王一")
    house.cancel(made)
    plain: Callable[..., None] = audit.record

    def silent(session: Any, action: Action, *more: Any, **details: Any) -> None:
        if action is not Action.CANCELLATION_UNDONE:
            plain(session, action, *more, **details)

    monkeypatch.setattr(audit, "record", silent)
    house.undo(made)
    with pytest.raises(AssertionError):
        checked_sum(house)
