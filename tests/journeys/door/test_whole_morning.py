"""A whole morning with two telephones: one finds a network again, the other never does."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import func, select

from eventreg.core import audit, invariants
from eventreg.core.desk import attendee_list, reports
from eventreg.core.desk.attendee_list import Selection
from eventreg.core.door import gifts
from eventreg.core.models.audit import AuditEntry
from eventreg.core.models.door import DoorAct
from eventreg.core.registration import arrivals
from eventreg.core.staff import pairing
from eventreg.storage.session import reading, transaction
from tests.support.door.bad_network import BadNetwork, bad_network
from tests.support.door.volunteer import PHONE_WITH_WORKER, Volunteer, volunteer
from tests.support.factories import SECRET, House, toml
from tests.support.servers import free_port, running

pytestmark = pytest.mark.browser
EVENT = toml(capacity=50, more='[gift]\ntext = { zh = "礼品", en = "Gift" }\nstock = 60').replace(
    "closes_at = 09:00:00", "closes_at = 09:00:00\nrelease_at = 09:10:00"
)
SURNAMES = (
    "陈林周吴郑王冯蒋沈韩杨朱秦许何吕施张孔曹严华金魏陶"
    "姜谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞"
)
"""Fifty of them: the first forty-three come."""


@dataclass
class Lecture:
    """The house, the network of the hall, and the server behind it, which is started again as the
    morning goes on."""

    house: House
    network: BadNetwork
    folder: Path

    @contextmanager
    def at(self, time: str) -> Iterator[None]:
        """A server whose clock shows that time."""
        moment = f"{time}:00+08:00"
        environment = {"EVENTREG_CLOCK": moment, "EVENTREG_SECRET_KEY": SECRET}
        with running(self.folder, **environment) as server:
            self.house.now = datetime.fromisoformat(moment)
            self.network.behind = server.address.removeprefix("http://")
            yield

    def fresh(self) -> None:
        """Read what the server has written since."""
        reading().rollback()


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


def paired(browser: Browser, lecture: Lecture) -> Volunteer:
    """A telephone, paired with a code from the desk's screen."""
    with transaction() as session:
        event = lecture.house.event()
        token = pairing.offer(session, event, by=lecture.house.desmond, now=lecture.house.now)
    context = browser.new_context(**PHONE_WITH_WORKER)
    phone = volunteer(context, lecture.network.address)
    phone.page.goto(f"{lecture.network.address}/staff/pair/{token}")
    phone.page.locator("#offline").click()
    expect(phone.page.locator("main[data-page=door]")).to_be_visible()
    phone.is_ready()
    if phone.page.get_by_role("button", name="知道了").count():
        phone.page.get_by_role("button", name="知道了").click()
    return phone


def types(phone: Volunteer, name: str, kind: str) -> None:
    """The volunteer types a name and presses Enter; the panel answers."""
    phone.page.locator("#find").fill(name)
    phone.page.locator("#find").press("Enter")

    expect(phone.page.locator(".panel")).to_have_attribute("data-kind", kind)


def ids(phone: Volunteer) -> dict[str, str]:
    """The ids of the people on the telephone's list, by name."""
    return dict(
        phone.run("return [...app.door.state().people.values()].map(p => [p.name, p.attendee])")
    )


def come(phone: Volunteer, surnames: str) -> None:
    """These people come to this telephone."""
    known = ids(phone)
    people = [known[f"{surname}桂芳"] for surname in surnames]
    assert set(phone.kinds(people)) <= {"checked-in", "late"}


def shows_its_codes(phone: Volunteer, to: Volunteer) -> None:
    """One telephone shows its acts as codes, and the other takes them over."""
    texts = phone.run("return (await app.door.meetStore.texts()).texts")
    to.run(
        """for (const text of value) await app.door.meetStore.take(text);
        await app.door.meetStore.changed();""",
        texts,
    )


def walks_in(phone: Volunteer, name: str) -> str:
    """Somebody walks in, in four taps: the button, the name, save. Returns the person's id."""
    phone.page.get_by_role("button", name="现场登记").first.click()
    phone.page.locator("#walk-in-name").fill(name)
    phone.page.locator(".sheet-open button.main").click()
    expect(phone.page.locator(".panel")).to_have_attribute("data-kind", "walked-in-waiting")
    return ids(phone)[name]


def arrived(phone: Volunteer) -> Any:
    """The names of those who are in, as this telephone knows."""
    return phone.run(
        """return [...app.door.state().people.values()].filter(p => p.arrivedAt)
        .map(p => p.name).sort()"""
    )


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
        ada.until("app.door.status().unsent === 0")
    network.be("gone")
    the_network_is_gone(ada, ben)
    with lecture.at("2030-06-10T09:20"):
        for phone in (ada, ben):
            phone.page.clock.fast_forward("10:00")
        ben.page.context.set_offline(True)
        network.be("works")
        ada.until("app.door.status().unsent === 0 && app.door.status().kind === 'synced'", 30)
        gifts_at_the_exit(ada)
        shows_its_codes(ada, ben)
    everything_agrees(lecture, ada, ben)


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
    phone.until("app.door.status().unsent === 0", 30)


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
