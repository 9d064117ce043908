"""Corrections of names and numbers."""

from contextlib import suppress
from threading import Barrier, BrokenBarrierError, Thread

import pytest

from eventreg.core import audit
from eventreg.core.desk import attendee_list
from eventreg.core.errors import (
    AlreadyCancelled,
    AlreadyRegistered,
    ChangedMeanwhile,
    FieldRefused,
)
from eventreg.core.event import events
from eventreg.core.models.registration import Registration
from eventreg.core.registration import corrections, lookup
from eventreg.core.registration.corrections import Correction
from eventreg.core.values import names, phones
from eventreg.storage.session import Session, reading, transaction, write
from tests.support.factories import House, with_event

pytestmark = pytest.mark.both_databases


def correct(house: House, made: Registration, version: int, phone: str, *people: str) -> None:
    """Correct names and number as the desk."""
    corrected = Correction(tuple(names.parse(name) for name in people), phones.parse(phone, "0574"))
    with transaction() as session:
        event, fresh = events.get(session, "small"), lookup.get(session, made.id)
        corrections.edit(
            session, event, fresh, corrected, version=version, by=audit.SYSTEM, now=house.now
        )


def test_a_name_and_a_number_can_be_corrected(small: House) -> None:
    made = small.register("张贵方")
    correct(small, made, 1, "56116778", "张桂芳")
    row = attendee_list.of_registration(reading(), made.id)[0]
    assert (row.name, row.phone_number, row.phone_tail) == ("张桂芳", "+8657456116778", "6778")
    assert [line.action for line in audit.history(reading(), made.id)] == [
        audit.Action.SEATS_TAKEN,
        audit.Action.REGISTRATION_EDITED,
    ]


def test_two_names_of_a_couple_can_be_swapped(small: House) -> None:
    made = small.register("张桂芳", "王建国", phone="13800138000")
    correct(small, made, 1, "13800138000", "王建国", "张桂芳")
    assert [row.name for row in attendee_list.of_registration(reading(), made.id)] == [
        "王建国",
        "张桂芳",
    ]


def test_of_two_corrections_at_once_the_second_is_refused(small: House) -> None:
    made = small.register("张桂芳", phone="13800138000")
    together, refused = Barrier(2), list[str]()

    def correct(name: str) -> None:
        with small.app.app_context():

            def act(session: Session) -> None:
                found = with_event(session, made)
                if not refused:
                    with suppress(BrokenBarrierError):
                        together.wait(0.5)
                corrected = Correction((names.parse(name),), phones.parse("13800138000"))
                corrections.edit(
                    session, *found, corrected, version=1, by=audit.SYSTEM, now=small.now
                )

            try:
                write(act)
            except ChangedMeanwhile:
                refused.append(name)

    threads = [Thread(target=correct, args=(name,)) for name in ("李一", "李二")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1


def test_a_correction_of_an_older_version_is_refused(small: House) -> None:
    made = small.register("张桂芳", phone="13800138000")
    correct(small, made, 1, "13800138000", "张桂花")
    with pytest.raises(ChangedMeanwhile):
        correct(small, made, 1, "13800138000", "张贵芳")


def test_a_correction_cannot_remove_a_companion(small: House) -> None:
    made = small.register("张桂芳", "王建国", phone="13800138000")
    with pytest.raises(FieldRefused):
        correct(small, made, 1, "13800138000", "张桂芳")
    assert small.seats().left == 3


def test_a_correction_obeys_the_same_rules_as_a_registration(small: House) -> None:
    small.register("张桂芳", phone="13800138000")
    other = small.register("王建国", phone="13800138001")
    with pytest.raises(AlreadyRegistered):
        correct(small, other, 1, "13800138000", "张桂芳")
    small.cancel(other)
    with pytest.raises(AlreadyCancelled):
        correct(small, other, 2, "13800138001", "王建军")


def test_history_and_audit_hold_no_name_and_no_number(small: House) -> None:
    made = small.register("张桂芳", phone="13800138000")
    correct(small, made, 1, "13800138009", "张桂花")
    rows = reading().connection().exec_driver_sql("SELECT * FROM audit_entries").all()
    said = " ".join(str(value) for row in rows for value in row)
    assert "张" not in said
    assert "1380013" not in said
