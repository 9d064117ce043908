"""What was owed and told, and what lists and pages say, after a cancellation was undone."""

from datetime import timedelta

import pytest

from eventreg.core import outbox
from eventreg.core.desk import attendee_list, reports
from eventreg.core.models.outbox import OutboxMessage
from eventreg.core.models.registration import Registration
from eventreg.core.undo import cancelled
from eventreg.storage.session import reading
from tests.core.registration.parties import checked_sum, fresh, wait
from tests.support.factories import House, toml

pytestmark = pytest.mark.both_databases


def test_the_calls_that_were_owed_are_owed_again(house: House) -> None:
    house.register("王一", "王二")
    waiting = wait(house, "李一", email="li@example.org")
    house.apply(toml(capacity=3))
    house.now += timedelta(minutes=1)
    house.cancel(waiting)
    assert outbox.owed_calls(reading(), waiting.id) == []
    house.now += timedelta(minutes=1)
    house.undo(waiting)
    assert outbox.owed_calls(reading(), waiting.id) == ["promoted"]
    assert mails(waiting) == {"waitlisted": True, "promoted": True, "cancelled": False}
    checked_sum(house)


def mails(made: Registration) -> dict[str, bool]:
    """Whether each kind of mail to a registration is owed."""
    rows = reading().query(OutboxMessage).filter_by(registration_id=made.id, channel="mail")
    return {row.kind: row.settled_at is None for row in rows}


def test_who_got_a_mail_about_the_cancellation_gets_one_about_the_seat(house: House) -> None:
    made = house.register("王一", email="wang@example.org")
    for _ in range(2):
        settle_mails(house)
        house.now += timedelta(seconds=1)
        house.cancel(made)
        assert mails(made) == {"registered": False, "cancelled": True}
        settle_mails(house)
        house.now += timedelta(seconds=1)
        house.undo(made)
        assert mails(made) == {"registered": True, "cancelled": False}


def settle_mails(house: House) -> None:
    """Send all mails."""
    with house.writing() as session:
        session.query(OutboxMessage).filter(OutboxMessage.settled_at.is_(None)).update(
            {"settled_at": house.now, "attempts": 1}
        )


def test_report_list_and_export_know_nobody_as_cancelled_who_came_back(house: House) -> None:
    made = house.register("王一")
    house.cancel(made)
    house.undo(made)
    figures = reports.figures(reading(), house.event())
    assert (figures.registered, figures.cancelled) == (1, 0)
    (row,) = attendee_list.of_registration(reading(), made.id)
    assert (row.state, row.cancelled_at) == ("confirmed", None)


def test_the_page_learns_who_got_the_seats(house: House) -> None:
    couple = house.register("王一", "王二")
    first, second = wait(house, "钱大伟"), wait(house, "孙一")
    house.now += timedelta(seconds=1)
    house.cancel(couple)
    found = cancelled.recent(reading(), fresh(couple), now=house.now)
    assert found is not None
    seated = cancelled.seated_by(reading(), house.event(), found)
    assert [one.id for one in seated] == [first.id, second.id]
