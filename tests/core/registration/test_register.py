"""Registering: what a party gets, and what is refused."""

from datetime import timedelta

import pytest

from eventreg.core import audit
from eventreg.core.errors import (
    AlreadyRegistered,
    FieldRefused,
    FormKeyReused,
    PhoneAtLimit,
    RegistrationClosed,
    RegistrationUnknown,
)
from eventreg.core.event import events
from eventreg.core.models.registration import Registration, Source
from eventreg.core.registration import lookup, seats, sent_forms, tickets
from eventreg.core.registration import register as registering
from eventreg.core.registration.entries import Entry
from eventreg.storage.session import db, reading, transaction, write
from tests.support.factories import SECRET, House, local, make_entry, toml

pytestmark = pytest.mark.both_databases


def register(house: House, entry: Entry) -> Registration:
    """Register online with this form."""
    with transaction() as session:
        event = events.get(session, "small")
        made = registering.register(
            session, event, entry, secret_key=SECRET, by=audit.REGISTRANT, now=house.now
        )
    return lookup.get(reading(), made.id)


def test_a_couple_gets_two_seats_two_codes_and_one_ticket(small: House) -> None:
    made = small.register("张桂芳", "王建国")
    people = lookup.party(reading(), made)
    assert [person.name for person in people] == ["张桂芳", "王建国"]
    assert len({person.code for person in people}) == 2
    assert small.seats().left == 3


def test_the_same_form_sent_twice_makes_one_registration(small: House) -> None:
    form = make_entry("张桂芳")
    assert register(small, form).id == register(small, form).id
    assert small.seats().left == 4


def test_without_its_key_a_form_sent_twice_would_be_refused(
    small: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: it is the stored key that makes the second sending harmless."""
    form = make_entry("张桂芳")
    register(small, form)
    monkeypatch.setattr(registering, "made_by", lambda *_: None)
    with pytest.raises(AlreadyRegistered):
        register(small, form)


def test_the_key_of_a_form_is_stored_only_if_its_seat_is_taken(
    small: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = make_entry("张桂芳")
    with monkeypatch.context() as broken:
        broken.setattr(seats, "take", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            register(small, form)
    assert register(small, form).state == "confirmed"
    assert small.seats().left == 4


def test_the_key_of_a_form_is_dropped_after_a_week_and_not_before(small: House) -> None:
    form = make_entry("张桂芳")
    made = register(small, form)
    for days, kept in ((7, True), (8, False)):
        small.now += timedelta(days=days) - (small.now - made.created_at)
        write(lambda session: sent_forms.drop_old(session, now=small.now))
        assert (registering.made_by(db.engine, reading(), small.event(), form) is not None) is kept


def test_a_used_form_with_another_name_is_refused_and_changes_nothing(small: House) -> None:
    register(small, make_entry("张桂芳", phone="13800138000", key="a" * 32))
    with pytest.raises(FormKeyReused):
        register(small, make_entry("王建国", phone="13800138000", key="a" * 32))
    assert small.seats().left == 4


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


def test_the_same_name_twice_in_one_party_is_refused_at_the_second_field(small: House) -> None:
    with pytest.raises(FieldRefused) as refusal:
        small.register("张桂芳", "张 桂 芳")
    assert refusal.value.field == "companion-1"


def test_a_party_larger_than_allowed_is_refused(small: House) -> None:
    with pytest.raises(FieldRefused):
        small.register("王一", "王二", "王三")


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


def test_registering_for_a_cancelled_event_is_refused(house: House) -> None:
    house.apply(toml(more='[notice]\nkind = "cancelled"\ntext = { zh = "取消", en = "Cancelled" }'))
    with pytest.raises(RegistrationClosed):
        house.register("张桂芳", source="phone")


def test_a_token_opens_only_its_own_ticket_and_is_not_in_the_database(small: House) -> None:
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


def test_mail_is_owed_only_if_staff_entered_an_address(full: House) -> None:
    full.apply(toml(capacity=3))
    with_mail = full.register("李一", source="phone", email="li@example.org")
    kinds = (
        reading()
        .connection()
        .exec_driver_sql("SELECT registration_id, kind, channel FROM outbox_messages")
        .all()
    )
    assert kinds == [(with_mail.id, "registered", "mail")]
