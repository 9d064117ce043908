"""A whole morning with two telephones: one finds a network again, the other never does. Then the
other is taken away, and in the night both forget the list."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import func, select

from eventreg.core import audit, invariants
from eventreg.core.desk import attendee_list, reports
from eventreg.core.desk.attendee_list import Selection
from eventreg.core.door import devices, gifts
from eventreg.core.models.audit import AuditEntry
from eventreg.core.models.door import DoorAct
from eventreg.core.registration import arrivals
from eventreg.core.uploads import settling
from eventreg.storage.session import reading, transaction
from tests.support.door.bad_network import bad_network
from tests.support.door.lecture import (
    EVENT,
    SURNAMES,
    Lecture,
    arrived,
    come,
    ids,
    paired,
    shows_its_codes,
)
from tests.support.door.volunteer import Volunteer
from tests.support.factories import House
from tests.support.servers import free_port

pytestmark = pytest.mark.browser


@pytest.fixture
def lecture(migrated: Path, tmp_path: Path) -> Iterator[Lecture]:
    """Fifty people have a seat, and one waits."""
    folder = tmp_path / "hall"
    folder.mkdir()
    shutil.copy(migrated, folder / "eventreg.sqlite3")
    house = House(folder)
    with house.app.app_context(), bad_network("http://nowhere", free_port()) as network:
        house.apply(EVENT)
        house.hire()
        for surname in SURNAMES:
            house.register(f"{surname}桂芳")
        house.register("候补人", waitlist=True)
        yield Lecture(house, network, folder)
    house.close()


def types(phone: Volunteer, name: str, kind: str) -> None:
    """The volunteer types a name and presses Enter; the panel answers."""
    phone.page.locator("#find").fill(name)
    phone.page.locator("#find").press("Enter")

    expect(phone.page.locator(".panel")).to_have_attribute("data-kind", kind)


def walks_in(phone: Volunteer, name: str) -> str:
    """Somebody walks in, in four taps: the button, the name, save. Returns the person's id."""
    phone.page.get_by_role("button", name="现场登记").first.click()
    phone.page.locator("#walk-in-name").fill(name)
    phone.page.locator(".sheet-open button.main").click()
    expect(phone.page.locator(".panel")).to_have_attribute("data-kind", "walked-in-waiting")
    return ids(phone)[name]


def test_a_whole_morning(browser: Browser, lecture: Lecture) -> None:
    house, network = lecture.house, lecture.network
    with lecture.at("2030-06-09T20:00"):
        ada, ben = paired(browser, lecture), paired(browser, lecture)
        house.cancel(ticket_of(lecture, "俞桂芳"), by=audit.REGISTRANT)  # 候补人 gets the seat
    with lecture.at("2030-06-10T08:50"):
        for phone in (ada, ben):
            phone.page.clock.install()  # so that the morning passes more quickly
            phone.page.reload()
            phone.is_ready()
            phone.until("app.door.state().expected === 50 && app.door.status().kind === 'synced'")
        types(ada, "陈桂芳", "checked-in")
        ada.has_uploaded()
    network.be("gone")
    the_network_is_gone(ada, ben)
    with lecture.at("2030-06-10T09:20"):
        for phone in (ada, ben):
            phone.page.clock.fast_forward("10:00")
        ben.page.context.set_offline(True)
        network.be("works")
        ada.has_uploaded(30)
        ada.until_pill("synced")
        knows_of_all(ada)
        gifts_at_the_exit(ada)
        shows_its_codes(ada, ben)
        knows_of_all(ben)
    everything_agrees(lecture, ada, ben)
    with lecture.at("2030-06-10T10:40"):
        a_door_that_was_taken_away_checks_in_nobody(lecture, ada, ben)
        a_door_settles_what_was_refused(lecture, ada)
        an_event_that_was_moved_keeps_its_list(ada)
    with lecture.at("2030-06-11T03:00"):
        twelve_hours_after_the_end_the_list_is_gone(ada, ben)


