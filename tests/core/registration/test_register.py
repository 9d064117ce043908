"""What may happen to a registration."""

from contextlib import suppress
from datetime import timedelta
from threading import Barrier, BrokenBarrierError, Thread

import pytest

from eventreg.core import audit
from eventreg.core.desk import attendee_list
from eventreg.core.errors import (
    AlreadyCancelled,
    AlreadyRegistered,
    ChangedMeanwhile,
    FieldRefused,
    FormKeyReused,
    PhoneAtLimit,
    RegistrationClosed,
    RegistrationUnknown,
)
from eventreg.core.event import events
from eventreg.core.models.registration import Registration, Source
from eventreg.core.registration import cancellations, corrections, form_keys, lookup, seats, tickets
from eventreg.core.registration import register as registering
from eventreg.core.registration.corrections import Correction
from eventreg.core.registration.entries import Entry
from eventreg.core.values import names, phones
from eventreg.storage.session import Session, reading, transaction, write
from tests.support.factories import SECRET, House, local, make_entry, toml, with_event

pytestmark = pytest.mark.both_databases


@pytest.fixture
def small(house: House) -> House:
    """A house with one small event of five seats."""
    house.apply(toml(capacity=5))
    return house


def left(house: House) -> int:
    """Seats left."""
    return house.seats().left


def cancel(house: House, registration: Registration) -> None:
    """The desk cancels."""
    with transaction() as session:
        cancellations.cancel(
            session,
            *with_event(session, lookup.get(session, registration.id)),
            by=audit.SYSTEM,
            now=house.now,
        )


def register(house: House, entry: Entry) -> Registration:
    """Register with a form that the test made."""
    with transaction() as session:
        event = events.get(session, "small")
        made = registering.register(
            session, event, entry, secret_key=SECRET, by=audit.REGISTRANT, now=house.now
        )
    return lookup.get(reading(), made.id)


def correct(house: House, made: Registration, version: int, phone: str, *people: str) -> None:
    """The desk corrects names and number."""
    corrected = Correction(tuple(names.parse(name) for name in people), phones.parse(phone, "0574"))
    with transaction() as session:
        event, fresh = events.get(session, "small"), lookup.get(session, made.id)
        corrections.edit(
            session, event, fresh, corrected, version=version, by=audit.SYSTEM, now=house.now
        )


def test_a_couple_gets_two_seats_two_codes_and_one_ticket(small: House) -> None:
    made = small.register("张桂芳", "王建国")
    people = lookup.party(reading(), made)
    assert [person.name for person in people] == ["张桂芳", "王建国"]
    assert len({person.code for person in people}) == 2
    assert left(small) == 3


def test_the_same_form_twice_is_one_registration(small: House) -> None:
    form = make_entry("张桂芳")
    assert register(small, form).id == register(small, form).id
    assert left(small) == 4


