"""Sessions: when each ends, that none comes back, and that nobody is signed out on the day of an
event before it ends."""

import http.client
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from eventreg.core import audit
from eventreg.core.models.staff import StaffMember, StaffSession
from eventreg.core.staff import accounts, sessions
from eventreg.core.staff.sessions import ABSOLUTE, IDLE
from eventreg.storage.session import reading, transaction
from tests.commands.test_commands import run
from tests.proofs.conftest import rounds
from tests.support.factories import LONG_PASSWORD, PASSWORD, SECRET, House, local, toml
from tests.support.pages import fill, get, sign_in
from tests.support.servers import running

both = pytest.mark.both_databases
DESK = "/staff/events/small"


def rows() -> int:
    """How many sessions the database holds."""
    reading().rollback()
    return reading().query(StaffSession).count()


def at(house: House, moment: str) -> None:
    """It is that time in Ningbo."""
    house.now = local(moment)


def is_in(house: House, client: FlaskClient, moment: str) -> bool:
    """Whether this browser is let in at that time."""
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
    """It has no end of its own."""

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
    """The real server, on the morning; one cookie is of the week before, one of ten to midnight."""
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


def opened(house: House, name: str) -> str:
    """A new session."""
    with transaction() as session:
        return sessions.open_for(session, accounts.by_name(session, name), now=house.now)


def look(house: House, token: str, *, use: bool) -> bool:
    """Whether the session stands; if it does, it is used as a page does."""
    found = sessions.find(reading(), token, now=house.now)
    if found and use:
        with transaction() as session:
            sessions.mark_seen(session, found.session_id, now=house.now)
    reading().rollback()
    return found is not None


MINUTES = st.one_of(st.integers(0, 5), st.integers(60, 300), st.integers(0, 40 * 60))
ACTS = st.sampled_from(["look", "use", "use", "move", "later", "put on", "drop"])


@settings(
    max_examples=rounds(25, 400),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    name=st.sampled_from(["olga", "desmond", "dora"]),
    steps=st.lists(st.tuples(MINUTES, ACTS), max_size=12),
)
@example("olga", [(11_000, "look")])
@example("olga", [(125, "put on"), (1, "use"), (200, "use")])
def test_a_refused_session_stays_refused(
    small: House, name: str, steps: list[tuple[int, str]]
) -> None:
    at(small, "2030-06-08 20:00")
    token, refused, days = opened(small, name), False, iter(range(1, 400))
    for minutes, act in steps:
        small.now += timedelta(minutes=minutes)
        today = small.now.astimezone(ZoneInfo("Asia/Shanghai")).date()
        if act == "move":
            small.apply(
                toml(capacity=next(days) + 3).replace("2030-06-10", f"{today + timedelta(days=1)}")
            )
        elif act == "later":
            small.apply(
                toml(capacity=next(days) + 3)
                .replace("2030-06-10", f"{today}")
                .replace("ends_at = 11:", "ends_at = 23:")
            )
        elif act == "put on":
            small.apply(
                toml(f"more-{today}")
                .replace("2030-06-10", f"{today}")
                .replace("ends_at = 11:", "ends_at = 22:")
            )
        elif act == "drop":
            with transaction() as session:
                sessions.drop_ended(session, now=small.now)
        stands = look(small, token, use=act == "use")
        assert not (refused and stands), "it came back to life"
        refused = not stands


@settings(
    max_examples=rounds(25, 400),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    name=st.sampled_from(["olga", "dora"]),
    waits=st.lists(st.integers(1, 420), min_size=1, max_size=15),
)
@example("olga", [119, 119])
@example("dora", [235, 239, 600])
def test_sessions_end_as_an_independent_rule_says(
    small: House, name: str, waits: list[int]
) -> None:
    """The rule, said once more in other words: over the two days it ends at the first gap or age
    that is too long, unless it stood at midnight before the event."""
    begins, ends = local("2030-06-10 00:00"), local("2030-06-10 11:00")
    idle = IDLE[next(role for role in IDLE if role == {"olga": "organiser", "dora": "door"}[name])]
    at(small, "2030-06-09 20:00")
    token, began = opened(small, name), small.now
    uses = [began + timedelta(minutes=sum(waits[:count])) for count in range(len(waits) + 1)]
    standing = True
    for last, moment in pairwise(uses):
        end = min(last + idle, began + ABSOLUTE)
        end = ends if begins < end < ends or (begins <= last < ends and end < ends) else end
        standing = standing and moment < end
        small.now = moment
        assert look(small, token, use=True) == standing, (last, moment)
        if not standing:
            break


def test_nothing_extends_the_session_of_a_paired_telephone(small: House) -> None:
    """Neither use nor an event that is moved gives it more time."""
    at(small, "2030-06-10 08:00")
    with transaction() as session:
        member = StaffMember(
            username="small ☎1",
            username_folded="small ☎1",
            role="door",
            created_at=small.now,
            event_id=small.event().id,
        )
        session.add(member)
        session.flush()
        token = sessions.open_for(session, member, now=small.now, until=local("2030-06-11 00:00"))
    small.apply(toml().replace("2030-06-10", "2030-06-11"))
    at(small, "2030-06-10 23:59")
    assert look(small, token, use=True)
    at(small, "2030-06-11 00:00")
    assert not look(small, token, use=True)


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