def ticket_of(lecture: Lecture, name: str) -> int:
    """The registration of this person."""
    rows = attendee_list.listed(reading(), lecture.house.event(), Selection(query=name))
    return next(row.registration_id for row in rows if row.name == name)


def the_network_is_gone(ada: Volunteer, ben: Volunteer) -> None:
    """From 8:50 to 9:20."""
    come(ada, SURNAMES[1:24])
    come(ben, SURNAMES[23:43])  # 魏 was at both doors, as neither knows
    types(ada, "俞桂芳", "cancelled")
    walks_in(ada, "路过一")
    walks_in(ben, "路过二")
    shows_its_codes(ben, ada)
    for phone in (ada, ben):
        phone.page.clock.fast_forward("20:00")
    assert len(arrived(ada)) == 43
    ada.page.get_by_role("button", name="更多").click()
    ada.page.get_by_role("button", name="让出座位").click()
    ada.page.get_by_role("button", name="让出这 7 个座位").click()
    expect(ada.page.locator(".panel")).to_have_attribute("data-kind", "seats-released")
    for name in ("路过一", "路过二"):
        types_and_seats(ada, name)
    types(ada, "俞桂芳", "cancelled")
    ada.page.locator(".panel").get_by_role("button", name="恢复名额并签到").click()
    expect(ada.page.locator(".panel")).to_have_attribute("data-kind", "restored")


def types_and_seats(phone: Volunteer, name: str) -> None:
    """A waiting person gets a free seat."""
    types(phone, name, "waiting")
    phone.page.locator(".panel").get_by_role("button", name="安排入座").click()
    expect(phone.page.locator(".panel")).to_have_attribute("data-kind", "seated")


def knows_of_all(phone: Volunteer) -> None:
    """The list of this telephone has everybody who came."""
    came = "[...app.door.state().people.values()].filter(p => p.arrivedAt)"
    phone.until(f"{came}.length === 46", 30)


def gifts_at_the_exit(phone: Volunteer) -> None:
    """Everybody who came gets a gift, once."""
    phone.page.get_by_role("button", name="更多").click()
    phone.page.get_by_role("button", name="礼品").click()
    types(phone, "陈桂芳", "gift-given")
    types(phone, "陈桂芳", "gift-already")
    people = phone.run(
        "return [...app.door.state().people.values()].filter(p => p.arrivedAt && !p.giftAt)"
        ".map(p => p.attendee)"
    )
    assert phone.kinds(people, "gift") == {"gift-given": 45}
    phone.has_uploaded(30)


def everything_agrees(lecture: Lecture, ada: Volunteer, ben: Volunteer) -> None:
    """List, counter, audit, report, both telephones, and doctor."""
    house = lecture.house
    lecture.fresh()
    event = house.event()
    rows = attendee_list.listed(reading(), event, Selection())
    here = sorted(row.name for row in rows if row.arrived_at)
    assert len(here) == 46, "forty-three, who cancelled, and two who walked in"
    assert here == arrived(ada) == arrived(ben)
    assert arrivals.presence(reading(), event).arrived == 46
    assert house.seats().taken == 46
    figures = reports.figures(reading(), event)
    assert (figures.came, figures.walk_ins) == (46, 2)
    assert gifts.stock(reading(), event).given == 46
    checked_in = select(func.count(AuditEntry.id)).where(
        AuditEntry.action == audit.Action.CHECKED_IN
    )
    assert reading().execute(checked_in).scalar_one() == 46
    doubles = select(func.count(DoorAct.id)).where(DoorAct.clash == "double")
    assert reading().execute(doubles).scalar_one() == 1, "魏桂芳, with both doors"
    checked = invariants.of_event(reading(), event, now=house.now)
    assert checked.holds, [one for one in checked.findings if not one.holds]
    doctor = house.app.test_cli_runner().invoke(args=["doctor"])
    assert "agree" in doctor.output or doctor.exit_code == 0, doctor.output


