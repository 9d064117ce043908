"""Door devices: found again, named, renamed, taken away; each at its own event."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest import MonkeyPatch
from sqlalchemy import select

from eventreg.core.audit import Actor
from eventreg.core.door import device_checks, devices
from eventreg.core.door.devices import Contact, Paired
from eventreg.core.door_errors import DeviceRevoked, DeviceUnknown, PairingClosed
from eventreg.core.errors import FieldRefused, LinkSpent
from eventreg.core.models.door import DoorDevice
from eventreg.core.models.staff import StaffMember
from eventreg.core.staff import pairing, sessions
from eventreg.storage.session import reading, transaction
from tests.support.factories import House, local, toml

pytestmark = pytest.mark.both_databases
GOOD = json.dumps({"secure": "ok", "worker": "ok", "storage": "ok", "camera": "off"})
LAPTOP = "1" * 32


@pytest.fixture
def eve(small: House) -> Iterator[House]:
    """The evening before the event."""
    small.now = local("2030-06-09 20:00")
    yield small


def offered(house: House, slug: str = "small") -> str:
    """A token that Desmond offers."""
    with transaction() as session:
        return pairing.offer(session, house.event(slug), by=house.desmond, now=house.now)


def paired(house: House, held: str = "", slug: str = "small", checks: str = "") -> Paired:
    """A telephone is paired."""
    token = offered(house, slug)
    with transaction() as session:
        return devices.pair(
            session, token, held=held, machine="Android", checks=checks, now=house.now
        )


def touched(house: House, device: str, by: Actor, **contact: int | bool) -> DoorDevice:
    """A device is in contact."""
    with transaction() as session:
        return devices.touch(
            session,
            house.event(),
            device,
            by=by,
            now=house.now,
            contact=Contact(**contact),  # type: ignore[arg-type]
        )


def names(house: House, slug: str = "small") -> list[str]:
    """The names of the doors, in order."""
    reading().rollback()
    return [one.name for one in devices.of_event(reading(), house.event(slug))]


def signed_in(house: House, made: Paired) -> sessions.SignedIn | None:
    """Who is signed in on a paired telephone."""
    reading().rollback()
    return sessions.find(reading(), made.session_token, now=house.now)


def account(house: House, made: Paired) -> Actor:
    """The telephone as an actor."""
    found = signed_in(house, made)
    assert found is not None
    return found.actor


def revoked(house: House, device: str) -> None:
    """Desmond takes a device away."""
    with transaction() as session:
        event = house.event()
        found = devices.find(session, event, device)
        assert found is not None
        devices.revoke(session, event, found, by=house.desmond, now=house.now)


def test_each_telephone_gets_the_next_free_number_and_its_checks_are_kept(eve: House) -> None:
    first, second = paired(eve, checks=GOOD), paired(eve, checks="{nonsense")
    assert names(eve) == ["1 号台", "2 号台"]
    found = devices.of_event(reading(), eve.event())
    assert device_checks.works_offline(device_checks.read(found[0].checks))
    assert found[1].checks is None
    revoked(eve, first.device)
    paired(eve)
    assert names(eve)[2] == "3 号台", "the number of a door that was taken away is not used again"
    assert devices.default_number("3 号台") == 3
    assert devices.default_number("签到 3 号台") is None
    assert account(eve, second).staff_id != eve.desmond.staff_id


def test_a_telephone_paired_again_is_the_same_door_with_one_session(eve: House) -> None:
    first = paired(eve)
    with transaction() as session:
        found = devices.by_id(session, eve.event(), 1)
        devices.rename(session, eve.event(), found, " 门口  ", by=eve.desmond, now=eve.now)
    before = account(eve, first)
    again = paired(eve, held=first.device)
    assert again.device == first.device
    assert names(eve) == ["门口"]
    assert account(eve, again) == before, "its acts stay one person's in the trail"
    assert signed_in(eve, first) is None, "the earlier session has ended"


@pytest.mark.parametrize("held", ["", "x" * 65, "../..", "\ud800", "f" * 32, "号台"])
def test_an_unknown_or_malformed_id_is_ignored(eve: House, held: str) -> None:
    made = paired(eve, held=held)
    assert made.device != held
    assert len(made.device) == 32


def test_the_device_of_another_event_is_not_taken_up(eve: House, monkeypatch: MonkeyPatch) -> None:
    eve.apply(toml("other"))
    first = paired(eve)
    there = paired(eve, held=first.device, slug="other")
    assert there.device != first.device
    assert names(eve, "other") == ["1 号台"]
    assert signed_in(eve, first) is not None
    monkeypatch.setattr(devices, "find", lambda session, *_: session.scalar(select(DoorDevice)))
    assert paired(eve, held=first.device, slug="other").device == first.device, "without the check"


def test_pairing_begins_four_days_before_the_start_and_ends_twelve_hours_after(
    eve: House,
) -> None:
    start, end = eve.event().starts_at, eve.event().ends_at
    eve.now = start - timedelta(days=4, seconds=1)
    with pytest.raises(PairingClosed) as closed:
        paired(eve)
    assert closed.value.opens_at == start - timedelta(days=4)
    eve.now += timedelta(seconds=1)
    made = paired(eve)
    eve.now = end + timedelta(hours=12, seconds=-1)
    assert signed_in(eve, made) is not None, "from four days before until twelve hours after"
    eve.now += timedelta(seconds=1)
    assert signed_in(eve, made) is None
    with pytest.raises(PairingClosed):
        paired(eve)


def test_a_code_offered_in_time_pairs_no_telephone_if_the_event_was_put_off(eve: House) -> None:
    token = offered(eve)
    eve.apply(toml().replace("2030-06-10", "2030-06-20"))
    with pytest.raises(PairingClosed), transaction() as session:
        devices.pair(session, token, held="", machine="", checks="", now=eve.now)
    eve.apply(toml())
    with transaction() as session:
        devices.pair(session, token, held="", machine="", checks="", now=eve.now)
    with pytest.raises(LinkSpent), transaction() as session:
        devices.pair(session, token, held="", machine="", checks="", now=eve.now)


def test_a_laptop_becomes_a_door_at_its_first_contact(eve: House) -> None:
    touched(eve, LAPTOP, eve.dora, unsent=3, clock_ahead=-90)
    eve.now += timedelta(minutes=1)
    found = touched(eve, LAPTOP, eve.desmond, has_roster=True)
    assert names(eve) == ["1 号台"]
    assert (found.unsent, found.clock_ahead, found.paired_at) == (3, -90, None)
    assert found.roster_at == found.seen_at == eve.now
    assert found.staff_id == eve.desmond.staff_id, "who signed in last"
    with pytest.raises(ValueError, match="an id"):
        touched(eve, "a b", eve.dora)


def test_contact_without_news_is_stored_at_most_every_twenty_seconds(eve: House) -> None:
    began = eve.now
    touched(eve, LAPTOP, eve.dora)
    eve.now += timedelta(seconds=19)
    assert touched(eve, LAPTOP, eve.dora).seen_at == began
    eve.now += timedelta(seconds=1)
    assert touched(eve, LAPTOP, eve.dora).seen_at == eve.now


def test_a_paired_telephone_is_one_door_whatever_id_it_sends(eve: House) -> None:
    made, other = paired(eve), paired(eve)
    by = account(eve, made)
    for sent in (made.device, other.device, LAPTOP):
        assert touched(eve, sent, by).device == made.device
    assert names(eve) == ["1 号台", "2 号台"]


def test_a_revoked_door_is_signed_out_and_refused_until_it_is_paired_again(eve: House) -> None:
    made, other = paired(eve), paired(eve)
    by = account(eve, made)
    revoked(eve, made.device)
    revoked(eve, made.device)
    assert signed_in(eve, made) is None
    assert signed_in(eve, other) is not None
    assert devices.is_revoked(reading(), eve.event(), made.device)
    assert not devices.is_revoked(reading(), eve.event(), "never seen")
    with pytest.raises(DeviceRevoked):
        touched(eve, made.device, by)
    again = paired(eve, held=made.device)
    assert again.device == made.device
    assert signed_in(eve, made) is None, "a copy of the old cookie stays worthless"
    assert touched(eve, made.device, account(eve, again)).revoked_at is None


def test_revoking_a_laptop_signs_that_browser_out_and_leaves_the_person_alone(eve: House) -> None:
    with transaction() as session:
        here, there = (
            sessions.open_for(session, _member(eve), now=eve.now) for _ in ("laptop", "tablet")
        )
    found = sessions.find(reading(), here, now=eve.now)
    assert found is not None
    touched(eve, LAPTOP, eve.dora, session_id=found.session_id)
    revoked(eve, LAPTOP)
    reading().rollback()
    assert sessions.find(reading(), here, now=eve.now) is None
    assert sessions.find(reading(), there, now=eve.now) is not None
    assert _member(eve).disabled_at is None


def _member(house: House) -> StaffMember:
    return reading().get_one(StaffMember, house.dora.staff_id)


@pytest.mark.parametrize("name", ["", "   ", "x" * 21, "a\x00b", "a\u202eb", "\ufffd"])
def test_a_door_gets_no_name_that_nobody_could_read(eve: House, name: str) -> None:
    paired(eve)
    with pytest.raises(FieldRefused, match="door_name_wrong"), transaction() as session:
        found = devices.by_id(session, eve.event(), 1)
        devices.rename(session, eve.event(), found, name, by=eve.desmond, now=eve.now)


def test_two_doors_of_an_event_do_not_have_one_name(eve: House) -> None:
    eve.apply(toml("other"))
    paired(eve)
    paired(eve)
    with pytest.raises(FieldRefused, match="door_name_taken"), transaction() as session:
        found = devices.by_id(session, eve.event(), 2)
        devices.rename(session, eve.event(), found, "1 号台", by=eve.desmond, now=eve.now)
    with pytest.raises(DeviceUnknown):
        devices.by_id(reading(), eve.event("other"), 1)
