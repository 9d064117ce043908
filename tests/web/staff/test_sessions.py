"""Sessions: when they end, and that an ended one never revives.

On the day of an event, a valid session lasts until the event ends.
"""

import http.client
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient

from eventreg.core import audit
from eventreg.core.models.staff import StaffSession
from eventreg.core.staff import accounts
from eventreg.storage.session import reading, transaction
from tests.commands.test_commands import run
from tests.support.factories import LONG_PASSWORD, PASSWORD, SECRET, House, local, toml
from tests.support.pages import fill, get, sign_in
from tests.support.servers import running

both = pytest.mark.both_databases
DESK = "/staff/events/small"


def rows() -> int:
    """The number of sessions in the database."""
    reading().rollback()
    return reading().query(StaffSession).count()


def at(house: House, moment: str) -> None:
    """Set the clock to this time in China."""
    house.now = local(moment)


def is_in(house: House, client: FlaskClient, moment: str) -> bool:
    """Whether this browser is signed in at that time."""
    at(house, moment)
    return client.get(DESK).status_code == 200


@both
@pytest.mark.parametrize(
    "between", [[], ["2030-06-03 12:00"], ["2030-06-09 10:00", "2030-06-09 23:59"]]
)
def test_an_ended_session_does_not_revive_on_the_day_of_the_event(
    small: House, between: list[str]
) -> None:
    olga = small.signed_in("olga")
    for moment in [*between, "2030-06-10 00:01", "2030-06-10 08:45", "2030-06-10 10:59"]:
        assert not is_in(small, olga, moment), moment


@both
def test_a_session_at_the_start_of_the_day_lasts_until_the_event_ends(
    small: House,
) -> None:
    at(small, "2030-06-09 20:00")
    late = small.signed_in("olga")
    at(small, "2030-06-09 21:30")
    too_early = small.signed_in("olga")
    assert is_in(small, late, "2030-06-09 21:50")
    assert is_in(small, late, "2030-06-09 23:40")
    assert is_in(small, late, "2030-06-10 10:59")
    assert not is_in(small, too_early, "2030-06-10 00:00"), "idle since 21:30"
    assert not is_in(small, too_early, "2030-06-10 10:59")
    at(small, "2030-06-10 00:10")
    morning, unused = small.signed_in("desmond"), small.signed_in("desmond")
    assert is_in(small, morning, "2030-06-10 10:59")
    assert not is_in(small, unused, "2030-06-10 11:00")
    assert not is_in(small, unused, "2030-06-10 10:59"), "a clock that is put back revives nothing"
    assert is_in(small, morning, "2030-06-10 12:58"), "in use, and younger than fourteen hours"


@both
def test_fourteen_hours_are_extended_to_the_end_of_the_event(small: House) -> None:
    small.apply(
        toml(slug="night")
        .replace("T09:00:00", "T16:00:00")
        .replace("ends_at = 11:", "ends_at = 18:")
    )
    at(small, "2030-06-10 01:00")
    olga = small.signed_in("olga")
    for hour in range(2, 18):
        assert is_in(small, olga, f"2030-06-10 {hour:02}:30")
    assert not is_in(small, olga, "2030-06-10 18:00")


def test_the_day_begins_at_midnight_in_the_zone_of_the_event(small: House) -> None:
    """June 10 in New York begins at noon in Ningbo. A second event there, in the autumn, has a day
    of 25 hours."""
    far = toml(slug="small", capacity=4).replace("Asia/Shanghai", "America/New_York")
    small.apply(far)
    small.apply(far.replace('"small"', '"autumn"').replace("2030-06-10", "2030-11-03"))
    zone = ZoneInfo("America/New_York")
    for day in ((2030, 6, 10), (2030, 11, 3)):
        midnight = datetime(*day, tzinfo=zone)
        small.now = midnight - timedelta(hours=2)
        asleep = small.signed_in("olga")
        small.now = midnight - timedelta(minutes=119)
        awake, unused = small.signed_in("desmond"), small.signed_in("desmond")
        small.now = datetime(*day, 10, 59, tzinfo=zone)
        assert (asleep.get(DESK).status_code, awake.get(DESK).status_code) == (303, 200)
        small.now = datetime(*day, 11, tzinfo=zone)
        assert unused.get(DESK).status_code == 303


@both
def test_postponing_the_end_of_an_event_extends_sessions(small: House) -> None:
    at(small, "2030-06-10 07:00")
    olga, dora = small.signed_in("olga"), small.signed_in("dora")
    at(small, "2030-06-10 10:30")
    small.apply(toml().replace("ends_at = 11:", "ends_at = 13:"))
    at(small, "2030-06-10 12:59")
    assert olga.get(DESK).status_code == 200
    at(small, "2030-06-10 13:00")
    small.apply(toml().replace("ends_at = 11:", "ends_at = 14:"))
    assert dora.get("/door/small/").status_code == 303, "it had ended"


