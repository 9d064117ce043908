"""Cancellations of a whole party or of one of its people."""

from typing import Any

import pytest

from eventreg.core import audit
from eventreg.core.door import check_in
from eventreg.core.door.check_in import Arrival
from eventreg.core.errors import (
    AlreadyCancelled,
    AttendeeUnknown,
    CheckedInAlready,
    TooLateToCancel,
)
from eventreg.core.event import events
from eventreg.core.models.registration import Registration
from eventreg.core.registration import cancellations, lookup
from eventreg.storage.session import reading, write
from tests.core.registration.parties import checked_sum, fresh, place, state, wait
from tests.support.factories import House, local, with_event

pytestmark = pytest.mark.both_databases


def test_cancelling_frees_the_seats_at_once_and_only_once(small: House) -> None:
    made = small.register("张桂芳", "王建国")
    small.cancel(made)
    assert small.seats().left == 5
    with pytest.raises(AlreadyCancelled):
        small.cancel(made)
    assert small.seats().left == 5


def test_after_a_cancellation_one_may_register_again(small: House) -> None:
    small.cancel(small.register("张桂芳", phone="13800138000"))
    assert small.register("张桂芳", phone="13800138000").state == "confirmed"


def test_first_one_of_a_couple_may_cancel_and_then_the_other(full: House) -> None:
    couple = reading().query(Registration).one()
    first, second = (person.id for person in lookup.party(reading(), couple))
    waiting = wait(full, "李一")
    full.cancel(couple, first)
    assert (state(couple), state(waiting)) == ("confirmed", "confirmed")
    with pytest.raises(AlreadyCancelled):
        full.cancel(couple, first)
    full.cancel(couple, second)
    assert state(couple) == "cancelled"
    assert checked_sum(full).confirmed == 1


def test_a_person_of_another_party_cannot_be_cancelled(full: House) -> None:
    other = wait(full, "李一")
    (stranger,) = lookup.party(reading(), fresh(other))
    couple = reading().query(Registration).filter_by(state="confirmed").one()
    with pytest.raises(AttendeeUnknown):
        full.cancel(couple, stranger.id)
    assert state(other) == "waitlisted"


def test_after_check_in_only_the_desk_can_cancel(full: House) -> None:
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
    assert checked_sum(full).confirmed == 2
    full.cancel(couple, by=full.desmond)
    assert state(couple) == "cancelled"


def test_after_the_start_only_staff_cancel(full: House) -> None:
    couple = reading().query(Registration).one()
    full.now = local("2030-06-10 09:00")
    with pytest.raises(TooLateToCancel):
        full.cancel(couple, by=audit.REGISTRANT)
    full.cancel(couple)


def test_when_a_waiting_party_cancels_the_others_move_up(full: House) -> None:
    first, second = wait(full, "李一", "李二"), wait(full, "李三")
    assert place(second) == 2
    write(
        lambda session: cancellations.cancel(
            session, *with_event(session, first), by=audit.REGISTRANT, now=full.now
        )
    )
    assert place(second) == 1
    assert checked_sum(full).waiting == 1
