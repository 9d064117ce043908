"""The seats of those who have not come go to the people who wait at the door."""

import pytest

from eventreg.core.door import calling, present
from eventreg.core.door import release as rules
from eventreg.core.errors import (
    AttendeeCancelled,
    EventFull,
    RegistrationClosed,
    ReleaseTooEarly,
)
from eventreg.core.event.events import Phase, phase
from eventreg.core.models.registration import Attendee
from eventreg.core.registration import waitlist
from eventreg.core.registration.waitlist import OverReason
from eventreg.core.undo import cancelled
from eventreg.storage.session import reading
from tests.core.door.mornings import (
    act,
    arrive,
    came,
    check_sum,
    id_of,
    line,
    names,
    no_answer,
    release,
    restore,
    waits_here,
    walk_in,
)
from tests.core.registration.parties import state, wait
from tests.support.factories import House, local, toml

pytestmark = pytest.mark.both_databases
RELEASE = toml(capacity=4).replace(
    "closes_at = 09:00:00", "closes_at = 09:00:00\nrelease_at = 09:10:00"
)


@pytest.fixture
def morning(house: House) -> House:
    """9:10. Four seats are taken; Zhang Guifang and Wang Jianguo have come, the couple Li Xiuying
    and Chen Abao have not. Two parties wait, and one has walked in."""
    house.apply(RELEASE)
    house.hire()
    house.register("张桂芳")
    house.register("王建国")
    house.couple = house.register("李秀英", "陈阿宝")  # type: ignore[attr-defined]
    house.first = wait(house, "钱大伟")  # type: ignore[attr-defined]
    house.second = wait(house, "孙一")  # type: ignore[attr-defined]
    house.now = local("2030-06-10 08:50")
    arrive(house, "张桂芳", "王建国")
    walk_in(house, "赵一")
    house.now = local("2030-06-10 09:10")
    return house


def person(name: str) -> Attendee:
    """The person of that name who registered last."""
    return reading().query(Attendee).filter_by(public_id=id_of(name)).one()


def test_the_seats_go_to_those_at_the_door_in_their_order_and_then_to_the_numbers(
    morning: House,
) -> None:
    waits_here(morning, "孙一")  # the first of the list, Qian Dawei, is not here
    couple = [id_of("李秀英"), id_of("陈阿宝")]
    done = release(morning)
    assert (list(done.released), list(done.kept), done.left) == (couple, [], 0)
    assert list(done.seated) == [id_of("孙一"), id_of("赵一")]
    assert (state(morning.first), state(morning.second)) == ("waitlisted", "confirmed")  # type: ignore[attr-defined]
    assert state(morning.couple) == "cancelled"  # type: ignore[attr-defined]
    assert names(line(morning).called) == [["孙一"], ["赵一"]]
    check_sum(morning)


def test_after_it_a_seat_that_nobody_at_the_door_wants_stays_free_for_who_comes(
    morning: House,
) -> None:
    done = release(morning)
    assert (len(done.seated), done.left) == (1, 1)
    assert state(morning.first) == "waitlisted"  # type: ignore[attr-defined]
    check_sum(morning)  # "nobody waits who could sit" counts only who is at the door
    assert waits_here(morning, "孙一").state == "confirmed"
    check_sum(morning)


def test_without_the_rule_a_seat_would_go_to_somebody_at_home(
    morning: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waitlist, "in_turn", lambda _session, _event, waiting: waiting)
    release(morning)
    assert state(morning.first) == "confirmed"  # type: ignore[attr-defined]


def test_who_arrived_meanwhile_keeps_the_seat(morning: House) -> None:
    shown = ["李秀英", "陈阿宝"]
    arrive(morning, "李秀英")
    done = release(morning, *shown)
    assert (list(done.kept), list(done.released)) == ([id_of("李秀英")], [id_of("陈阿宝")])
    assert person("李秀英").is_live
    assert state(morning.couple) == "confirmed"  # type: ignore[attr-defined]
    check_sum(morning)


def test_before_its_time_only_an_organiser_may(morning: House) -> None:
    morning.now = local("2030-06-10 09:09")
    for staff in (morning.dora, morning.desmond):
        with pytest.raises(ReleaseTooEarly):
            release(morning, by=staff)
    assert not rules.is_suggested(morning.event(), morning.now)
    morning.now = local("2030-06-10 09:10")
    assert rules.is_suggested(morning.event(), morning.now)
    release(morning, by=morning.dora)
    assert not rules.is_suggested(morning.event(), morning.now)


def test_without_a_time_in_the_file_the_end_of_the_window_counts(house: House) -> None:
    house.apply(toml())
    house.hire()
    house.now = local("2030-06-10 08:59")
    with pytest.raises(ReleaseTooEarly):
        release(house, by=house.dora)
    release(house)
    house.now = local("2030-06-10 09:00")
    release(house, by=house.dora)


def test_people_of_another_event_and_unknown_ids_are_left_out(morning: House) -> None:
    morning.apply(toml("other", capacity=3))
    morning.register("外人", slug="other", source="phone")
    ids = [id_of("外人"), "x", "f" * 32, "", "\ud800"]
    done = act(
        morning,
        lambda session, event: rules.release(
            session,
            event,
            ids,
            by=morning.olga,
            now=morning.now,
        ),
    )
    assert (list(done.released), list(done.kept)) == ([], [])
    assert person("外人").is_live


