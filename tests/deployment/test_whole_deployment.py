"""The whole service at once, over https: guests, a clerk and a door, while its parts die and come
back."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from io import BytesIO
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from eventreg.core import invariants
from eventreg.core.event import events
from eventreg.storage.session import reading
from tests.deployment.place import MORNING, Deployment, deployed, trusting
from tests.deployment.rush import Rush, opened_form
from tests.proofs.conftest import WHOLE, rounds
from tests.server.test_monitors import wait_until
from tests.support.door.volunteer import (
    PHONE_WITH_WORKER,
    Volunteer,
    arrivals,
    told_by,
    volunteer,
)
from tests.support.factories import LONG_PASSWORD
from tests.support.servers import processes_of
from tests.support.windows import LAPTOP, PHONE, follow, kind, window

pytestmark = pytest.mark.browser
SEATS, GUESTS = rounds(25, 120), rounds(40, 200)
"""Seats and guests of the rush. Two more seats are for those who come in a browser."""
DESK = "/staff/events/small"
LONG_ENOUGH = "new Promise((go) => setTimeout(go, 3000 - performance.now()))"
"""Waits until the page has been open for three seconds. A form that comes sooner is a program's."""
COMBINATIONS = [
    ("nginx", "postgresql"),
    *([("nginx", "sqlite"), ("caddy", "postgresql"), ("caddy", "sqlite")] if WHOLE else []),
]


@pytest.fixture
def whole(
    request: pytest.FixtureRequest, front: str, engine: str, folder: Path
) -> Iterator[Deployment]:
    """A deployment that has just been started for the first time."""
    on_postgresql = engine == "postgresql"
    database = request.getfixturevalue("database") if on_postgresql else ""
    cluster = request.getfixturevalue("cluster") if on_postgresql else None
    with deployed(front, folder, database, cluster, SEATS + 2) as made:
        yield made


@pytest.mark.parametrize(("front", "engine"), COMBINATIONS, indirect=["engine"])
def test_guests_a_clerk_and_a_door_over_https_while_every_part_dies_and_comes_back(
    chromium: Browser, whole: Deployment, tmp_path: Path
) -> None:
    processes = len(processes_of(whole.server))
    with trusting(chromium, whole.proxy, tmp_path / "home") as browser:
        nobody_outside_can_ask_how_the_server_is(whole)
        guest = a_guest_opens_the_form(browser, whole)
        clerk = the_organiser_hires_a_clerk(browser, whole)
        the_guest_registers(guest, whole)
        the_clerk_takes_a_call(clerk, whole)
        dora = a_telephone_is_paired_with_the_door(browser, clerk, whole)
        rush = Rush(whole.proxy, opened_form(whole.proxy))
        with ThreadPoolExecutor(16) as crowd:
            coming = rush.come(crowd, range(GUESTS))
            people = the_door_has_no_network(dora)
            everything_dies_in_turn(whole, rush)
            answers = [one.result() for one in coming]
        everybody_has_one_answer(rush, answers)
        the_door_uploads(dora, clerk, people, whole)
        guest.reload()
        expect(guest.locator("main")).to_have_attribute("data-state", "confirmed")
    wait_until(lambda: len(processes_of(whole.server)) == processes, "a process is missing")
    every_seat_is_there_once(whole, [ticket for status, ticket in answers if status == 303])


def nobody_outside_can_ask_how_the_server_is(whole: Deployment) -> None:
    """The addresses for monitors do not exist for others."""
    for path in ("/livez", "/readyz", "/metrics"):
        assert whole.proxy.ask("GET", path).status == 404, path


def a_guest_opens_the_form(browser: Browser, whole: Deployment) -> Page:
    """A guest with large text finds the form on the start page."""
    page = window(browser, {**PHONE, "device_scale_factor": 2})
    answer = page.goto(f"{whole.address}/zh/?size=large")
    assert answer and "max-age=" in answer.headers["strict-transport-security"]
    follow(page.locator("a.button"))
    kind(page, "register")
    assert page.evaluate("isSecureContext")
    only_for_https(page)
    return page


def the_guest_registers(page: Page, whole: Deployment) -> None:
    """The code of the ticket and the entry for the calendar lead to the public address."""
    page.locator("#name").fill("张桂芳")
    page.locator("#phone").fill("138 0013 8000")
    page.evaluate(LONG_ENOUGH)
    follow(page.locator("button.main"))
    kind(page, "check")
    follow(page.locator("button.main").first)
    kind(page, "ticket")
    picture = Image.open(BytesIO(page.locator("svg.qr").screenshot()))
    assert zxingcpp.read_barcodes(picture)[0].text.lower() == page.url.lower()
    entry = whole.proxy.ask("GET", str(page.locator("a[href$='.ics']").get_attribute("href")))
    assert f"URL:{whole.address}/" in entry.text.replace("\r\n ", "")


