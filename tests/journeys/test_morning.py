"""The desk's work by keyboard alone, in a real browser: from the first call to the day on which the
personal data are erased.

The tests count keys. A Chinese name counts as its pinyin and one key to choose it. ``pytest -rP``
prints the figures.
"""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.journeys.clerk import Clerk, at_the_desk
from tests.operations.traces import bytes_of
from tests.support.factories import SHIPPED, House, toml
from tests.support.servers import running
from tests.web.desk.test_check_in_list import rows_on, sides_of

pytestmark = pytest.mark.browser
DESK = "/staff/events/small"
CALLERS = {
    "张桂芳": "13800138001",
    "王建国": "13800138002",
    "李秀英": "13800138003",
    "陈美康": "13800138004",
    "黄阿宝": "13800138005",
    "吴水娣": "13800138006",
    "胡根生": "13800138007",
    "何菊花": "13800138008",
    "徐文龙": "13800138009",
    "许阿毛": "13800138010",
}


def take_a_call(clerk: Clerk, name: str, phone: str) -> None:
    """Type number and name and press Enter, which leads to the words to read back."""
    assert clerk.kind == "staff-new"
    clerk.types(phone)
    clerk.press("Tab")
    clerk.types(name)
    clerk.on_to("Enter")


@pytest.fixture
def folder_with_eight_seats(folder: Path) -> Path:
    """A data folder with an event of eight seats, and its staff."""
    house = House(folder)
    with house.app.app_context():
        house.apply(
            toml(capacity=8, more='[gift]\ntext = { zh = "礼品", en = "Gift" }\nstock = 20')
        )
        house.hire()
    house.close()
    return folder


def test_a_clerks_morning(browser: Browser, folder_with_eight_seats: Path, tmp_path: Path) -> None:
    folder = folder_with_eight_seats
    with running(folder, EVENTREG_CLOCK="2030-06-05T09:30:00+08:00") as server:
        clerk = at_the_desk(browser, server)
        ten_calls_come_in(clerk)
        somebody_cancels(clerk)
        the_promoted_party_is_called(clerk)
        tasks = clerk.tasks
    with running(folder, EVENTREG_CLOCK="2030-06-07T16:30:00+08:00") as server:
        clerk = at_the_desk(browser, server)
        the_list_is_printed(clerk, tmp_path)
    with running(folder, EVENTREG_CLOCK="2030-06-10T09:20:00+08:00") as server:
        clerk = at_the_desk(browser, server)
        the_sheet_is_typed_back(clerk)
        the_report_is_printed(clerk, tmp_path)
        tasks |= clerk.tasks
    with running(folder, EVENTREG_CLOCK="2030-07-11T09:00:00+08:00") as server:
        everyone_is_erased(at_the_desk(browser, server, "olga"), folder)
    for name, (keys, seconds) in tasks.items():
        # The figures are for people to read.
        print(f"{name}: {keys} keys, {seconds:.1f} s for the machine")  # noqa: T201


def ten_calls_come_in(clerk: Clerk) -> None:
    """Ten people call for eight seats; the last two wait."""
    clerk.goes(f"{DESK}/registrations/new")
    for number, (name, phone) in enumerate(CALLERS.items()):
        with clerk.task(f"call {number + 1}"):
            take_a_call(clerk, name, phone)
            if number >= 8:
                assert "没有空位" in clerk.text or "名额已满" in clerk.text
                clerk.presses("button[name=waitlist]")
        assert clerk.kind == "staff-registration"
        assert clerk.data("state") == ("confirmed" if number < 8 else "waitlisted")
        assert f"{name}，" in clerk.text
        clerk.on_to("Enter")  # the focus is on "the next call"
    assert max(clerk.tasks[f"call {number}"][0] for number in range(1, 9)) <= 26
    clerk.goes(DESK)
    assert (clerk.data("taken"), clerk.data("waiting")) == ("8", "2")


def somebody_cancels(clerk: Clerk) -> None:
    """The clerk finds her by her last digits, is asked, and reads who has her seat now. Enter would
    lead to that call."""
    clerk.goes(f"{DESK}/attendees")
    with clerk.task("cancellation"):
        clerk.types("8003")
        clerk.on_to("Enter")
        clerk.presses("td.who a")
        assert "李秀英" in clerk.text
        clerk.presses("a[href$='/cancel']")
        assert "座位会马上给候补的徐文龙" in clerk.text
        clerk.presses("form[action$='/cancel'] button")
    assert clerk.data("state") == "cancelled"
    assert "徐文龙补上了，请打电话通知。" in clerk.text
    assert clerk.page.evaluate("document.activeElement.textContent") == "打电话给徐文龙"


