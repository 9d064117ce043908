"""The waiting list: who comes first, who is passed over, what is held, and what people are to be
told."""

from typing import Any

import pytest

from eventreg.core import audit, invariants, outbox
from eventreg.core.door import check_in
from eventreg.core.door.check_in import Arrival
from eventreg.core.errors import (
    AlreadyCancelled,
    AttendeeUnknown,
    CheckedInAlready,
    EventFull,
    NotWaiting,
    RegistrationClosed,
    TooLateToCancel,
    WaitlistFull,
)
from eventreg.core.event import events
from eventreg.core.models.registration import Registration
from eventreg.core.registration import cancellations, lookup, waitlist
from eventreg.storage.session import reading, write
from tests.support.factories import House, local, toml, with_event

pytestmark = pytest.mark.both_databases


def fresh(made: Registration) -> Registration:
    """A registration as it is now."""
    return lookup.get(reading(), made.id)


def state(made: Registration) -> str:
    """In which state a registration is now."""
    return fresh(made).state


def place(made: Registration) -> int:
    """Its place in the list."""
    return waitlist.position(reading(), fresh(made))


def wait(house: House, *people: str, **entry: Any) -> Registration:
    """Somebody registers whom a waiting place will do, too."""
    return house.register(*people, waitlist=True, **entry)


def proved(house: House) -> invariants.Sum:
    """The sum, which must hold."""
    found = invariants.of_event(reading(), house.event(), now=house.now)
    assert found.holds, [finding for finding in found.findings if not finding.holds]
    return found


@pytest.fixture
def full(house: House) -> House:
    """Two seats, both taken by a couple."""
    house.apply(toml(capacity=2))
    house.register("王一", "王二")
    return house


def test_who_wants_it_gets_a_waiting_place_and_who_does_not_is_refused(full: House) -> None:
    with pytest.raises(EventFull):
        full.register("李一")
    first, second = wait(full, "李一"), wait(full, "李二")
    assert (state(first), place(first), place(second)) == ("waitlisted", 1, 2)
    assert [person.code for person in lookup.party(reading(), fresh(first))] == [None]
    assert proved(full).waiting == 2


def test_a_wish_to_wait_takes_a_seat_while_there_is_one(house: House) -> None:
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
    proved(house)


def test_a_newcomer_gets_no_seat_while_a_waiting_party_fits_it(house: House) -> None:
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
    proved(house)


def test_a_waiting_party_that_shrinks_may_fit_at_once(house: House) -> None:
    house.apply(toml(capacity=2))
    first = house.register("王一")
    house.register("王二")
    couple = wait(house, "赵一", "赵二")
    house.cancel(first)
    second = lookup.party(reading(), fresh(couple))[1]
    house.cancel(couple, second.id)
    assert state(couple) == "confirmed"
    assert proved(house).waiting == 0


def test_the_list_has_a_size_and_may_be_switched_off(house: House) -> None:
    house.apply(toml(capacity=1, more="[waitlist]\nsize = 2"))
    house.register("王一")
    wait(house, "李一")
    with pytest.raises(WaitlistFull):
        wait(house, "李二", "李三")
    wait(house, "李二")
    house.apply(toml(capacity=1, more="[waitlist]\nopen = false"))
    with pytest.raises(WaitlistFull):
        wait(house, "李四")
    assert proved(house).waiting == 2, "who waits already goes on waiting"


def test_a_couple_and_one_seat_may_part(house: House) -> None:
    house.apply(toml(capacity=2))
    seated = house.register("王一")
    first = house.register("赵一", "赵二", split=True)
    (companion,) = lookup.waiting_beside(reading(), fresh(first))
    assert (state(first), companion.state, place(companion)) == ("confirmed", "waitlisted", 1)
    house.cancel(seated)
    assert state(companion) == "confirmed"
    assert proved(house).confirmed == 2


