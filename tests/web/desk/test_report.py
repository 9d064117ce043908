"""The report after an event, on one side of A4."""

from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from eventreg.core.desk import attendee_list, reports
from eventreg.core.door import check_in
from eventreg.core.door.check_in import Arrival
from eventreg.storage.session import reading, transaction
from tests.support.factories import House, local, toml
from tests.support.pages import get
from tests.support.windows import LAPTOP, window
from tests.web.desk.test_check_in_list import sides_of

DESK = "/staff/events/small"


@pytest.fixture
def small(house: House) -> House:
    """Six seats: two online, two by telephone, a walk-in, one promoted; four of them come, one
    late."""
    house.apply(toml(capacity=6, more='[gift]\ntext = { zh = "礼品", en = "Gift" }\nstock = 6'))
    house.hire()
    house.register("张一", "张二")
    house.register("李一", "李二", source="phone")
    gone = house.register("王一", "王二")
    house.register("陈一", waitlist=True)
    house.cancel(gone)
    house.now = local("2030-06-10 08:50")
    house.register("周一", source="walk-in")
    people = attendee_list.confirmed(reading(), house.event())
    for minutes, row in zip((-4, 0, 6, 15), people, strict=False):
        with transaction() as session:
            moment = house.now + timedelta(minutes=minutes)
            arrival = Arrival(row.public_id, moment, moment)
            check_in.check_in(session, house.event(), arrival, anyway=True, by=house.desmond)
    return house


@pytest.fixture
def desmond(small: House) -> FlaskClient:
    """The desk's browser, after the event."""
    small.now = local("2030-06-10 11:30")
    return small.signed_in("desmond")


@pytest.mark.both_databases
def test_the_report_counts_arrivals_and_sources(small: House) -> None:
    found = reports.of_event(reading(), small.event())
    assert found.figures == reports.Figures(
        registered=6, came=4, late=1, no_show=2, walk_ins=1, served=1, waiting=0, cancelled=2
    )
    assert found.sources == {"online": 3, "phone": 2, "walk-in": 1}
    assert found.arrivals.steps == [1, 1, 1, 0, 1]
    assert found.arrivals.gap == 360
    assert found.arrivals.first == local("2030-06-10 08:45")


def test_the_arrivals_are_drawn_and_written(desmond: FlaskClient) -> None:
    page = get(desmond, f"{DESK}/report")
    assert page.html.count("<rect") == 5
    assert "8:45 1 8:50 1 8:55 1 9:00 0 9:05 1" in page.text
    assert "没有来 2" in page.text
    assert "网上 3 · 电话 2 · 现场 1" in page.text


def test_the_report_compares_earlier_events(small: House, desmond: FlaskClient) -> None:
    small.apply(toml(slug="later").replace("2030-06-10", "2030-07-08"))
    page = get(desmond, "/staff/events/later/report")
    assert "6 月 10 日（星期一） 书法课 6 4 2 1" in page.text
    assert "没有签到记录" in page.text


@pytest.mark.browser
def test_the_report_is_one_side_of_a4(
    small: House, desmond: FlaskClient, browser: Browser, tmp_path: Path
) -> None:
    small.apply(toml(slug="later").replace("2030-06-10", "2030-07-08"))
    html = desmond.get(f"{DESK}/report").get_data(as_text=True)
    page = window(browser, LAPTOP)
    page.set_content(html)
    page.pdf(path=str(tmp_path / "report.pdf"), format="A4")
    (side,) = sides_of(tmp_path / "report.pdf")
    assert "小结" in side
    assert "8:45" in side
    assert "退出" not in side, "no buttons on paper"
