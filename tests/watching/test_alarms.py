"""Somebody is told when something turns red, once, and when it is well again."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from eventreg.core import operation_runs
from eventreg.core.operation_runs import Operation
from eventreg.storage.session import write
from eventreg.watching.alarms import WEEKLY, Watch, send_test
from tests.support.factories import House, toml
from tests.support.postbox import Postbox, open_postbox
from tests.support.servers import free_port
from tests.watching.listeners import Listener, listening

TOLD = "/told"


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A watchdog elsewhere."""
    with listening() as made:
        yield made


@pytest.fixture
def box() -> Iterator[tuple[Postbox, int]]:
    """A mail server, and its port."""
    port = free_port()
    made, controller = open_postbox(port)
    yield made, port
    controller.stop()


@pytest.fixture
def house(
    folder: Path, environment: dict[str, str], listener: Listener, box: tuple[Postbox, int]
) -> Iterator[House]:
    """A house that tells of alarms by mail, by webhook and by ping. Its first backup is made."""
    made = House(
        folder,
        EVENTREG_SMTP_URL=f"smtp://127.0.0.1:{box[1]}",
        EVENTREG_ALARM_MAIL="olga@example.org, technician@example.org",
        EVENTREG_ALARM_WEBHOOK=listener.url(TOLD),
        EVENTREG_PING_URL=listener.url("/ping/secret"),
        **environment,
    )
    with made.app.app_context():
        made.apply(toml())
        made.register("张桂芳", phone="13800138000")
        backed_up(made)
        yield made
    made.close()


def backed_up(house: House) -> None:
    """A backup has succeeded just now."""
    write(lambda session: operation_runs.succeeded(session, Operation.BACKUP, now=house.now))


def later(house: House, hours: float) -> None:
    """Move the clock on."""
    house.now += timedelta(hours=hours)


def statuses(listener: Listener) -> list[str]:
    """The statuses of all webhook messages."""
    return [body["status"] for body in listener.told(TOLD)]


@pytest.mark.both_databases
def test_a_backup_that_does_not_come_is_told_once_and_its_return_too(
    house: House, listener: Listener, box: tuple[Postbox, int]
) -> None:
    watch = Watch()
    watch.look()
    assert statuses(listener) == ["green"], "the first message of the week says that all is well"
    later(house, 27)
    watch.look()
    later(house, 1)
    watch.look()
    Watch().look()  # after a restart, or on another machine
    assert statuses(listener) == ["green", "red"], "it is told once"
    assert "备份有问题" in listener.told(TOLD)[-1]["text"]
    assert "Backups fail" in listener.told(TOLD)[-1]["text"]
    backed_up(house)
    Watch().look()
    assert statuses(listener) == ["green", "red", "green"]
    assert len(box[0].mails) == 3
    assert box[0].recipients[-1] == "olga@example.org, technician@example.org"
    assert "well again" in str(box[0].mails[-1]["Subject"])


def test_the_watchdog_elsewhere_hears_of_each_good_backup_once(
    house: House, listener: Listener
) -> None:
    watch = Watch()
    listener.answer = 500
    watch.look()
    listener.answer = 200
    watch.look()
    watch.look()
    assert len(listener.told("/ping/secret")) == 2, "again after a failure, then no more"
    later(house, 1)
    watch.look()
    assert len(listener.told("/ping/secret")) == 2, "silence if no backup was made"
    backed_up(house)
    watch.look()
    assert len(listener.told("/ping/secret")) == 3


def test_all_is_well_is_told_once_a_week_and_not_while_something_is_red(
    house: House, listener: Listener
) -> None:
    watch = Watch()
    for _ in range(3):
        watch.look()
        later(house, 1)
    assert statuses(listener) == ["green"]
    house.now += WEEKLY
    watch.look()
    assert statuses(listener) == ["green", "red"], "the backup is a week old: nothing is well"
    backed_up(house)
    watch.look()
    assert statuses(listener) == ["green", "red", "green", "green"]


def test_an_alarm_that_nobody_took_is_sent_again(
    house: House, listener: Listener, box: tuple[Postbox, int]
) -> None:
    watch = Watch()
    watch.look()
    later(house, 27)
    listener.answer = 302
    box[0].answers["olga@example.org"] = "554 no"
    watch.look()
    assert not listener.told("/elsewhere"), "no redirect is followed"
    assert len(box[0].mails) == 1
    listener.answer = 200
    watch.look()
    watch.look()
    assert statuses(listener) == ["green", "red", "red"]
    assert len(box[0].mails) == 1, "one channel is enough"


def test_a_database_that_is_gone_is_told_once(house: House, listener: Listener) -> None:
    watch = Watch()
    watch.look()
    file = house.settings.instance / "eventreg.sqlite3"
    away = file.rename(file.with_name("away"))
    for _ in range(3):
        watch.look()
    assert statuses(listener) == ["green", "red"], "remembered without a database"
    away.rename(file)
    watch.look()
    assert statuses(listener) == ["green", "red", "green"]


def test_messages_name_no_guest(house: House, listener: Listener) -> None:
    later(house, 27)
    Watch().look()
    told = str(listener.told(TOLD))
    assert "张桂芳" not in told
    assert "13800138000" not in told


def test_a_test_message_says_which_channel_fails(house: House, listener: Listener) -> None:
    assert send_test() == {"mail": "", "webhook": ""}
    listener.answer = 404
    assert send_test() == {"mail": "", "webhook": "the answer was 404"}
    said = house.app.test_cli_runner().invoke(args=["alarm", "test"])
    assert said.exit_code == 1
    assert "mail: sent" in said.output
    assert "webhook: the answer was 404" in said.output
    assert "secret" not in said.output