def test_a_party_that_would_part_is_seated_together_where_it_can(house: House) -> None:
    house.apply(toml(capacity=2))
    made = house.register("赵一", "赵二", split=True)
    assert len(lookup.party(reading(), fresh(made))) == 2


@pytest.mark.parametrize(
    ("left", "size", "wishes"), [(0, 20, {"split": True}), (1, 0, {"split": True}), (1, 1, {})]
)
def test_a_party_is_not_parted_without_a_seat_a_waiting_place_and_its_wish(
    house: House, left: int, size: int, wishes: dict[str, Any]
) -> None:
    house.apply(toml(capacity=2, more=f"[waitlist]\nsize = {size}"))
    for number in range(2 - left):
        house.register(f"王{number}号")
    with pytest.raises((EventFull, WaitlistFull)):
        house.register("赵一", "赵二", **wishes)
    assert proved(house).confirmed == 2 - left


def test_more_capacity_promotes_exactly_that_many(full: House) -> None:
    waiting = [wait(full, f"李{number}号") for number in range(4)]
    full.apply(toml(capacity=4))
    assert [state(made) for made in waiting] == [
        "confirmed",
        "confirmed",
        "waitlisted",
        "waitlisted",
    ]
    assert proved(full).confirmed == 4


def test_less_capacity_drops_nobody_and_promotes_nobody_until_it_fits(house: House) -> None:
    house.apply(toml(capacity=3))
    people = [house.register(f"王{number}号") for number in range(3)]
    waiting = wait(house, "李一")
    house.apply(toml(capacity=1))
    assert (proved(house).over, proved(house).confirmed) == (2, 3)
    for person in people[:2]:
        house.cancel(person)
        assert state(waiting) == "waitlisted"
    house.cancel(people[2])
    assert state(waiting) == "confirmed"
    assert proved(house).over == 0


