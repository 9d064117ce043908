"""Two doors that never get a network show each other their acts, and end with the same list."""

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from eventreg.i18n import sentence
from tests.support.door import lens
from tests.support.door.small_page import answering, as_it_is
from tests.support.windows import PHONE

pytestmark = pytest.mark.browser
START = """import * as database from "./database.js";
import * as detector from "./detector.js";
import * as meet from "./meet.js";
import * as packets from "./packets.js";
import { project } from "./state.js";
const store = (facts) => ({
  facts: () => facts,
  texts: () => meet.textsToShow(facts),
  take: (text) => meet.takeText(text, facts),
  changed() { document.body.dataset.changed = "yes"; },
});
window.door = { database, detector, meet, store, packets, project };
document.getElementById("hits").dataset.ready = "yes";"""
KEY = "0123456789abcdef" * 4
PEOPLE = [
    {
        "attendee": f"{number:032x}",
        "name": f"客人{number}",
        "party": f"{number}",
        "state": "confirmed",
    }
    for number in range(30)
]
ROSTER = {"at": "2030-06-09T12:00:00Z", "capacity": 50, "attendees": PEOPLE}
PROOF = "toHex(bytes.slice(-MAC)) !== toHex(await macOf(body, door.meetKey))"


class Telephone:
    """A telephone at a door of the event "small", with a list of thirty people."""

    def __init__(
        self,
        browser: Browser,
        name: str,
        *,
        change: Callable[[str, str], str | None] = as_it_is,
        key: str = KEY,
        offset: int = 0,
    ) -> None:
        self.facts: dict[str, Any] = {
            "slug": "small",
            "device": hashlib.sha256(name.encode()).hexdigest()[:32],
            "device_name": name,
            "meet_key": key,
            "server_offset": offset,
        }
        context = browser.new_context(**PHONE, permissions=["camera"])
        context.route("**/*", answering(START, change))
        self.page: Page = context.new_page()
        self.page.goto("https://door.test/")
        expect(self.page.locator("#hits")).to_have_attribute("data-ready", "yes")
        self.page.evaluate("facts => door.database.saveFacts('small', facts)", self.facts)

    def acts(self, act: str, *numbers: int, minute: int = 50, **more: Any) -> None:
        """Record that act for these people, ten seconds apart by this telephone's clock."""
        for second, number in enumerate(numbers):
            at = f"2030-06-10T00:{minute + second // 6:02}:{second % 6}0.000Z"
            attendee = None if act == "walk-in" else PEOPLE[number]["attendee"]
            recorded = {"slug": "small", "act": act, "attendee": attendee, "at": at, **more}
            self.page.evaluate("act => door.database.addAct(act)", recorded)

    def shows(self) -> list[str]:
        """The texts of the codes that it has to show."""
        found = self.page.evaluate("facts => door.meet.textsToShow(facts)", self.facts)
        assert found["left"] == 0
        texts: list[str] = found["texts"]
        return texts

    def takes(self, *texts: str) -> list[Any]:
        """Take these texts over, as its screen for it does."""
        found: list[Any] = self.page.evaluate(
            """async ({texts, facts}) => { const found = [];
              for (const text of texts) found.push(await door.meet.takeText(text, facts));
              return found }""",
            {"texts": texts, "facts": self.facts},
        )
        return found

    def people(self) -> str:
        """What it knows of everybody: who has come, and when; gifts, names and walk-ins."""
        people: str = self.page.evaluate(
            """async ({roster, facts}) => {
              const acts = await door.database.acts('small');
              const state = door.project(roster, acts, facts);
              const all = [...state.people.values()].map(one =>
                [one.attendee, one.name, one.state, one.arrivedAt, one.giftAt]);
              return JSON.stringify([state.arrived, all.sort()]) }""",
            {"roster": ROSTER, "facts": self.facts},
        )
        return people

    def queue(self) -> list[Any]:
        """The acts that it has to upload."""
        found: list[Any] = self.page.evaluate("door.database.unsent('small', 500)")
        return found


def film_of(telephone: Telephone, folder: Path) -> Path:
    """The telephone's screen with its codes, as the other one's camera sees it."""
    texts = telephone.shows()
    telephone.page.evaluate(
        "facts => { door.meet.openMeetShow(document.getElementById('view'), door.store(facts)) }",
        telephone.facts,
    )
    scenes = []
    for part in range(1, len(texts) + 1):
        code = telephone.page.locator(f"canvas[data-part='{part}']")
        expect(code).to_be_visible()
        seen = Image.open(io.BytesIO(code.screenshot())).convert("L").resize((420, 420))
        scene = Image.new("L", (640, 480), 70)
        scene.paste(seen, (110, 30))
        scenes.append(scene)
    return lens.film(folder / "codes.mjpeg", scenes)


