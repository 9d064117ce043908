"""A volunteer whose telephone keeps the door's page, and what it and the server then know."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page
from sqlalchemy import select

from eventreg.core.models.attendance import CheckIn
from eventreg.core.models.door import DoorAct
from eventreg.core.models.registration import Attendee
from eventreg.storage.session import reading
from tests.support.factories import PASSWORD, House, toml
from tests.support.windows import PHONE

MORNING = "2030-06-10T08:50:00+08:00"
_APP = "(await import(document.querySelector('script[type=module]').src))"


def filled(folder: Path, people: int) -> None:
    """An event with that many people, and the volunteers Dora and Desmond."""
    house = House(folder)
    with house.app.app_context():
        house.apply(
            toml(
                capacity=people + 5, more='[gift]\ntext = { zh = "礼品", en = "Gift" }\nstock = 60'
            )
        )
        house.hire()
        for number in range(people):
            house.register(f"客{chr(0x4E00 + number)}")
    house.close()


@dataclass
class Volunteer:
    """One telephone at the door."""

    page: Page
    address: str

    def signs_in(self, name: str = "dora") -> None:
        """Sign in with a password, which leads to the door."""
        self.page.goto(f"{self.address}/staff/sign-in?next=/door/small/")
        if self.page.locator("#username").count():
            self.page.locator("#username").fill(name)
            self.page.locator("#password").fill(PASSWORD)
            with self.page.expect_navigation():
                self.page.locator("#password").press("Enter")

    def opens(self) -> None:
        """Open the door's page."""
        self.page.goto(f"{self.address}/door/small/")

    def run(self, script: str, value: Any = None) -> Any:
        """Run a script in the page; ``app`` is the module of the application."""
        return self.page.evaluate(
            f"async (value) => {{ const app = {_APP}; await app.ready; {script} }}", value
        )

    def is_ready(self) -> None:
        """Wait until the worker controls the page and the list is there."""
        self.page.evaluate("() => navigator.serviceWorker.ready")
        self.until("app.door.state().people.size > 0 && navigator.serviceWorker.controller")

    def until(self, condition: str, seconds: float = 15) -> None:
        """Wait until this holds in the page."""
        self.run(
            f"""const last = Date.now() + value * 1000;
            while (!({condition})) {{
              if (Date.now() > last) throw new Error('not: ' + {condition!r} + ' but ' +
                JSON.stringify(app.door.status()));
              await new Promise((go) => setTimeout(go, 30)); }}""",
            seconds,
        )

    def until_pill(self, kind: str, seconds: float = 15) -> None:
        """Wait until the pill says that."""
        self.until(f"app.door.status().kind === '{kind}'", seconds)

    def has_uploaded(self, seconds: float = 15) -> None:
        """Wait until every act is uploaded. The page counts them only now and then, so the storage
        is asked, too."""
        unsent = "(await app.database.unsent(app.door.facts().slug, 1)).length"
        self.until(f"{unsent} === 0 && app.door.status().unsent === 0", seconds)

    def people(self) -> list[str]:
        """The ids of the people on the list of this telephone."""
        return list(self.run("return [...app.door.state().people.keys()]"))

    def act(self, name: str, *given: Any) -> dict[str, Any]:
        """Do one act; what the panel says."""
        script = "return await app.actions[value[0]](...value[1])"
        return dict(self.run(script, [name, list(given)]))

    def kinds(self, people: list[str], name: str = "checkIn") -> Counter[str]:
        """Do the same for each of these people, one after the other; what the panels say."""
        told = self.run(
            """const told = [];
            for (const one of value[1]) told.push((await app.actions[value[0]](one)).told.kind);
            return told""",
            [name, people],
        )
        return Counter(told)

    def stored(self, store: str) -> list[dict[str, Any]]:
        """Everything in one store of the device."""
        return list(
            self.page.evaluate(
                """(store) => new Promise((resolve, reject) => {
                const asking = indexedDB.open('eventreg-door');
                asking.onerror = () => reject(asking.error);
                asking.onsuccess = () => {
                  const all = asking.result.transaction(store).objectStore(store).getAll();
                  all.onsuccess = () => { asking.result.close(); resolve(all.result); }; }; })""",
                store,
            )
        )


def volunteer(context: BrowserContext, address: str) -> Volunteer:
    """A telephone in its first window."""
    page = context.pages[0] if context.pages else context.new_page()
    page.set_default_timeout(20_000)
    return Volunteer(page, address)


def told_by(folder: Path, read: Callable[[], Any], **environment: str) -> Any:
    """What the server's database says."""
    house = House(folder, **environment)
    try:
        with house.app.app_context():
            return read()
    finally:
        house.close()


def arrivals(folder: Path, **environment: str) -> Counter[str]:
    """How often each person stands as checked in."""
    query = select(Attendee.public_id).join(CheckIn, CheckIn.attendee_id == Attendee.id)
    query = query.where(CheckIn.undone_at.is_(None))
    return Counter(told_by(folder, lambda: list(reading().scalars(query)), **environment))


def keys(folder: Path) -> list[str]:
    """The keys of all acts that the server has."""
    return list(told_by(folder, lambda: list(reading().scalars(select(DoorAct.key)))))


PHONE_WITH_WORKER: Any = {**PHONE, "locale": "zh-CN", "service_workers": "allow"}
