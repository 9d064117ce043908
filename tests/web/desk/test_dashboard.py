"""The dashboard: rows and counter on every visit, the audit trail only when asked for."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from eventreg.core import audit_replay
from tests.support.factories import House
from tests.support.pages import Page, get

DESK = "/staff/events/small"
NO_TRAIL = "DELETE FROM audit_entries WHERE action = 'registration:seats:taken'"
ONE_TOO_MANY = "UPDATE event_seats SET taken = taken + 1"


def press_check(client: FlaskClient, page: Page) -> Page:
    """Press the button that checks the audit trail."""
    form = next(form for form in page.forms if form.action == f"{DESK}#sum")
    assert (form.method, "连操作记录一起核对" in page.text) == ("get", True)
    return get(client, f"{DESK}?audit=check")


def damage(house: House, statement: str) -> None:
    """Change the database behind the back of the rules."""
    with house.writing() as session:
        session.connection().exec_driver_sql(statement)


@pytest.mark.parametrize("name", ["olga", "desmond"])
def test_a_button_checks_the_audit_trail_and_says_that_it_agrees(small: House, name: str) -> None:
    small.register("张桂芳", "王建国")
    client = small.signed_in(name)
    board = get(client, DESK)
    assert "名单和计数对得上。" in board.text
    assert "名单、计数、操作记录三样对得上。" not in board.text
    checked = press_check(client, board)
    assert (checked.kind, checked.data["data-holds"]) == ("staff-event", "yes")
    assert "名单、计数、操作记录三样对得上。" in checked.text
    english = get(client, f"{DESK}?audit=check&lang=en")
    assert "List, counter and audit trail agree." in english.text


def test_a_trail_that_lacks_an_entry_is_found_by_the_button(
    small: House, desmond: FlaskClient
) -> None:
    small.register("张桂芳")
    damage(small, NO_TRAIL)
    board = get(desmond, DESK)
    assert board.data["data-holds"] == "yes", "rows and counter agree"
    checked = press_check(desmond, board)
    assert checked.data["data-holds"] == "no"
    assert "对不上，请告诉管理员" in checked.text
    assert "the audit trail gives the same registrations" in checked.text


def test_rows_and_counter_are_compared_on_every_visit(small: House, desmond: FlaskClient) -> None:
    small.register("张桂芳")
    damage(small, ONE_TOO_MANY)
    board = get(desmond, DESK)
    assert (board.data["data-taken"], board.data["data-holds"]) == ("1", "no")
    assert "seats taken are the people confirmed" in board.text


def test_a_visit_does_not_replay_the_audit_trail(
    small: House, desmond: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    replays: list[int] = []
    replay = audit_replay.replay

    def counted(session: Any, event_id: int) -> audit_replay.Replayed:
        replays.append(event_id)
        return replay(session, event_id)

    monkeypatch.setattr(audit_replay, "replay", counted)
    get(desmond, DESK)
    assert replays == []
    get(desmond, f"{DESK}?audit=check")
    assert replays == [small.event().id]
