"""A lecture with fifty people, the network of its hall, and the telephones at its doors."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect

from eventreg.core.staff import pairing
from eventreg.storage.session import reading, transaction
from tests.support.door.bad_network import BadNetwork
from tests.support.door.volunteer import PHONE_WITH_WORKER, Volunteer, volunteer
from tests.support.factories import SECRET, House, toml
from tests.support.servers import running

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


def arrived(phone: Volunteer) -> Any:
    """The names of those who are in, as this telephone knows."""
    return phone.run(
        """return [...app.door.state().people.values()].filter(p => p.arrivedAt)
        .map(p => p.name).sort()"""
    )
