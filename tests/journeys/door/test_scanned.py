"""A couple's ticket before the camera of a real door's page, and two telephones that meet."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from eventreg.core.registration import tickets
from eventreg.i18n import sentence
from tests.proofs.conftest import WHOLE
from tests.support.door import lens
from tests.support.door.volunteer import (
    MORNING,
    PHONE_WITH_WORKER,
    Volunteer,
    arrivals,
    keys,
    volunteer,
)
from tests.support.factories import SECRET, House, toml
from tests.support.servers import running

pytestmark = pytest.mark.browser


@dataclass
class Hall:
    """A server on the morning of the event, a browser whose camera sees the couple's ticket, and
    the path of that ticket."""

    address: str
    folder: Path
    camera: Browser
    ticket: str


@pytest.fixture(scope="module")
def hall(
    migrated: Path, chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Hall]:
    """张桂芳 and 王建国 have one ticket; three others are expected."""
    folder = tmp_path_factory.mktemp("hall")
    shutil.copy(migrated, folder / "eventreg.sqlite3")
    house = House(folder)
    with house.app.app_context():
        house.apply(toml(capacity=30))
        house.hire()
        ticket = f"/T/{tickets.token(SECRET, house.register('张桂芳', '王建国').ticket_seed)}"
        for number in range(3):
            house.register(f"客{chr(0x4E00 + number)}")
    house.close()
    with running(folder, EVENTREG_CLOCK=MORNING, EVENTREG_SECRET_KEY=SECRET) as server:
        scene = lens.scene((server.address + ticket).upper(), "clear", 1)
        seen = lens.film(folder / "couple.mjpeg", [scene])
        camera = lens.camera(chromium.browser_type, seen)
        yield Hall(server.address, folder, camera, ticket)
        camera.close()


def at_the_door(browser: Browser, hall: Hall, name: str) -> Volunteer:
    """A volunteer who has signed in, has the list, and has read what to ask."""
    context = browser.new_context(**PHONE_WITH_WORKER, permissions=["camera"])
    one = volunteer(context, hall.address)
    one.signs_in(name)
    one.is_ready()
    one.page.locator(".sheet-open button.main").click()
    return one


def press(page: Page, key: str) -> None:
    """Press the button with that sentence."""
    page.get_by_role("button", name=sentence("zh", key), exact=True).first.click()


@pytest.mark.skipif(not WHOLE, reason="in `make proofs`")
def test_a_couple_comes_and_two_doors_without_a_network_learn_of_it(
    browser: Browser, hall: Hall
) -> None:
    desmond, dora = at_the_door(browser, hall, "desmond"), at_the_door(hall.camera, hall, "dora")
    # The telephone's own camera opened the ticket: the couple is shown, and nobody is checked in.
    desmond.page.goto(hall.address + hall.ticket)
    panel = desmond.page.locator(".panel")
    expect(panel).to_contain_text("张桂芳")
    expect(panel).to_contain_text("王建国")
    assert desmond.page.url == f"{hall.address}/door/small/"
    desmond.until("app.door.state().arrived === 0")
    for one in (desmond, dora):
        one.page.context.set_offline(True)
    # The page's camera reads it without a network; one press is enough for both.
    press(dora.page, "screen_scan")
    panel = dora.page.locator(".panel")
    expect(panel).to_have_attribute("data-kind", "party")
    panel.get_by_role("button", name=sentence("zh", "screen_together")).click()
    dora.until("app.door.state().arrived === 2")
    assert dora.page.locator(".scan").get_attribute("data-state") == "scanning"
    press(dora.page, "sheet_close")
    press(dora.page, "screen_more")
    press(dora.page, "meet_show")
    expect(dora.page.locator("canvas[data-part='1']")).to_be_visible()
    text = dora.run("return (await app.door.meetStore.texts()).texts[0]")
    press(desmond.page, "screen_more")
    press(desmond.page, "meet_take")
    expect(desmond.page.get_by_text(sentence("zh", "scan_no_camera"))).to_be_visible()
    desmond.run("await app.door.meetStore.take(value)", text)
    desmond.run("await app.door.meetStore.changed()")
    desmond.until("app.door.state().arrived === 2")
    # Both get a network again, and the server has each of the two once.
    for one in (desmond, dora):
        one.page.context.set_offline(False)
    for one in (desmond, dora):
        one.has_uploaded()
    assert sorted(arrivals(hall.folder).values()) == [1, 1]
    assert len(keys(hall.folder)) == 2
    dora.page.context.close()
