"""No GET of any route writes to the database, for any person and with any address.

So a link on a foreign page, or a browser that prefetches, can do nothing in another person's name.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from eventreg import pdf
from eventreg.core.audit import Action
from eventreg.core.models.base import Base
from eventreg.storage.session import reading
from tests.support.factories import House, toml
from tests.support.servers import running
from tests.support.walk import Walk
from tests.support.windows import LAPTOP, window

LOOKS = {
    Action.NUMBER_SEEN,
    Action.NUMBERS_SEEN,
    Action.CALLS_PRINTED,
    Action.EXPORTED,
    Action.EXTRACTED,
    Action.TRAIL_EXPORTED,
}
"""The audit entries that a GET may write: it showed whole numbers, or those of all guests."""
OF_A_VISIT = {("staff_sessions", "seen_at"), ("staff_sessions", "note")}
"""A GET may update the time when a browser was last seen, and takes the note that is shown once."""


def everything() -> Iterator[tuple[str, dict[str, Any]]]:
    """All rows of all tables, except what a GET may write."""
    for table in Base.metadata.sorted_tables:
        for row in reading().execute(table.select()).mappings():
            if table.name != "audit_entries" or row["action"] not in LOOKS:
                yield (
                    table.name,
                    {name: row[name] for name in row if (table.name, name) not in OF_A_VISIT},
                )


def written(before: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The rows that differ from before."""
    reading().rollback()
    after = list(everything())
    if after == before:
        return []
    return [row for row in after if row not in before] + [row for row in before if row not in after]


def test_no_get_of_any_route_changes_anything(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "_PROGRAM", ("-c", "import sys; sys.stdout.write('%PDF')"))
    walk = Walk(house)
    before, asked = list(everything()), 0
    for place in walk.places:
        if place.method != "GET":
            continue
        for method in ("GET", "HEAD"):
            for who in (walk.nobody, walk.olga):
                who.ask(method, place.path())
        walk.olga.send(place)
        asked += 1
        found = written(before)
        assert not found, (place.rule.rule, found[:3])
    assert asked > 40


FOREIGN = """<!doctype html><title>a foreign page</title><link rel="prefetch" href="{0}">
<img src="{0}" alt=""><iframe src="{0}">
</iframe><script>fetch("{0}", {{mode: "no-cors", credentials: "include"}}).catch(() => 0)</script>
<a href="{0}">look</a>"""


@pytest.mark.browser
def test_a_print_is_recorded_when_printed_and_never_by_a_foreign_page(
    browser: Browser, house: House, folder: Path
) -> None:
    house.apply(toml())
    house.hire()
    house.register("张桂芳")
    page = window(browser, LAPTOP)
    with running(
        folder, EVENTREG_CLOCK="2030-06-07T16:30:00+08:00", EVENTREG_SECRET_KEY="k" * 20
    ) as server:
        paper = f"{server.address}/staff/events/small/check-in-list"
        page.goto(f"{server.address}/staff/sign-in")
        page.locator("#username").fill("desmond")
        page.locator("#password").fill("宁波的夏天不冷")
        with page.expect_navigation():
            page.locator("#password").press("Enter")
        page.route(
            "http://foreign.example/",
            lambda route: route.fulfill(content_type="text/html", body=FOREIGN.format(paper)),
        )
        page.goto("http://foreign.example/")
        with page.expect_navigation():
            page.locator("a").click()
        expect(page.locator("main")).to_have_attribute("data-page", "staff-check-in-list")
        assert count_prints() == 0, "no link, image, frame, script or prefetch counts as a print"
        expect(page.locator("#printed")).to_be_hidden()
        page.context.set_offline(True)
        page.pdf()
        expect(page.locator("#noted")).to_have_text("没有记下这次打印。请按“已经打印”。")
        expect(page.locator("#printed")).to_be_visible()
        assert count_prints() == 0
        page.context.set_offline(False)
        page.pdf()
        expect(page.locator("#noted")).to_have_text("已记下这次打印。")
        page.pdf()
        assert count_prints() == 1, "the same list printed twice counts once"


def count_prints() -> int:
    """The number of recorded prints."""
    reading().rollback()
    entries = Base.metadata.tables["audit_entries"]
    chosen = entries.select().where(entries.c.action == Action.LIST_PRINTED)
    return len(reading().execute(chosen).all())
