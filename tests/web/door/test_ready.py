"""The self-test of the evening before: everything is good, or there is one act to do."""

import shutil
from collections import namedtuple
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from pytest import MonkeyPatch

from eventreg.core import operation_runs
from eventreg.core.audit import Actor
from eventreg.core.door import devices
from eventreg.core.door.devices import Contact
from eventreg.core.operation_runs import Operation
from eventreg.core.staff import pairing
from eventreg.storage import last_backup
from eventreg.storage.session import transaction
from tests.support.factories import House, local
from tests.support.pages import Page, get
from tests.web.desk.test_check_in_list import print_list

READY = "/staff/events/small/ready"
Usage = namedtuple("Usage", "total used free")
CHECKED = '{"secure": "ok", "worker": "ok", "storage": "ok", "camera": "ok"}'


@pytest.fixture
def eve(small: House) -> House:
    """The evening before the event."""
    small.register("张桂芳")
    small.now = local("2030-06-09 20:00")
    return small


def said(client: FlaskClient) -> tuple[str, str]:
    """How much is to be done, and the whole page."""
    page = get(client, READY)
    assert page.kind == "staff-ready"
    return page.html.split('data-to-do="')[1].split('"')[0], page.text


def a_paired_telephone(house: House) -> str:
    """A telephone with a list of now, and a camera that works."""
    with transaction() as session:
        token = pairing.offer(session, house.event(), by=house.desmond, now=house.now)
        made = devices.pair(session, token, held="", machine="", checks=CHECKED, now=house.now)
    touched(house, made.device, has_roster=True, unsent=0)
    return made.device


def touched(house: House, device: str, **contact: int | bool) -> None:
    """The telephone is in contact."""
    with transaction() as session:
        event = house.event()
        found = devices.find(session, event, device)
        assert found is not None
        by = Actor("staff", found.staff_id)
        told = Contact(**contact)  # type: ignore[arg-type]
        devices.touch(session, event, device, by=by, now=house.now, contact=told)


def test_an_event_for_which_nothing_was_done_has_one_act_for_each_thing(eve: House) -> None:
    desmond = eve.signed_in("desmond")
    to_do, text = said(desmond)
    assert to_do == "5"
    for sentence in (
        "这个网址不是 https，断网时不能签到。请先打印签到表。",
        "签到表还没打印。",
        "还没有签到设备。请添加一台。",
        "没有一台试过摄像头。",
        "还没有备份。请管理员做一次。",
        "时钟没有核对：浏览器没有运行脚本。",
    ):
        assert sentence in text, sentence
    assert "磁盘还有" in text


def test_after_the_work_of_the_evening_only_the_missing_https_is_left(eve: House) -> None:
    desmond = eve.signed_in("desmond")
    print_list(desmond)
    device = a_paired_telephone(eve)
    last_backup.note(eve.now.isoformat())
    to_do, text = said(desmond)
    assert to_do == "1", text
    assert "签到表打印好了（06-09 20:00），没有变动。" in text
    assert "1 号台：名单是 06-09 20:00 的，都已上传。" in text
    assert "1 号台的摄像头能用。" in text
    touched(eve, device, unsent=3)
    assert "1 号台：还有 3 条没上传。" in said(desmond)[1]


def test_what_was_good_in_the_evening_grows_old(eve: House) -> None:
    desmond = eve.signed_in("desmond")
    print_list(desmond)
    a_paired_telephone(eve)
    last_backup.note((eve.now - timedelta(hours=16)).isoformat())
    eve.register("王建国")
    eve.now = local("2030-06-10 08:01")
    to_do, text = said(eve.signed_in("desmond"))
    assert to_do == "4", text
    assert "签到表是 06-09 20:00 的，之后新增 1 人，取消 0 人。请再打印。" in text
    assert "1 号台：名单是 06-09 20:00 的，较旧。" in text
    assert "上次备份是 06-09 4:00，较旧。" in text


def test_a_full_disk_is_said(eve: House, monkeypatch: MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 499_999_999))
    assert "磁盘只剩 499 MB。" in said(eve.signed_in("desmond"))[1]


def test_a_door_that_was_taken_away_is_not_waited_for(eve: House) -> None:
    device = a_paired_telephone(eve)
    with transaction() as session:
        found = devices.find(session, eve.event(), device)
        assert found is not None
        devices.revoke(session, eve.event(), found, by=eve.desmond, now=eve.now)
    assert "还没有签到设备。" in said(eve.signed_in("desmond"))[1]


def test_every_backup_is_noted_and_a_spoilt_note_is_no_backup(eve: House) -> None:
    assert eve.run("backup", "create", str(eve.settings.instance / "one.zip")).exit_code == 0
    assert last_backup.made_at() == eve.now
    note = eve.settings.instance / "last-backup.txt"
    assert note.stat().st_mode & 0o777 == 0o600
    for spoilt in ("", "yesterday", "2030-06-09T20:00:00"):
        note.write_text(spoilt)
        assert last_backup.made_at() is None


def test_a_backup_that_another_machine_made_counts(eve: House) -> None:
    with transaction() as session:
        operation_runs.succeeded(session, Operation.BACKUP, now=eve.now - timedelta(hours=1))
    assert "备份是 06-09 19:00 做的。" in said(eve.signed_in("desmond"))[1]


def test_the_dashboard_links_the_self_test_from_two_days_before_until_the_end(eve: House) -> None:
    for moment, shown in (
        ("2030-06-08 08:59", 0),
        ("2030-06-08 09:00", 1),
        ("2030-06-10 10:59", 1),
        ("2030-06-10 11:00", 0),
    ):
        eve.now = local(moment)
        page = Page(eve.signed_in("desmond").get("/staff/events/small"))
        assert page.html.count(READY) == shown, moment