def test_a_second_release_takes_no_seat_from_those_who_are_being_called(morning: House) -> None:
    waits_here(morning, "孙一")
    release(morning)
    again = release(morning)
    assert (list(again.released), list(again.seated)) == ([], [])
    named = release(morning, "孙一", "李秀英")
    assert (list(named.released), list(named.kept)) == ([], [id_of("孙一")])
    check_sum(morning)


def test_each_is_called_twice_and_then_the_next(morning: House) -> None:
    waits_here(morning, "孙一")
    waits_here(morning, "钱大伟")
    release(morning)
    assert names(line(morning).called) == [["钱大伟"], ["孙一"]]
    for calls in (0, 0, 1):  # the second press of the same button counts once
        no_answer(morning, "钱大伟", calls)
    assert names(line(morning).called) == [["孙一"], ["赵一"]]
    assert person("钱大伟").released_at == morning.now
    attendee = id_of("孙一")
    act(
        morning,
        lambda session, event: calling.come_in(
            session, event, attendee, by=morning.dora, now=morning.now
        ),
    )
    assert names(line(morning).called) == [["赵一"]]
    check_sum(morning)
    back = restore(morning, id_of("钱大伟"))
    assert (back.state, back.position, back.number) == ("waitlisted", 1, None)
    check_sum(morning)


def test_who_comes_late_gets_a_free_seat_with_the_old_code(morning: House) -> None:
    old = person("李秀英").code
    release(morning)
    late = restore(morning, id_of("李秀英"))
    assert (late.state, late.code) == ("confirmed", old)
    assert came(morning, late.attendee).late
    assert person("李秀英").released_at is None
    assert state(morning.couple) == "confirmed"  # type: ignore[attr-defined]
    check_sum(morning)


def test_who_comes_late_and_finds_none_is_first_in_line(morning: House) -> None:
    waits_here(morning, "孙一")
    release(morning)
    walk_in(morning, "周一")
    gone = id_of("李秀英")
    late = restore(morning, gone)
    assert (late.state, late.position) == ("waitlisted", 1)
    assert restore(morning, gone) == late
    assert names(line(morning).waiting) == [["李秀英"], ["周一"]]
    check_sum(morning)
    no_answer(morning, "孙一", 0)
    no_answer(morning, "孙一", 1)
    assert names(line(morning).called) == [["李秀英"], ["赵一"]]
    check_sum(morning)


def test_who_had_cancelled_gets_a_free_seat_and_no_place_in_line(morning: House) -> None:
    gone = id_of("李秀英")
    morning.cancel(morning.couple)  # type: ignore[attr-defined]
    with pytest.raises(EventFull):
        restore(morning, gone)
    morning.cancel(morning.first)  # type: ignore[attr-defined]
    release(morning)
    walk_in(morning, "周一")
    with pytest.raises(EventFull):
        restore(morning, gone)
    check_sum(morning)


def test_undoing_is_offered_for_a_cancellation_and_not_for_a_release(morning: House) -> None:
    release(morning)
    assert cancelled.standing(reading(), morning.couple) is None  # type: ignore[attr-defined]
    restore(morning, id_of("李秀英"))
    assert cancelled.standing(reading(), morning.couple) is None  # type: ignore[attr-defined]


def test_of_a_couple_that_cancelled_the_one_who_comes_is_not_undone_again(house: House) -> None:
    house.apply(RELEASE)
    house.hire()
    couple = house.register("李秀英", "陈阿宝")
    house.now = local("2030-06-10 08:50")
    house.cancel(couple)
    restore(house, id_of("李秀英"))
    left = cancelled.standing(reading(), couple)
    assert left is not None
    assert left.people == (person("陈阿宝").id,)
    house.undo(couple)
    assert person("陈阿宝").is_live
    check_sum(house)


def test_an_organiser_adds_a_chair(morning: House) -> None:
    attendee = id_of("赵一")
    with pytest.raises(EventFull):
        act(
            morning,
            lambda session, event: present.seat(
                session, event, attendee, by=morning.dora, now=morning.now
            ),
        )
    got = act(
        morning,
        lambda session, event: present.seat(
            session, event, attendee, by=morning.olga, now=morning.now, beyond=OverReason.CHAIR
        ),
    )
    assert got.state == "confirmed"
    assert morning.seats().over == 1
    check_sum(morning)


def test_the_release_closes_registration_and_an_event_that_is_over_has_none(morning: House) -> None:
    morning.apply(RELEASE + "[registration]\ncloses_at = 10:00:00")
    assert phase(morning.event(), morning.now) is Phase.OPEN
    release(morning)
    assert phase(morning.event(), morning.now) is Phase.RUNNING
    with pytest.raises(RegistrationClosed):
        morning.register("迟到")
    morning.now = local("2030-06-10 11:00")
    with pytest.raises(RegistrationClosed):
        release(morning)


def test_who_has_left_gets_no_seat_until_coming_back(morning: House) -> None:
    attendee = id_of("赵一")
    act(
        morning,
        lambda session, event: calling.leave(
            session, event, attendee, by=morning.dora, now=morning.now
        ),
    )
    assert names(line(morning).gone) == [["赵一"]]
    assert release(morning).left == 2
    check_sum(morning)
    assert waits_here(morning, "赵一").state == "confirmed"
    release(morning)
    with pytest.raises(AttendeeCancelled):
        waits_here(morning, "李秀英")
