"""What stays on a telephone when its work at the door is over: acts that nobody has got yet, and
nothing else."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from eventreg.core import audit
from eventreg.core.door import devices
from eventreg.core.event import events
from eventreg.storage.session import transaction
from tests.proofs.conftest import WHOLE
from tests.support.door.hall import Hall, hall
from tests.support.door.volunteer import (
    PHONE_WITH_WORKER,
    Volunteer,
    arrivals,
    told_by,
    volunteer,
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not WHOLE, reason="in `make proofs`"),
]


def take_away(at: Hall, device: str) -> None:
    """The desk takes this door away."""

    def act() -> None:
        with transaction() as session:
            event = events.get(session, "small")
            found = devices.find(session, event, device)
            assert found is not None
            assert found.staff_id is not None
            by = audit.Actor("staff", found.staff_id)
            devices.revoke(session, event, found, by=by, now=event.starts_at)

    told_by(at.folder, act)


def test_a_door_that_is_over_keeps_only_what_nobody_has_got(
    browser: Browser, migrated: Path, tmp_path: Path
) -> None:
    with hall(migrated, tmp_path / "hall", 6) as at:
        dora = volunteer(browser.new_context(**PHONE_WITH_WORKER), at.network.address)
        dora.signs_in()
        dora.is_ready()
        desmond = volunteer(browser.new_context(**PHONE_WITH_WORKER), at.network.address)
        desmond.signs_in("desmond")
        desmond.is_ready()
        two_doors_see_the_same_person(dora, desmond, at)
        somebody_ends_the_check_in(dora, at)
        a_telephone_is_taken_away(desmond, at)


def two_doors_see_the_same_person(dora: Volunteer, desmond: Volunteer, at: Hall) -> None:
    """Both are green without a network; it is one attendance, with both doors in the list."""
    at.network.be("gone")
    person = dora.people()[0]
    for one in (dora, desmond):
        assert one.act("checkIn", person)["told"]["kind"] == "checked-in"
    at.network.be("works")
    for one in (dora, desmond):
        one.has_uploaded()
    assert arrivals(at.folder) == {person: 1}
    results = [act["result"] for one in (dora, desmond) for act in one.stored("acts")]
    assert sorted(results) == ["already_in", "checked_in"]


def somebody_ends_the_check_in(dora: Volunteer, at: Hall) -> None:
    """It is refused while something is neither uploaded nor exported, and then asks."""
    at.network.be("gone")
    person = dora.people()[1]
    dora.act("checkIn", person)
    told = dora.act("end")["told"]
    assert (told["kind"], told["unsent"]) == ("unsent", 1)
    exported = dora.act("exportUnsent")["told"]["csv"]
    assert person in exported
    assert dora.act("end")["told"]["kind"] == "confirm"
    assert len(dora.stored("acts")) == 2
    assert dora.act("end", True)["told"]["kind"] == "ended"
    assert [dora.stored(store) for store in ("facts", "people", "acts")] == [[], [], []]
    assert not dora.page.evaluate("caches.match('/door/small/shell').then(Boolean)")
    at.network.be("works")


def a_telephone_is_taken_away(desmond: Volunteer, at: Hall) -> None:
    """Its list is gone at once; what it had not uploaded stays, and the pill says why."""
    at.network.be("503", "/sync")
    desmond.act("checkIn", desmond.people()[2])
    device = desmond.run("return app.door.facts().device")
    take_away(at, device)
    at.network.be("works")
    desmond.until_pill("revoked")
    desmond.until("app.door.state().people.size === 0")
    assert desmond.stored("people") == []
    assert [act["sent"] for act in desmond.stored("acts")] == [False]