def only_for_https(page: Page) -> None:
    """All cookies of this browser are sent over https alone, and only to this host."""
    cookies = page.context.cookies()
    assert cookies
    for one in cookies:
        assert one["name"].startswith("__Host-") and one["secure"], one


def the_organiser_hires_a_clerk(browser: Browser, whole: Deployment) -> Page:
    """The link of the first start makes an organiser, and the organiser's link makes a clerk.
    Returns the clerk's window."""
    assert whole.server.link.startswith(f"{whole.address}/staff/welcome/")
    organiser = window(browser, LAPTOP)
    organiser.goto(whole.server.link)
    organiser.locator("#username").fill("olga")
    chooses_a_password(organiser)
    organiser.goto(f"{whole.address}/staff/accounts")
    organiser.locator("#username").fill("desmond")
    organiser.locator("#role").select_option("desk")
    follow(organiser.locator("button.main"))
    link = organiser.locator("#link").input_value()
    assert link.startswith(f"{whole.address}/")
    clerk = window(browser, LAPTOP)
    clerk.goto(link)
    chooses_a_password(clerk)
    return clerk


def chooses_a_password(page: Page) -> None:
    """Behind a one-time link."""
    page.locator("#password").fill(LONG_PASSWORD)
    follow(page.locator("button.main"))
    kind(page, "staff-home")
    only_for_https(page)


def the_clerk_takes_a_call(clerk: Page, whole: Deployment) -> None:
    """A caller is registered, and the guest is found."""
    clerk.goto(f"{whole.address}{DESK}/registrations/new")
    clerk.locator("#phone").fill("139 0013 9000")
    clerk.locator("#name").fill("王建国")
    follow(clerk.locator("button.main").last)
    kind(clerk, "staff-registration")
    clerk.goto(f"{whole.address}{DESK}/attendees?q=zgf")
    expect(clerk.locator("tr[data-registration]")).to_have_count(1)


def a_telephone_is_paired_with_the_door(
    browser: Browser, clerk: Page, whole: Deployment
) -> Volunteer:
    """The clerk shows the code, the telephone scans it, and keeps the page of the door."""
    clerk.goto(f"{whole.address}{DESK}/telephones")
    follow(clerk.locator("button.main"))
    picture = Image.open(BytesIO(clerk.locator(".paired svg").screenshot()))
    link = zxingcpp.read_barcodes(picture)[0].text
    assert link.startswith(f"{whole.address}/staff/pair/")
    dora = volunteer(browser.new_context(**PHONE_WITH_WORKER), whole.address)
    dora.page.goto(link)
    dora.page.locator("#offline").click()
    kind(dora.page, "door")
    dora.is_ready()
    only_for_https(dora.page)
    return dora


def the_door_has_no_network(dora: Volunteer) -> list[str]:
    """Both who are on its list are checked in all the same, and the page opens again."""
    dora.page.context.set_offline(True)
    people = dora.people()
    assert dora.kinds(people) == {"checked-in": 2}
    dora.page.reload()
    dora.until("app.door.state().arrived === 2 && app.door.status().unsent === 2")
    return people


def everything_dies_in_turn(whole: Deployment, rush: Rush) -> None:
    """Each part dies while guests are being registered."""
    for part, die in enumerate((whole.a_process_dies, whole.proxy_restarts, whole.database_dies)):
        rush.wait_until_told((part + 1) * SEATS // 5)
        die()


def everybody_has_one_answer(rush: Rush, answers: list[tuple[int, str]]) -> None:
    """A ticket, or that all seats are taken. Who sends the same form again gets the same."""
    print(f"{len(rush.pressed_again)} pressed again")  # noqa: T201
    assert {status for status, _ in answers} == {303, 409}, answers
    assert set(rush.refused) <= {503}, rush.refused
    tickets = [ticket for status, ticket in answers if status == 303]
    assert len(set(tickets)) == len(tickets) == SEATS
    assert all(rush.proxy.ask("GET", ticket).status == 200 for ticket in tickets[::4])
    assert [rush.guest(number) for number in range(0, GUESTS, 7)] == answers[::7]


def the_door_uploads(dora: Volunteer, clerk: Page, people: list[str], whole: Deployment) -> None:
    """Once there is a network, the server has both arrivals, and the clerk is still signed in."""
    dora.page.context.set_offline(False)
    dora.has_uploaded(30)
    dora.until_pill("synced")
    assert arrivals(whole.folder, **whole.environment) == dict.fromkeys(people, 1)
    clerk.goto(f"{whole.address}{DESK}?audit=check")
    expect(clerk.locator("main")).to_have_attribute("data-holds", "yes")


def every_seat_is_there_once(whole: Deployment, tickets: list[str]) -> None:
    """As many seats as tickets, and all that must hold."""

    def counted() -> invariants.Sum:
        event = events.get(reading(), "small")
        return invariants.of_event(reading(), event, now=datetime.fromisoformat(MORNING))

    found = told_by(whole.folder, counted, **whole.environment)
    assert (found.confirmed, found.free, found.holds) == (len(tickets) + 2, 0, True)
