"""Bursts: many people registered from one address are shown, and an organiser can cancel them."""

from datetime import timedelta

import pytest
from sqlalchemy import text, update

from eventreg import background
from eventreg.core import audit, invariants
from eventreg.core.audit import Action
from eventreg.core.desk import bursts
from eventreg.core.door import check_in
from eventreg.core.door.check_in import Arrival
from eventreg.core.event import events
from eventreg.core.models.registration import FormKey, Registration
from eventreg.storage.session import reading, write
from tests.support.factories import PASSWORD, House, local, toml
from tests.support.pages import fill, get
from tests.support.tokens import token

DESK = "/staff/events/small"
REGISTER = "/zh/events/small/register"
HERE, THERE = "1" * 16, "2" * 16

pytestmark = pytest.mark.both_databases


@pytest.fixture
def roomy(house: House) -> House:
    """Twenty seats and a waiting list."""
    house.apply(toml(capacity=20, more="[waitlist]\nopen = true\nsize = 30"))
    house.hire()
    return house


def come(
    house: House, people: int, number: str = HERE, seconds: int = 5, first: int = 0
) -> list[Registration]:
    """Register people from one address, one every ``seconds``."""
    made = []
    for n in range(first, first + people):
        made.append(house.register(f"王{n}号", waitlist=True, burst=number))
        house.now += timedelta(seconds=seconds)
    return made


def seen(house: House) -> list[list[str]]:
    """The names of each burst."""
    return [
        [one.name for one in burst.people]
        for burst in bursts.of_event(reading(), house.event(), now=house.now)
    ]


def ids(house: House) -> list[str]:
    """The public ids of all people in bursts."""
    return [
        one.public_id
        for burst in bursts.of_event(reading(), house.event(), now=house.now)
        for one in burst.people
    ]


@pytest.mark.parametrize(
    ("people", "seconds", "shown"),
    [(5, 1, False), (6, 10, True), (6, 13, False), (11, 200, False), (12, 200, True)],
)
def test_six_in_a_minute_or_twelve_in_the_hour_are_a_burst(
    roomy: House, people: int, seconds: int, shown: bool
) -> None:
    come(roomy, people, seconds=seconds)
    assert bool(seen(roomy)) is shown


def test_only_online_registrations_from_one_address_are_a_burst(roomy: House) -> None:
    come(roomy, 4, HERE)
    come(roomy, 4, THERE, first=10)
    for n in range(8):
        roomy.register(f"李{n}号", source="phone")
    assert seen(roomy) == []
    come(roomy, 2, HERE, first=20)
    assert seen(roomy) == [["王0号", "王1号", "王2号", "王3号", "王20号", "王21号"]]


def test_a_split_party_is_shown_whole(house: House) -> None:
    house.apply(toml(capacity=1, more="[waitlist]\nopen = true\nsize = 30"))
    house.register("张桂芳", "王建国", split=True, waitlist=True, burst=HERE)
    come(house, 4)
    assert seen(house) == [["张桂芳", "王建国", "王0号", "王1号", "王2号", "王3号"]]


def test_arrived_and_cancelled_people_are_left_out(roomy: House) -> None:
    made = come(roomy, 8)
    roomy.cancel(made[0])
    roomy.now = local("2030-06-10 08:50")
    write(lambda session: session.execute(update(FormKey).values(created_at=roomy.now)))
    person = bursts.of_event(reading(), roomy.event(), now=roomy.now)[0].people[0]
    write(
        lambda session: check_in.check_in(
            session,
            events.get(session, "small"),
            Arrival(person.public_id, roomy.now, roomy.now),
            anyway=False,
            by=roomy.dora,
        )
    )
    assert [len(burst) for burst in seen(roomy)] == [6]


def test_an_organiser_cancels_ticked_people_and_their_seats_are_passed_on(roomy: House) -> None:
    come(roomy, 12)
    for n in range(8):
        roomy.register(f"李{n}号")
    neighbour = roomy.register("赵大姐", waitlist=True)
    olga = roomy.signed_in("olga")
    roomy.now += timedelta(minutes=11)
    page = get(olga, DESK)
    assert "同一个网络很快报了 12 个人" in page.text
    (ticks,) = [form for form in page.forms if form.action.endswith("/bursts")]
    boxes = [tag for tag in page.having("type") if tag.get("name") == "attendee"]
    assert len(boxes) == 12
    assert not [tag for tag in boxes if "checked" in tag], "nobody is ticked beforehand"
    chosen = {"attendee": [str(tag["value"]) for tag in boxes[:10]]}

    asked = olga.get(ticks.action, query_string=chosen)
    assert asked.status_code == 303, "signed in more than ten minutes ago: the password once more"
    proved = fill(olga, asked.headers["Location"], password=PASSWORD)
    asked_page = get(olga, proved.headers["Location"])
    assert asked_page.kind == "staff-take-back"
    form = asked_page.form("/bursts")
    assert roomy.seats().taken == 20, "asking changes nothing"
    done = olga.post(form.action, data={**form.fields, **chosen})
    assert "取消了 10 个人的报名" in get(olga, done.headers["Location"]).text
    assert "取消了 10 个人的报名" not in get(olga, done.headers["Location"]).text, "said once"
    assert seen(roomy) == [], "the neighbour's two are no burst any more"
    assert roomy.seats().taken == 11
    assert reading().get_one(Registration, neighbour.id).state == "confirmed", (
        "the first who waited has a seat"
    )
    lines = [
        line
        for line in audit.of_event(reading(), roomy.event().id, most=99)
        if line.action == Action.TAKEN_BACK
    ]
    assert (len(lines), {line.who for line in lines}) == (10, {"olga"})
    assert "同一个网络报得太多" in get(olga, f"{DESK}/audit").text
    assert invariants.of_event(reading(), roomy.event(), now=roomy.now).holds
    again = olga.post(form.action, data={**form.fields, **chosen})
    assert again.status_code == 303
    assert roomy.seats().taken == 11, "pressed twice"


