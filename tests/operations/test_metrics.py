"""The figures for monitoring are right, and name no one."""

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from eventreg.core.door import devices
from tests.operations.monitors import TOKEN, ask, figures, with_monitor
from tests.support.factories import House
from tests.support.pages import sign_in

watched = with_monitor()


@pytest.mark.both_databases
def test_the_figures_of_an_event_are_those_of_its_rows(watched: House) -> None:
    watched.register("张桂芳", "李明")
    watched.register("王建国", source="phone", phone="13900139000")
    watched.register("赵云", "钱一", phone="13700137000", waitlist=True)
    gone = watched.register("孙二", source="phone", phone="13600136000", waitlist=True)
    watched.cancel(gone)
    found = figures(watched)
    of_event = {
        key.replace('event="small",', ""): value for key, value in found.items() if "small" in key
    }
    assert of_event == {
        'eventreg_seats{state="confirmed"}': 3,
        'eventreg_seats{state="free"}': 0,
        'eventreg_seats{state="held"}': 0,
        'eventreg_seats{state="over"}': 0,
        'eventreg_capacity{event="small"}': 3,
        'eventreg_waiting{event="small"}': 2,
        'eventreg_registrations{source="online"}': 2,
        'eventreg_registrations{source="phone"}': 1,
    }
    assert abs(found["eventreg_clock_offset_seconds{}"]) < 5
    assert found['eventreg_writer_wait_seconds_bucket{le="+Inf"}'] > 6
    assert found["eventreg_disk_free_bytes{}"] > 0
    watched.now += timedelta(days=30)
    assert not [key for key in figures(watched) if "small" in key], "it is over and past"


@pytest.mark.both_databases
def test_a_door_is_named_by_its_number_because_staff_choose_its_name(watched: House) -> None:
    with watched.writing() as session:
        event = watched.event()
        contact = devices.Contact(unsent=4)
        door = devices.touch(
            session, event, "telephone-1", by=watched.dora, now=watched.now, contact=contact
        )
        devices.rename(session, event, door, "王阿姨的手机", by=watched.olga, now=watched.now)
        gone = devices.touch(session, event, "telephone-2", by=watched.dora, now=watched.now)
        devices.revoke(session, event, gone, by=watched.olga, now=watched.now)
        number = door.id
    watched.register("张桂芳", email="gui@example.org")
    watched.now += timedelta(seconds=90)
    label = f'{{door="{number}",event="small"}}'
    doors = {key: value for key, value in figures(watched).items() if "door_" in key}
    assert doors == {
        f"eventreg_door_unsent_acts{label}": 4,
        f"eventreg_door_last_contact_seconds{label}": 90,
    }
    page = ask(watched, "/metrics").text
    assert page.isascii(), "it has no name of a person and no name of a door"
    for secret in ("13800138000", "example.org", "telephone-", "olga", TOKEN):
        assert secret not in page
    assert not re.findall(r'="[^"]*\d{4,}', page), "no label has a number of a telephone"


def test_answered_requests_are_counted_by_page_and_status(watched: House) -> None:
    def guest() -> FlaskClient:
        client = watched.client()
        client.environ_base["HTTP_HOST"] = "127.0.0.1"
        return client

    for _ in range(3):
        guest().get("/zh/events/small")
    guest().get("/zh/events/nothing")
    guest().get("/T/" + "A" * 26)
    guest().get("/nowhere/at-all")
    guest().get("/zh/", headers={"Host": "evil.example"})
    for _ in range(2):
        sign_in(guest(), "olga", "a wrong password of olga")
    found = figures(watched)
    counted = {
        key.removeprefix("eventreg_requests_total"): value
        for key, value in found.items()
        if key.startswith("eventreg_requests_total")
    }
    assert counted == {
        '{route="public.event",status="200"}': 3,
        '{route="public.event",status="404"}': 1,
        '{route="ticket.ticket",status="404"}': 1,
        '{route="none",status="404"}': 1,
        '{route="public.start",status="400"}': 1,
        '{route="staff.sign_in",status="200"}': 2,
        '{route="staff.do_sign_in",status="422"}': 2,
    }
    assert found["eventreg_sign_in_failures_total{}"] == 2