@both
def test_adding_an_event_today_revives_no_ended_session(small: House) -> None:
    at(small, "2030-06-03 09:00")
    gone, here = small.signed_in("olga"), small.signed_in("desmond")
    assert is_in(small, here, "2030-06-03 10:30")
    at(small, "2030-06-03 11:30")
    small.apply(
        toml(slug="today")
        .replace("2030-06-10", "2030-06-03")
        .replace("ends_at = 11:", "ends_at = 17:")
    )
    assert not is_in(small, gone, "2030-06-03 11:31")
    assert is_in(small, here, "2030-06-03 16:59")


def test_a_session_without_a_stored_end_is_judged_by_its_last_use(small: House) -> None:
    """Older versions stored no end."""

    def as_before(client: FlaskClient) -> FlaskClient:
        with transaction() as session:
            session.query(StaffSession).update({"expires_at": None})
        return client

    at(small, "2030-06-09 23:30")
    olga = as_before(small.signed_in("olga"))
    assert is_in(small, as_before(olga), "2030-06-10 08:00")
    with transaction() as session:
        session.query(StaffSession).delete()
    at(small, "2030-06-09 21:30")
    assert not is_in(small, as_before(small.signed_in("olga")), "2030-06-10 00:01")


@both
def test_ended_sessions_are_deleted_when_used_at_sign_in_and_by_the_purge(
    small: House,
) -> None:
    for way in ("sight", "sign-in", "hour"):
        at(small, "2030-06-03 09:00")
        client = small.signed_in("olga")
        at(small, "2030-06-03 10:00")
        other = small.signed_in("dora")
        assert rows() == 2
        at(small, "2030-06-03 11:30")
        if way == "sight":
            client.get("/staff/")
        elif way == "sign-in":
            small.signed_in("desmond")
        else:
            assert run(small, "purge").exit_code == 0
        assert rows() == (2 if way == "sign-in" else 1), way
        assert other.get("/door/small/").status_code == 200
        with transaction() as session:
            session.query(StaffSession).delete()


def test_the_own_page_lists_no_ended_session(small: House) -> None:
    at(small, "2030-06-03 09:00")
    small.signed_in("olga")
    at(small, "2030-06-03 10:59")
    olga = small.signed_in("olga")
    at(small, "2030-06-03 11:00")
    assert [
        form.action for form in get(olga, "/staff/me").forms if form.action.endswith("/browsers")
    ] == []


@both
def test_a_real_server_refuses_an_ended_session(small: House, environment: dict[str, str]) -> None:
    """On the morning of the event; one session is of the week before, one of 23:50."""
    clients = {"old": small.signed_in("olga")}
    at(small, "2030-06-09 23:50")
    clients["fresh"] = small.signed_in("desmond")
    given = {
        **environment,
        "EVENTREG_SECRET_KEY": SECRET,
        "EVENTREG_CLOCK": "2030-06-10T00:01:00+08:00",
    }
    answers = {}
    with running(small.settings.instance, **given) as server:
        for who, client in clients.items():
            kept = client.get_cookie("s")
            assert kept is not None
            connection = http.client.HTTPConnection(
                server.address.removeprefix("http://"), timeout=60
            )
            connection.request("GET", DESK, headers={"Cookie": f"s={kept.value}"})
            answers[who] = connection.getresponse().status
            connection.close()
    assert answers == {"old": 303, "fresh": 200}


def test_signing_in_again_opens_a_new_session(small: House) -> None:
    olga = small.signed_in("olga")
    assert not is_in(small, olga, "2030-06-10 00:01")
    assert sign_in(olga, "olga", PASSWORD).status_code == 303
    assert is_in(small, olga, "2030-06-10 10:59")


@both
def test_a_restored_backup_revives_no_session_and_no_link(small: House, tmp_path: Path) -> None:
    olga, dora = small.signed_in("olga"), small.signed_in("dora")
    with transaction() as session:
        link = accounts.make_link(
            session, accounts.by_name(session, "desmond"), by=audit.SYSTEM, now=small.now
        )
    file, copied = str(tmp_path / "before.zip"), small.client()
    held = olga.get_cookie("s")
    assert held is not None
    copied.set_cookie("s", held.value)
    assert copied.get("/staff/").status_code == 200
    assert run(small, "backup", "create", file).exit_code == 0
    olga.post("/staff/sign-out", data=get(olga, "/staff/").form("/sign-out").fields)
    fill(small.client(), f"/staff/welcome/{link}", password=LONG_PASSWORD)
    assert run(small, "backup", "restore", file).exit_code == 0
    for browser in (copied, dora):
        assert browser.get("/staff/").status_code == 303, "nobody is signed in"
    assert small.client().get(f"/staff/welcome/{link}").status_code == 404, (
        "a link that was used is not good again"
    )