def test_without_its_key_the_same_form_twice_would_be_refused(
    small: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: it is the stored key that makes the second sending harmless."""
    form = make_entry("张桂芳")
    register(small, form)
    monkeypatch.setattr(registering, "made_by", lambda *_: None)
    with pytest.raises(AlreadyRegistered):
        register(small, form)


def test_of_two_who_correct_at_once_one_is_told(small: House) -> None:
    made = small.register("张桂芳", phone="13800138000")
    together, told = Barrier(2), list[str]()

    def correct(name: str) -> None:
        with small.app.app_context():

            def act(session: Session) -> None:
                found = with_event(session, made)
                if not told:
                    with suppress(BrokenBarrierError):
                        together.wait(0.5)
                party = Correction((names.parse(name),), phones.parse("13800138000"))
                corrections.edit(session, *found, party, version=1, by=audit.SYSTEM, now=small.now)

            try:
                write(act)
            except ChangedMeanwhile:
                told.append(name)

    threads = [Thread(target=correct, args=(name,)) for name in ("李一", "李二")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 1


def test_the_key_of_a_form_is_kept_only_if_its_seat_is(
    small: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = make_entry("张桂芳")
    with monkeypatch.context() as broken:
        broken.setattr(seats, "take", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            register(small, form)
    assert register(small, form).state == "confirmed"
    assert left(small) == 4


def test_a_used_form_with_another_name_is_told_so_and_changes_nothing(small: House) -> None:
    register(small, make_entry("张桂芳", phone="13800138000", key="a" * 32))
    with pytest.raises(FormKeyReused):
        register(small, make_entry("王建国", phone="13800138000", key="a" * 32))
    assert left(small) == 4


@pytest.mark.parametrize(
    "spelling", ["13800138000", "+86 138 0013 8000", "0086-13800138000", "１３８００１３８０００"]
)
def test_the_same_name_and_number_is_the_same_registration(small: House, spelling: str) -> None:
    first = small.register("张桂芳", phone="138 0013 8000")
    with pytest.raises(AlreadyRegistered) as refusal:
        small.register("张 桂芳", phone=spelling)
    assert refusal.value.registration_id == first.id


def test_four_people_may_share_a_number_and_a_fifth_may_not(small: House) -> None:
    small.register("王一", "王二", phone="13800138000")
    small.register("王三", phone="13800138000")
    with pytest.raises(PhoneAtLimit):
        small.register("王四", "王五", phone="+8613800138000")
    small.register("王四", phone="13800138000")
    with pytest.raises(PhoneAtLimit):
        small.register("王五", phone="13800138000")


def test_the_same_name_twice_in_one_party_is_told_at_the_second(small: House) -> None:
    with pytest.raises(FieldRefused) as refusal:
        small.register("张桂芳", "张 桂 芳")
    assert refusal.value.field == "companion-1"


def test_a_party_larger_than_allowed_is_refused(small: House) -> None:
    with pytest.raises(FieldRefused):
        small.register("王一", "王二", "王三")


def test_cancelling_frees_the_seats_at_once_and_only_once(small: House) -> None:
    made = small.register("张桂芳", "王建国")
    cancel(small, made)
    assert left(small) == 5
    with pytest.raises(AlreadyCancelled):
        cancel(small, made)
    assert left(small) == 5


def test_whoever_cancelled_may_register_again(small: House) -> None:
    cancel(small, small.register("张桂芳", phone="13800138000"))
    assert small.register("张桂芳", phone="13800138000").state == "confirmed"


def test_guests_register_only_in_the_registration_window_and_the_desk_until_the_end(
    house: House,
) -> None:
    house.apply(
        toml(head="[registration]\nopens_at = 2030-06-01T09:00:00\ncloses_at = 2030-06-09T12:00:00")
    )
    for moment, phase in [
        ("2030-06-01 08:59", "not-yet-open"),
        ("2030-06-09 12:00", "closed"),
        ("2030-06-10 09:00", "running"),
        ("2030-06-10 11:00", "over"),
    ]:
        house.now = local(moment)
        with pytest.raises(RegistrationClosed) as refusal:
            house.register("张桂芳")
        assert refusal.value.phase == phase
    house.now = local("2030-06-01 09:00")
    assert house.register("张桂芳").state == "confirmed"
    house.now = local("2030-06-10 10:59")
    assert house.register("王建国", source="phone").source == Source.PHONE
    house.now += timedelta(minutes=1)
    with pytest.raises(RegistrationClosed):
        house.register("李四", source="phone")


def test_nobody_registers_for_a_cancelled_event(house: House) -> None:
    house.apply(toml(more='[notice]\nkind = "cancelled"\ntext = { zh = "取消", en = "Cancelled" }'))
    with pytest.raises(RegistrationClosed):
        house.register("张桂芳", source="phone")


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


def test_the_second_of_two_who_edit_the_same_page_is_told(small: House) -> None:
    made = small.register("张桂芳", phone="13800138000")
    correct(small, made, 1, "13800138000", "张桂花")
    with pytest.raises(ChangedMeanwhile):
        correct(small, made, 1, "13800138000", "张贵芳")


def test_a_companion_cannot_be_corrected_away(small: House) -> None:
    made = small.register("张桂芳", "王建国", phone="13800138000")
    with pytest.raises(FieldRefused):
        correct(small, made, 1, "13800138000", "张桂芳")
    assert left(small) == 3


def test_a_correction_obeys_the_same_rules_as_a_registration(small: House) -> None:
    small.register("张桂芳", phone="13800138000")
    other = small.register("王建国", phone="13800138001")
    with pytest.raises(AlreadyRegistered):
        correct(small, other, 1, "13800138000", "张桂芳")
    cancel(small, other)
    with pytest.raises(AlreadyCancelled):
        correct(small, other, 2, "13800138001", "王建军")


def test_history_and_audit_hold_no_name_and_no_number(small: House) -> None:
    made = small.register("张桂芳", phone="13800138000")
    correct(small, made, 1, "13800138009", "张桂花")
    rows = reading().connection().exec_driver_sql("SELECT * FROM audit_entries").all()
    said = " ".join(str(value) for row in rows for value in row)
    assert "张" not in said
    assert "1380013" not in said


def test_a_token_opens_its_own_ticket_only_and_the_database_does_not_hold_it(small: House) -> None:
    made = small.register("张桂芳")
    token = tickets.token(SECRET, made.ticket_seed)
    assert lookup.by_token(reading(), token)[0].id == made.id
    for wrong in (
        token[:-1],
        token + "0",
        "",
        "0" * 26,
        made.ticket_seed,
        made.ticket_digest,
        "\x00",
        "é",
    ):
        with pytest.raises(RegistrationUnknown):
            lookup.by_token(reading(), wrong)
    stored = reading().connection().exec_driver_sql("SELECT * FROM registrations").all()
    assert token not in str(stored)


def test_an_id_of_another_event_is_unknown(small: House) -> None:
    small.apply(toml(slug="other"))
    made = small.register("张桂芳", slug="other")
    with pytest.raises(RegistrationUnknown):
        lookup.of_event(reading(), small.event("small"), made.id)


def test_the_key_of_a_form_is_dropped_after_a_week_and_not_before(small: House) -> None:
    form = make_entry("张桂芳")
    made = register(small, form)
    for days, kept in ((7, True), (8, False)):
        small.now += timedelta(days=days) - (small.now - made.created_at)
        write(lambda session: form_keys.drop_old(session, now=small.now))
        assert (registering.made_by(reading(), small.event(), form) is not None) is kept
