"""Pages that were open during the restore of a backup. Row numbers are assigned again, so a form on
such a page must not change another person."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from eventreg.core.models.staff import Role
from eventreg.storage.session import db, reading
from tests.support.factories import House, local, toml
from tests.support.pages import Form, Page, get

DESK, DOOR = "/staff/events/small", "/door/small/"
HIRED = {"olga", "desmond", "dora"}
TABLES = (
    "registrations",
    "attendees",
    "check_ins",
    "gifts",
    "calls",
    "outbox_messages",
    "staff_members",
)


@pytest.fixture
def hall(house: House) -> House:
    """An empty event with four seats and all of the staff, on the morning of the event."""
    house.apply(toml(capacity=4))
    house.hire()
    house.now = local("2030-06-10 08:50")
    return house


def run(house: House, *words: str) -> None:
    """Run a command of the operator."""
    reading().rollback()
    done = house.app.test_cli_runner().invoke(args=list(words))
    assert done.exit_code == 0, done.output


def crowd(house: House, name: str, other: str) -> None:
    """Two people of one name, a party of two, and a waiting guest: one of each kind that a form may
    name."""
    house.register(name, phone="13700000001", source="phone")
    house.register(name, other, phone="13700000002", source="phone")
    gone = house.register("临时", phone="13700000004", source="phone")
    house.register(f"{name}妹", phone="13700000003", source="phone", waitlist=True)
    house.register(other, phone="13700000003", source="phone", waitlist=True)
    house.cancel(gone)  # the first of the waiting list gets a free seat and must be called


def forms_of(page: Page) -> list[tuple[str, dict[str, Any]]]:
    """What each button of each POST form would send, with all boxes of a list ticked."""
    ticked: dict[str, list[str]] = {}
    for attributes in page.having("name"):
        if attributes.get("type") == "checkbox":
            ticked.setdefault(str(attributes["name"]), []).append(
                str(attributes.get("value") or "")
            )
    boxes = {
        name: sent for name, sent in ticked.items() if name in {"registration", "arrived", "gift"}
    }
    return [
        (form.action, {**form.fields, **boxes, **button})
        for form in page.forms
        if form.method == "post"
        for _, button in form.buttons or [("", {})]
    ]


def stale_tab(house: House) -> list[tuple[str, str, dict[str, Any]]]:
    """All forms on the present pages, with their page."""
    olga = house.signed_in("olga")
    ids = reading().execute(text("SELECT id FROM registrations")).scalars().all()
    pages = [
        "attendees",
        "calls?anyway=yes",
        "duplicates",
        "paper",
        *(f"registrations/{one}" for one in ids),
    ]
    pages += [f"registrations/{one}/{act}" for one in ids for act in ("erase", "cancel")]
    addresses = [*(f"{DESK}/{page}" for page in pages), DOOR, "/staff/accounts"]
    return [
        (action or address, address, sent)
        for address in addresses
        for action, sent in forms_of(get(olga, address))
        if "sign-out" not in action
        and not action.endswith("/open")
        and sent.get("account") not in HIRED
    ]


def rows(house: House) -> dict[str, Sequence[Any]]:
    """All rows about people in the database."""
    with db.engine.connect() as connection:
        return {
            table: connection.execute(text(f"SELECT * FROM {table} ORDER BY id")).all()
            for table in TABLES
        }


def filled(house: House, name: str, other: str) -> None:
    """Register the crowd, check one in with a gift, and create an account."""
    crowd(house, name, other)
    house.hired(name, Role.DESK)
    dora = house.signed_in("dora")
    row = next(form for form in get(dora, DOOR).forms if form.action.endswith("/check-ins"))
    assert dora.post(row.action, data=row.fields).status_code == 303


@pytest.mark.both_databases
def test_a_form_from_before_a_restore_changes_no_other_person(hall: House, tmp_path: Path) -> None:
    backup = str(tmp_path / "before.zip")
    run(hall, "backup", "create", backup)
    filled(hall, "慕容翠花", "端木阿根")
    pressed = stale_tab(hall)
    assert len(pressed) > 30
    run(hall, "backup", "restore", backup)
    filled(hall, "闻人三", "公孙四")  # other people, with the same row numbers
    olga, before = hall.signed_in("olga"), rows(hall)
    token = (
        get(olga, DOOR)
        .form("/open" if "/open" in get(olga, DOOR).html else "")
        .fields["csrf_token"]
    )
    for address, page, sent in pressed:
        data = {**sent, "csrf_token": token, "confirmed": "yes"}
        answer = olga.post(address, data=data)
        assert answer.status_code < 500, (page, address)
        now = rows(hall)
        assert now == before, (page, address, sent, answer.status_code)


def names_people(form: tuple[str, dict[str, Any]]) -> bool:
    """Whether the form identifies its person by more than a row number."""
    action, sent = form
    if "/registrations/" in action or "/calls/" in action:
        return bool(sent.get("mark"))
    if "/check-ins/" in action:
        return len(sent.get("attendee", "")) == 32
    if "/accounts/" in action:
        return bool(sent.get("account"))
    return (
        all("." in one for one in sent.get("registration", []))
        and not str(sent.get("attendee", "x")).isdigit()
    )


def test_no_form_identifies_a_person_by_row_number_alone(hall: House) -> None:
    filled(hall, "慕容翠花", "端木阿根")
    found = [(action, sent) for action, _, sent in stale_tab(hall)]
    assert {part for action, _ in found for part in action.split("/")} >= {
        "cancel",
        "edit",
        "told",
        "calls",
        "undo",
    }
    assert [form[0] for form in found if not names_people(form)] == []


def test_without_a_restore_the_same_forms_work(hall: House) -> None:
    """The control: only the mark stops a form of a stale page."""
    filled(hall, "慕容翠花", "端木阿根")
    olga = hall.signed_in("olga")
    form: Form = get(olga, f"{DESK}/registrations/1/cancel").form("/cancel")
    assert olga.post(form.action, data={**form.fields, "mark": "0" * 16}).status_code == 404
    assert olga.post(form.action, data=form.fields).status_code == 303
    assert 'data-state="cancelled"' in get(olga, f"{DESK}/registrations/1").html
