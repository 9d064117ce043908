"""Sending mails: failures, repeated tries, and senders that die."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from eventreg.core import deliveries, outbox
from eventreg.core.errors import Busy
from eventreg.core.event import calendar
from eventreg.core.models.outbox import OutboxMessage
from eventreg.mail import sender as sending
from eventreg.mail.sender import deliver_due
from eventreg.storage.session import reading, write
from tests.support.factories import PASSWORD, SECRET, House, bare_environment, local, toml
from tests.support.forked.programs import Program
from tests.support.pages import Page, sign_in
from tests.support.postbox import Postbox
from tests.support.servers import running


def test_a_mail_refused_for_good_is_given_up_and_does_not_delay_others(
    house: House, box: Postbox
) -> None:
    box.refuses_recipient["gone@example.org"] = "550 no such person"
    bad = house.register("张桂芳", email="gone@example.org")
    house.register("王建国", email="jian@example.org")
    done = deliver_due()
    assert (done.sent, done.given_up) == (1, 1)
    assert box.recipients == ["jian@example.org"]
    house.now += timedelta(days=1)
    assert deliver_due().is_idle
    (failed,) = deliveries.given_up(reading())
    assert (failed.slug, failed.registration_id, failed.reason) == (
        "small",
        bad.id,
        "recipient refused, 550",
    )


@pytest.mark.both_databases
@pytest.mark.parametrize("answer", ["451 try later", "hang up"])
def test_a_mail_that_fails_for_now_is_tried_again_after_longer_and_longer_waits(
    house: House, box: Postbox, answer: str
) -> None:
    box.answers["slow@example.org"] = answer
    house.register("张桂芳", email="slow@example.org")
    house.register("王建国", email="jian@example.org")
    assert deliver_due().later == 1
    assert box.recipients == ["jian@example.org"], "the next mail is not delayed"
    waits = [1, 2, 4, 8]
    for minutes in waits:
        house.now += timedelta(minutes=minutes, seconds=-1)
        assert deliver_due().is_idle
        house.now += timedelta(seconds=1)
        assert deliver_due().later == 1
    box.answers.clear()
    house.now += timedelta(minutes=16)
    assert deliver_due().sent == 1
    assert box.recipients[-1] == "slow@example.org"


def test_a_mail_is_given_up_after_three_days(house: House, box: Postbox) -> None:
    box.answers["slow@example.org"] = "451 try later"
    house.now = local("2030-06-01 10:00")
    house.register("张桂芳", email="slow@example.org")
    rounds = [deliver_due()]
    while not rounds[-1].given_up:
        house.now += deliveries.LONGEST_WAIT
        rounds.append(deliver_due())
    assert house.now <= local("2030-06-04 10:00")
    assert len(rounds) > 10


@pytest.mark.both_databases
def test_a_mail_that_is_sent_twice_has_the_same_id(house: House, box: Postbox) -> None:
    house.register("张桂芳", email="gui@example.org")
    box.answers["gui@example.org"] = "keep and hang up"
    assert deliver_due().later == 1, "the mail server kept it and did not confirm it"
    box.answers.clear()
    house.now += timedelta(minutes=1)
    assert deliver_due().sent == 1
    assert len(box.mails) == 2
    assert box.mails[0]["Message-ID"] == box.mails[1]["Message-ID"]


@pytest.mark.both_databases
def test_two_senders_never_take_the_same_mail(house: House) -> None:
    for place in range(4):
        house.register(f"王{place}号", email=f"w{place}@example.org", waitlist=True)
    taken = []
    for _ in range(4):
        delivery = write(lambda session: deliveries.take(session, now=house.now))
        assert delivery is not None
        taken.append(delivery.message_id)
    assert write(lambda session: deliveries.take(session, now=house.now)) is None
    assert len(set(taken)) == 4
    house.now += deliveries.IN_HAND
    again = write(lambda session: deliveries.take(session, now=house.now))
    assert again is not None, "another sender takes over the mail of a dead one"
    assert again.attempts == 2


def test_a_mail_to_an_impossible_address_is_given_up(house: House, box: Postbox) -> None:
    house.register("张桂芳", email="桂芳@例子.中国")
    house.register("王建国", email="jian@example.org")
    done = deliver_due()
    assert done.sent + done.given_up == 2
    assert "jian@example.org" in box.recipients


def test_the_command_sends_the_mails_and_prints_the_result(house: House, box: Postbox) -> None:
    run = house.app.test_cli_runner()
    house.register("张桂芳", email="gui@example.org")
    box.refuses_recipient["gone@example.org"] = "550 no"
    house.register("王建国", email="gone@example.org")
    assert "2 waiting" in run.invoke(args=["outbox", "list"]).output
    answer = run.invoke(args=["outbox", "deliver"])
    assert answer.exit_code == 0
    assert "1 sent, 0 to be tried again, 1 given up" in answer.output
    listed = run.invoke(args=["outbox", "list"]).output
    assert "0 waiting" in listed
    assert "recipient refused, 550" in listed
    assert "gone@example.org" not in listed


@pytest.mark.both_databases
def test_a_guest_whom_no_mail_reached_is_to_be_called_once(house: House, box: Postbox) -> None:
    box.refuses_recipient["gone@example.org"] = "550 no"
    others = house.register("李一", "李二")
    made = house.register("张桂芳", email="gone@example.org", waitlist=True)
    deliver_due()
    house.cancel(others)
    deliver_due()
    house.hire()
    desmond = house.client()
    sign_in(desmond, "desmond", PASSWORD)
    page = Page(desmond.get("/staff/events/small"))
    assert "要打电话：1 家" in page.text, "one call for two mails"
    assert "有座位了、" in page.text
    assert "在候补名单上，邮件没有送到" in page.text
    told = Page(desmond.get(f"/staff/events/small/registrations/{made.id}")).form("/told")
    desmond.post(told.action, data=told.fields)
    assert "要打电话" not in Page(desmond.get("/staff/events/small")).text


def test_no_call_is_owed_for_a_mail_about_a_cancellation_that_failed(
    house: House, box: Postbox
) -> None:
    made = house.register("张桂芳", email="gone@example.org")
    deliver_due()
    box.refuses_recipient["gone@example.org"] = "550 no"
    house.cancel(made)
    assert deliver_due().given_up == 1
    assert outbox.unsettled_calls(reading(), house.event().id) == []
    assert outbox.owed_calls(reading(), made.id) == []


def test_a_mail_that_cannot_be_composed_does_not_delay_others(
    house: House, box: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.register("张桂芳", email="gui@example.org")
    house.register("王建国", email="jian@example.org")
    with monkeypatch.context() as broken:
        broken.setattr(calendar, "entry", raising_once(ZeroDivisionError()))
        done = deliver_due()
    assert (done.sent, done.later) == (1, 1)
    house.now += timedelta(minutes=1)
    assert deliver_due().sent == 1
    assert sorted(box.recipients) == ["gui@example.org", "jian@example.org"]


def raising_once(error: Exception) -> Any:
    """``calendar.entry`` with an error at the first call."""
    right, calls = calendar.entry, iter([True])

    def entry(*given: Any, **more: Any) -> bytes:
        if next(calls, False):
            raise error
        return right(*given, **more)

    return entry


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_running_server_sends_mails_by_itself(
    folder: Path, post: tuple[Postbox, int], workers: str
) -> None:
    box, port = post
    house = House(folder)
    with house.app.app_context():
        house.apply(toml())
        house.register("张桂芳", email="gui@example.org")
    house.close()
    given = {
        "EVENTREG_SMTP_URL": f"smtp://127.0.0.1:{port}",
        "EVENTREG_CLOCK": "2030-06-03T10:00:00+08:00",
    }
    more = {"EVENTREG_WORKERS": workers} if workers != "1" else {}
    with running(folder, EVENTREG_SECRET_KEY=SECRET, **more, **given):
        assert box.arrived.wait(30)
    assert box.recipients == ["gui@example.org"]


@pytest.mark.both_databases
def test_killed_senders_lose_no_mail(
    folder: Path, environment: dict[str, str], post: tuple[Postbox, int]
) -> None:
    """Two senders are killed in the middle, and a third one runs later. If a mail arrives twice,
    it has the same id."""
    box, port = post
    given = {
        "EVENTREG_SMTP_URL": f"smtp://127.0.0.1:{port}",
        "EVENTREG_SECRET_KEY": SECRET,
        **environment,
    }
    house = House(folder, **given)
    with house.app.app_context():
        house.apply(toml(capacity=40))
        for place in range(40):
            house.register(f"王{place}号", email=f"w{place}@example.org")
    house.close()
    told = bare_environment(
        **{**given, "EVENTREG_INSTANCE": str(folder), "EVENTREG_CLOCK": "2030-06-03T10:00:00+08:00"}
    )
    box.slow = 0.1
    senders = [Program(("outbox", "deliver"), told) for _ in range(2)]
    assert box.arrived.wait(30)
    assert box.tenth.wait(30)
    for sender in senders:
        sender.kill()
        sender.wait()
    assert len(box.mails) < 40, "they were killed in the middle"
    box.slow = 0
    later = {**told, "EVENTREG_CLOCK": "2030-06-03T10:06:00+08:00"}
    assert Program(("outbox", "deliver"), later).wait().returncode == 0
    ids = [mail["Message-ID"] for mail in box.mails]
    assert len(set(ids)) == 40
    assert len(ids) <= 42, "each sender repeats at most one mail"


@pytest.mark.parametrize("trouble", [Busy(), OperationalError("SELECT", None, Exception("away"))])
def test_a_database_that_is_away_while_a_mail_is_written_is_no_failure_of_the_mail(
    house: House, box: Postbox, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    def away(*_: object, **__: object) -> None:
        raise trouble

    house.register("张桂芳", email="gui@example.org")
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(sending, "compose", away)
        with pytest.raises(type(trouble)):
            deliver_due()
    (mail,) = reading().scalars(select(OutboxMessage).where(OutboxMessage.channel == "mail"))
    assert (mail.attempts, mail.failure) == (0, None), "it has not lost a try"
    house.now += deliveries.FIRST_WAIT
    assert deliver_due().sent == 1
    assert box.recipients == ["gui@example.org"]