def a_door_that_was_taken_away_checks_in_nobody(
    lecture: Lecture, ada: Volunteer, ben: Volunteer
) -> None:
    """Its codes are good, so the other telephone takes them over; the server refuses each act."""
    house, event = lecture.house, lecture.house.event()
    with transaction() as session:
        door = devices.find(session, event, ben.run("return app.door.facts().device"))
        assert door is not None
        devices.revoke(session, event, door, by=house.desmond, now=house.now)
    before = settling.count(reading(), event)
    assert ben.act("undo", ids(ben)["陈桂芳"])["written"]
    assert ben.act("walkIn", {"name": "混进来的"})["written"]
    shows_its_codes(ben, ada)
    ada.until("app.door.status().toSettle === 2 && app.door.status().kind === 'synced'")
    lecture.fresh()
    assert arrivals.presence(reading(), house.event()).arrived == 46
    assert "陈桂芳" in arrived(ada)
    assert "混进来的" not in arrived(ada)
    assert [one.reason for one in settling.listed(reading(), event)[before:]] == ["revoked"] * 2


def a_door_settles_what_was_refused(lecture: Lecture, ada: Volunteer) -> None:
    """It stays in the list until the volunteer has settled it; at the desk it stays on."""
    kept = settling.count(reading(), lecture.house.event())
    page, pill = ada.page, ada.page.locator(".pill")
    for left in (1, 0):
        expect(pill).to_have_text(f"待核对 {left + 1}")
        pill.click()
        sheet = page.locator(".sheet-open")
        expect(sheet).to_contain_text("来自已经收回的设备")
        sheet.get_by_role("button", name="处理好了").first.click()
        expect(sheet.locator("li")).to_have_count(left)
        assert ada.run("return app.door.status().toSettle") == left, "at once"
        page.keyboard.press("Escape")
    page.reload()  # nobody settles it twice
    ada.until("app.door.status().kind === 'synced'")
    pill.click()
    expect(page.locator(".sheet-open")).to_contain_text("没有要核对的")
    lecture.fresh()
    assert settling.count(reading(), lecture.house.event()) == kept


def an_event_that_was_moved_keeps_its_list(ada: Volunteer) -> None:
    """The telephone still has the old day; it asks before it removes anything."""
    ada.run("app.door.facts().ends_at = '2030-06-08T10:00:00+08:00'; app.door.meetStore.changed()")
    ada.until("app.door.facts().ends_at.startsWith('2030-06-10')")
    ada.until("app.door.status().kind === 'synced'")
    assert ada.stored("people")


def twelve_hours_after_the_end_the_list_is_gone(ada: Volunteer, ben: Volunteer) -> None:
    """With a network and without one; what nobody else has stays, and can still be exported."""
    waiting = len([act for act in ben.stored("acts") if not act["sent"]])
    assert waiting > 40
    ben.run(_ANOTHER_EVENT)
    for phone in (ada, ben):
        phone.page.clock.fast_forward("17:00:00")
        phone.until("app.door.facts().roster_at === undefined", 30)
    ada.until_pill("over")
    expect(ada.page.locator(".pill")).to_have_text("活动结束，名单已删除")
    ben.page.reload()
    ben.until("app.door.status().unsent > 0")
    for phone, unsent in ((ada, 0), (ben, waiting + 1)):
        assert phone.stored("people") == []
        assert len(phone.stored("acts")) == unsent
        assert not [one for one in phone.stored("facts") if "meet_key" in one]
    csv = ben.act("exportUnsent")["told"]["csv"]
    assert csv.count("桂芳") > 40
    assert "混进来的" in csv


_ANOTHER_EVENT = """const act = { slug: "old", act: "check-in", attendee: "x", device: "d" };
  const one = { at: "2020-05-01T09:00:00Z", capacity: 1, attendees: [{ attendee: "x" }] };
  await app.database.saveFacts("old", { device: "d", ends_at: "2020-05-01T10:00:00Z" });
  await app.database.saveRoster("old", one, "");
  const [sent] = await app.database.addActs([act, act].map((one) => Object.assign({}, one)));
  await app.database.saveResults("old", [{ key: sent.key, result: "checked_in" }], "");"""
"""What the telephone still has of a lecture of long ago: a person, and two acts, one uploaded."""