def the_promoted_party_is_called(clerk: Clerk) -> None:
    """The call desk shows the number and the words, and one key logs the outcome."""
    clerk.goes(f"{DESK}/calls")
    assert clerk.data("calls") == "1"
    assert "徐文龙" in clerk.text
    assert "138 0013 8009" in clerk.text
    with clerk.task("call to the promoted party"):
        clerk.on_to("1")
    assert clerk.data("calls") == "0"


def the_list_is_printed(clerk: Clerk, tmp_path: Path) -> None:
    """The list has two sides: eight people, and a blank side for walk-ins."""
    clerk.goes(DESK)
    clerk.presses("a[href$='/check-in-list']")
    assert clerk.page.locator("main").get_attribute("data-page") == "staff-check-in-list"
    clerk.page.pdf(path=str(tmp_path / "list.pdf"), prefer_css_page_size=True)
    sides = sides_of(tmp_path / "list.pdf")
    assert [rows_on(side) for side in sides] == [8, 20]
    assert "李秀英" not in sides[0]
    assert "徐文龙" in sides[0]


def the_sheet_is_typed_back(clerk: Clerk) -> None:
    """One key a line: six came and took a gift, one came and took none, one did not come."""
    clerk.goes(f"{DESK}/paper")
    with clerk.task("sheet typed back"):
        clerk.press("2", "2", "2", "1", "0", "2", "2", "2")
        assert clerk.page.evaluate("document.activeElement.id") == "compare"
        clerk.on_to("Enter")
        assert (clerk.kind, clerk.data("changes")) == ("staff-paper-check", "13")
        assert "纸上到了、系统里没有的：7 人" in clerk.text
        clerk.on_to("Enter")
    assert (clerk.kind, clerk.data("came"), clerk.data("gifts")) == ("staff-report", "7", "6")


def the_report_is_printed(clerk: Clerk, tmp_path: Path) -> None:
    """The report prints on one side."""
    clerk.page.pdf(path=str(tmp_path / "report.pdf"), format="A4")
    (side,) = sides_of(tmp_path / "report.pdf")
    assert "小结" in side
    assert "从纸上录的" in side


def everyone_is_erased(clerk: Clerk, folder: Path) -> None:
    """After thirty days the server, or else the organiser, erases names and numbers. The counts
    stay."""
    clerk.goes(f"{DESK}/forget")
    if clerk.data("due") != "0":
        clerk.presses("button.danger")
    assert "现在没有要删的。" in clerk.text
    clerk.goes(f"{DESK}/report")
    assert (clerk.data("registered"), clerk.data("came"), clerk.data("gifts")) == ("8", "7", "6")
    kept = bytes_of(folder)
    assert [
        name for name, phone in CALLERS.items() if name.encode() in kept or phone.encode() in kept
    ] == []


def test_an_organiser_copies_the_lecture_to_next_month(browser: Browser, folder: Path) -> None:
    house = House(folder)
    with house.app.app_context():
        house.apply(SHIPPED.read_text(encoding="utf-8"))
        house.hire()
    house.close()
    with running(folder, EVENTREG_CLOCK="2030-06-11T10:00:00+08:00") as server:
        clerk = at_the_desk(browser, server, "olga")
        clerk.goes("/staff/")
        with clerk.task("copy of an event"):
            clerk.presses("a[href='/staff/events/new']")
            clerk.reach("#date")
            clerk.types("07082030")
            clerk.on_to("Enter")
            assert clerk.page.locator("#slug").input_value() == "july-8-self-care"
            clerk.reach("#slug")
            clerk.on_to("Enter")
            assert clerk.kind == "staff-event-check"
            clerk.on_to("Enter")
        assert clerk.page.url.endswith("/staff/events/july-8-self-care")
        keys, seconds = clerk.tasks["copy of an event"]
        # The figure is for people to read.
        print(f"copy of an event: {keys} keys, {seconds:.1f} s for the machine")  # noqa: T201
        assert keys < 60, "at two keys a second, half a minute"


def test_fifty_lines_are_typed_back_with_fifty_keys(browser: Browser, folder: Path) -> None:
    house = House(folder)
    with house.app.app_context():
        house.apply(toml(capacity=50))
        house.hire()
        for number in range(50):
            house.register(f"客{chr(0x4E00 + number)}")
    house.close()
    with running(folder, EVENTREG_CLOCK="2030-06-10T11:30:00+08:00") as server:
        clerk = at_the_desk(browser, server)
        clerk.goes(f"{DESK}/paper")
        with clerk.task("fifty lines"):
            clerk.press(*(["2", "1", "2", "0", "2"] * 10))
            clerk.on_to("Enter")
            clerk.on_to("Enter")
        assert (clerk.data("came"), clerk.data("gifts")) == ("40", "30")
        keys, seconds = clerk.tasks["fifty lines"]
        # The figure is for people to read.
        print(f"fifty lines: {keys} keys, {seconds:.1f} s for the machine")  # noqa: T201
        assert keys == 52