def test_without_a_tick_the_organiser_is_told_to_tick_first(roomy: House) -> None:
    come(roomy, 6)
    olga = roomy.signed_in("olga")
    (ticks,) = [form for form in get(olga, DESK).forms if form.action.endswith("/bursts")]
    page = get(olga, olga.get(ticks.action).headers["Location"])
    assert "请先在要取消的人前面打勾" in page.text
    assert "<details open" in page.html
    assert "打勾。" not in get(olga, DESK).text
    assert roomy.seats().taken == 6


def test_only_ticked_people_are_cancelled_and_none_is_promoted_first(
    house: House,
) -> None:
    house.apply(toml(capacity=4, more="[waitlist]\nopen = true\nsize = 30"))
    house.hire()
    house.register("甲一", "甲二", burst=HERE)
    house.register("乙一", "乙二", burst=HERE)
    come(house, 4)
    waiting = house.register("赵大姐", waitlist=True)
    people = [
        one
        for burst in bursts.of_event(reading(), house.event(), now=house.now)
        for one in burst.people
    ]
    chosen = [one.public_id for one in people if one.name not in {"甲一", "乙一"}]
    done = write(
        lambda s: bursts.take_back(s, events.get(s, "small"), chosen, by=house.olga, now=house.now)
    )
    assert (done, house.seats().taken, house.seats().waiting) == (6, 3, 0)
    assert reading().get_one(Registration, waiting.id).state == "confirmed"
    promoted = [
        line for line in audit.of_event(reading(), 1, most=99) if line.action == Action.PROMOTED
    ]
    assert [line.registration_id for line in promoted] == [waiting.id], (
        "nobody was seated who was to go"
    )


def test_people_outside_a_burst_cannot_be_cancelled_this_way(roomy: House) -> None:
    come(roomy, 6)
    bystander = roomy.register("张桂芳")
    person = (
        reading()
        .execute(text("SELECT public_id FROM attendees WHERE name = '张桂芳'"))
        .scalar_one()
    )
    done = write(
        lambda s: bursts.take_back(
            s, events.get(s, "small"), [person], by=roomy.olga, now=roomy.now
        )
    )
    assert (done, reading().get_one(Registration, bystander.id).state) == (0, "confirmed")


def test_the_desk_sees_bursts_but_may_not_cancel_them(roomy: House) -> None:
    come(roomy, 6)
    desmond = roomy.signed_in("desmond")
    page = get(desmond, DESK)
    assert "同一个网络很快报了 6 个人" in page.text
    assert not [tag for tag in page.having("type") if tag.get("name") == "attendee"]
    assert desmond.get(f"{DESK}/bursts").status_code == 403


def test_missing_and_invalid_ids_are_ignored(roomy: House) -> None:
    come(roomy, 6)
    olga = roomy.signed_in("olga")
    for sent in (
        "",
        "?attendee=",
        "?attendee=%C2%B2",
        f"?attendee={2**63}",
        "?attendee=999&attendee=-1",
    ):
        answer = olga.get(f"{DESK}/bursts{sent}")
        assert (answer.status_code, answer.headers["Location"]) == (303, f"{DESK}?taken_back=none")


def test_shared_addresses_are_forgotten_after_a_day(roomy: House) -> None:
    come(roomy, 6)
    roomy.now += bursts.KEPT
    assert seen(roomy) == []
    reading().rollback()
    with roomy.app.test_request_context():
        background.purge()
    assert (
        reading()
        .execute(text("SELECT count(*) FROM form_keys WHERE burst IS NOT NULL"))
        .scalar_one()
        == 0
    )
    assert reading().execute(text("SELECT count(*) FROM form_keys")).scalar_one() == 6, (
        "the keys stay a week"
    )


def test_the_address_itself_is_not_stored(house: House) -> None:
    house.app.extensions["limits"].on = True
    house.apply(toml(capacity=20))
    made = int(house.now.timestamp()) - 10
    for n in range(7):
        typed = {
            "name": f"王{n}号",
            "phone": f"138{n:08d}",
            "confirmed": "yes",
            "csrf_token": token("small", made),
        }
        answer = house.client().post(
            REGISTER, data=typed, environ_base={"REMOTE_ADDR": "203.0.113.77"}
        )
        assert answer.status_code == 303
    assert len(ids(house)) == 7
    tables = reading().execute(text("SELECT DISTINCT burst FROM form_keys")).scalars().all()
    assert len(tables) == 1
    assert "203.0.113" not in " ".join(
        str(row)
        for table in ("form_keys", "registrations", "attendees", "audit_entries")
        for row in reading().execute(text(f"SELECT * FROM {table}"))
    )