def test_two_doors_without_any_network_end_with_the_same_list(
    browser: Browser, tmp_path: Path
) -> None:
    # The clock of the first is an hour slow, and it knew that when it last had a network.
    first = Telephone(browser, "1 号台", offset=3_600_000)
    first.acts("check-in", *range(12), minute=0)
    first.acts("gift", 3, minute=5)
    first.acts("rename", 4, name="欧阳娜娜", minute=6)
    first.acts("walk-in", 0, name="阿卜杜热依木·买买提", phone="13800138000", minute=7)
    seen = film_of(first, tmp_path)
    started = lens.camera(browser.browser_type, seen)
    second = Telephone(started, "2 号台")
    second.acts("check-in", 11, 20, 21, minute=8)
    second.page.evaluate(
        "facts => { door.meet.openMeetTake(document.getElementById('view'), door.store(facts)) }",
        second.facts,
    )
    told = sentence("zh", "meet_taken_all").format(door="1 号台", count=15)
    expect(second.page.get_by_text(told)).to_be_visible()
    expect(second.page.locator("body")).to_have_attribute("data-changed", "yes")
    # The other way, without a camera; and once more, because a volunteer shows everything twice.
    assert [found["kind"] for found in first.takes(*second.shows())] == ["taken"] * 3
    assert [found["fresh"] for found in first.takes(*second.shows())] == [0, 0, 0]
    assert [found["fresh"] for found in second.takes(*first.shows())] == [0, 0, 0]
    assert first.people() == second.people()
    assert json.loads(first.people())[0] == 15  # one of them at both doors, one who walked in
    # Each uploads everything under the device that recorded it, and with the same keys.
    one, other = ({(act["key"], act["act"]) for act in door.queue()} for door in (first, second))
    assert one == other
    taken = [act for act in second.queue() if act.get("origin")]
    assert {act["origin"] for act in taken} == {first.facts["device"]}
    started.close()


def test_a_forged_code_checks_in_no_one(browser: Browser) -> None:
    first, second = Telephone(browser, "1 号台"), Telephone(browser, "2 号台")
    stranger = Telephone(browser, "3 号台", key="f" * 64)
    first.acts("check-in", 1, 2, 3)
    stranger.acts("check-in", 4)
    (good,), (forged,) = first.shows(), stranger.shows()
    altered = [
        good[:place] + ("B" if good[place] == "A" else "A") + good[place + 1 :]
        for place in range(8, len(good), 5)
    ]
    odd = ("ERDOOR1.", "ERDOOR1.!", good[:-9], good + "00", "HTTPS://DOOR.TEST/T/A", forged[:60])
    kinds = {found["kind"] for found in second.takes(forged, *altered, *odd)}
    assert kinds == {"forged", "other-event", "damaged", "not-a-packet"}
    assert second.queue() == []
    # What is uploaded stays uploaded, and a door takes its own acts from nobody.
    uploaded = [{"key": first.queue()[0]["key"], "result": "checked_in"}]
    first.page.evaluate("all => door.database.saveResults('small', all, '')", uploaded)
    assert first.takes(good)[0]["fresh"] == 0
    assert len(first.queue()) == 2


def test_without_the_mac_a_forged_code_would_check_somebody_in(browser: Browser) -> None:
    """The negative control of the test above."""
    stranger = Telephone(browser, "3 号台", key="f" * 64)
    stranger.acts("check-in", 4)
    trusting = Telephone(
        browser,
        "2 号台",
        change=lambda name, body: body.replace(PROOF, "false") if name == "packets.js" else body,
    )
    assert trusting.takes(*stranger.shows())[0]["kind"] == "taken"
    assert len(trusting.queue()) == 1


def test_a_door_without_a_network_knows_who_walked_in_by_the_servers_id(browser: Browser) -> None:
    first, second = Telephone(browser, "1 号台"), Telephone(browser, "2 号台")
    first.acts("walk-in", 0, name="路过人", minute=1)
    given = "e" * 32
    answer = {"key": first.queue()[0]["key"], "result": "walked_in", "attendee": given}
    first.page.evaluate("one => door.database.saveResults('small', [one], '')", answer)
    gift = {"slug": "small", "act": "gift", "attendee": given, "at": "2030-06-10T00:52:00.000Z"}
    first.page.evaluate("act => door.database.addAct(act)", gift)
    second.takes(*first.shows())
    (someone,) = (one for one in json.loads(second.people())[1] if one[1] == "路过人")
    assert someone[3] is not None, "has come"
    assert someone[4] is not None, "has the gift, which names the server's id"


def test_no_code_is_larger_than_version_15(browser: Browser) -> None:
    first = Telephone(browser, "最里面那一台签到的桌子旁边", offset=-7)
    first.acts("check-in", *range(30))
    first.acts("walk-in", 0, name="𠮷" * 40, phone="+44 20 7946 0018 ext 12345")
    first.acts("check-in", 1, anyway=True)
    sizes = first.page.evaluate(
        """async texts => { const qr = await door.detector.drawing();
          const drawn = text => qr.encodeQR(text, 'raw', { ecc: 'medium', border: 1 });
          return texts.map(one => drawn(one).length - 2) }""",
        first.shows(),
    )
    assert max(sizes) <= 17 + 4 * 15
    print(f"{len(sizes)} codes for 32 acts, {max(sizes)} modules wide at most")  # noqa: T201