@pytest.mark.parametrize("kind", ["moved", "cancelled", "speaker-replaced"])
def test_a_notice_owes_everybody_a_call_and_registering_goes_on_or_stops(
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
    proved(full)


def test_who_was_reached_is_owed_no_call_any_more(full: House) -> None:
    full.hire()
    waiting = wait(full, "李一")
    full.apply(toml(capacity=3))
    assert [who for who, _ in outbox.unsettled_calls(reading(), full.event().id)] == [waiting.id]
    for _ in range(2):
        write(lambda session: outbox.settle(session, fresh(waiting), by=full.desmond, now=full.now))
    assert outbox.unsettled_calls(reading(), full.event().id) == []
    acts = [line.action for line in audit.history(reading(), waiting.id)]
    assert acts.count(audit.Action.TOLD) == 1


HELD = "held_seats = 2\nheld_until = 2030-06-05T12:00:00"


def test_held_seats_are_neither_free_nor_taken_for_the_public(house: House) -> None:
    house.apply(toml(capacity=4, more=HELD))
    for number in range(2):
        house.register(f"王{number}号")
    assert (house.seats().left, house.seats().held, proved(house).free) == (0, 2, 0)
    with pytest.raises(EventFull):
        house.register("李一")
    assert house.register("李一", source="phone").state == "confirmed"
    assert (house.seats().held, house.seats().left) == (1, 0)
    proved(house)


def test_a_call_uses_the_held_seats_first(house: House) -> None:
    house.apply(toml(capacity=4, more=HELD))
    house.register("李一", source="phone")
    assert (house.seats().held, house.seats().left) == (1, 2)


def test_when_their_time_is_over_held_seats_go_to_the_waiting_first(house: House) -> None:
    house.apply(toml(capacity=3, more=HELD))
    house.register("王一")
    waiting = wait(house, "李一")
    assert state(waiting) == "waitlisted"
    house.now = local("2030-06-05 12:00")
    assert waitlist.is_due(reading(), house.event(), house.seats(), now=house.now)
    newcomer = house.register("孙一")
    assert (state(waiting), newcomer.state) == ("confirmed", "confirmed")
    assert place(waiting) == 1
    proved(house)


def test_the_desk_may_seat_somebody_out_of_turn_into_a_held_seat(house: House) -> None:
    house.apply(toml(capacity=3, more=HELD))
    house.hire()
    house.register("王一")
    first, second = wait(house, "李一"), wait(house, "李二")

    def seat(made: Registration) -> None:
        def act(session: Any) -> None:
            event = events.get(session, "small")
            waitlist.seat(
                session, event, lookup.get(session, made.id), by=house.desmond, now=house.now
            )

        write(act)

    seat(second)
    assert (state(first), state(second), house.seats().held) == ("waitlisted", "confirmed", 1)
    with pytest.raises(NotWaiting):
        seat(second)
    house.register("孙一", source="phone")
    with pytest.raises(EventFull):
        seat(first)
    proved(house)


def test_one_of_a_party_may_give_the_seat_back_and_then_the_other(full: House) -> None:
    couple = reading().query(Registration).one()
    first, second = (person.id for person in lookup.party(reading(), couple))
    waiting = wait(full, "李一")
    full.cancel(couple, first)
    assert (state(couple), state(waiting)) == ("confirmed", "confirmed")
    with pytest.raises(AlreadyCancelled):
        full.cancel(couple, first)
    full.cancel(couple, second)
    assert state(couple) == "cancelled"
    assert proved(full).confirmed == 1


def test_nobody_gives_back_the_seat_of_another_party(full: House) -> None:
    other = wait(full, "李一")
    (stranger,) = lookup.party(reading(), fresh(other))
    couple = reading().query(Registration).filter_by(state="confirmed").one()
    with pytest.raises(AttendeeUnknown):
        full.cancel(couple, stranger.id)
    assert state(other) == "waitlisted"


def test_who_has_checked_in_cannot_cancel_themselves_but_the_desk_can(full: House) -> None:
    full.hire()
    couple = reading().query(Registration).one()
    person = lookup.party(reading(), couple)[0]
    full.now = local("2030-06-10 08:50")

    def arrive(session: Any) -> None:
        check_in.check_in(
            session,
            events.get(session, "small"),
            Arrival(person.public_id, full.now, full.now),
            anyway=False,
            by=full.dora,
        )

    write(arrive)
    with pytest.raises(CheckedInAlready):
        full.cancel(couple, by=audit.REGISTRANT)
    assert proved(full).confirmed == 2
    full.cancel(couple, by=full.desmond)
    assert state(couple) == "cancelled"


def test_after_the_start_only_staff_cancel(full: House) -> None:
    couple = reading().query(Registration).one()
    full.now = local("2030-06-10 09:00")
    with pytest.raises(TooLateToCancel):
        full.cancel(couple, by=audit.REGISTRANT)
    full.cancel(couple)


def test_an_event_that_is_over_promotes_nobody(full: House) -> None:
    waiting = wait(full, "李一")
    full.now = local("2030-06-10 11:00")
    full.cancel(reading().query(Registration).filter_by(state="confirmed").one())
    assert state(waiting) == "waitlisted"
    proved(full)


def test_mail_is_owed_only_where_staff_gave_an_address(full: House) -> None:
    full.apply(toml(capacity=3))
    with_mail = full.register("李一", source="phone", email="li@example.org")
    kinds = (
        reading()
        .connection()
        .exec_driver_sql("SELECT registration_id, kind, channel FROM outbox_messages")
        .all()
    )
    assert kinds == [(with_mail.id, "registered", "mail")]


def test_a_waiting_party_cancels_its_place_and_the_others_move_up(full: House) -> None:
    first, second = wait(full, "李一", "李二"), wait(full, "李三")
    assert place(second) == 2
    write(
        lambda session: cancellations.cancel(
            session, *with_event(session, first), by=audit.REGISTRANT, now=full.now
        )
    )
    assert place(second) == 1
    assert proved(full).waiting == 1
