"""Rows of the door page that are alike are filled in; they are as the template renders each one."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from flask.testing import FlaskClient
from markupsafe import Markup, escape
from sqlalchemy import update

from eventreg.core.models.registration import Attendee
from eventreg.storage.session import transaction
from eventreg.web.door import check_in
from eventreg.web.rows import MARKS, Rows
from tests.core.uploads.doors import Door, attendee
from tests.support.factories import House, local, toml

NAMES = (
    "张桂芳",
    "O'Neil & Söhne",
    "100 % 王",
    "曾秀英",
    "陈<b>",
    "李大海",
    f"周{MARKS[0]}",
    "赵六",
)


@pytest.fixture
def morning(house: House) -> House:
    """Seven people are expected; some have come, one has no number, one waits, one cancelled."""
    house.apply(toml(capacity=7, more="[waitlist]\nopen = true"))
    house.hire()
    made = [house.register("客人" * (one + 1)) for one in range(7)]
    house.register("客人等", waitlist=True)
    with transaction() as session:
        for number, name in enumerate(NAMES, start=1):
            session.execute(update(Attendee).where(Attendee.id == number).values(name=name))
        session.execute(update(Attendee).where(Attendee.id == 4).values(phone_tail=""))
    house.cancel(made[5])
    house.now = local("2030-06-10 08:50")
    door = Door(house)
    door.do("check-in", attendee("张桂芳"))
    house.now = local("2030-06-10 09:07")
    door.do("check-in", attendee("O'Neil & Söhne"))
    door.do("check-in", attendee("100 % 王"))
    return house


def one_by_one(person: Any, rows: Sequence[Any], card: bool, _zone: object) -> Markup:
    """Render each row."""
    return Markup("").join(person(row, card) for row in rows)


def page(browser: FlaskClient, path: str) -> str:
    """The text of a page, without the token, which holds the time."""
    shown = browser.get(path).get_data(as_text=True)
    return shown.replace(re.findall('name="csrf-token" content="([^"]+)"', shown)[0], "")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("path", ["/door/small/", "/door/small/?q=%E5%AE%A2", "/door/small/?q=8"])
def test_a_page_of_filled_rows_is_as_if_each_was_rendered(
    morning: House, path: str, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dora = morning.signed_in("dora")
    dora.get(f"/door/small/?lang={language}")
    filled = page(dora, path)
    monkeypatch.setattr(check_in, "_filled", one_by_one)
    assert filled == page(dora, path)
    if "q=" not in path:
        assert filled.count("data-attendee") == len(NAMES) - 1


def test_what_is_filled_in_is_escaped_and_nothing_else_is_replaced() -> None:
    rows = Rows()
    texts = ("<b>", f"%(0)s {MARKS[0]}")
    for _ in range(2):
        made = rows.filled("kind", lambda: f"{MARKS[1]} 100 % {MARKS[0]}", texts)
        assert made == f"{escape(texts[1])} 100 % {escape(texts[0])}"
