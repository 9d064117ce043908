"""Kept forms: a form sent after its session ended is kept and shown before it is sent again.

A form planted by another page is never kept.
"""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from pytest import MonkeyPatch

from eventreg.core.desk import attendee_list
from eventreg.core.models.staff import Role
from eventreg.core.registration import identity
from eventreg.core.staff import accounts
from eventreg.core.staff.permissions import Permission
from eventreg.storage.session import reading, transaction
from eventreg.web.staff import kept_forms
from tests.support.factories import LONG_PASSWORD, PASSWORD, House
from tests.support.pages import Page, get

DESK = "/staff/events/small"
NEW = f"{DESK}/registrations/new"
TYPED = {"name": "张桂芳", "phone": "13800138000"}


def end_sessions(name: str) -> None:
    """End all sessions of this account."""
    with transaction() as session:
        accounts.end_sessions(session, accounts.by_name(session, name))


def sign_in_on(client: FlaskClient, page: Page, name: str, password: str = PASSWORD) -> Page:
    """Sign in on the page that was shown instead of the wanted one."""
    form = page.form("/sign-in")
    typed = {**form.fields, "username": name, "password": password}
    return Page(client.post("/staff/sign-in", data=typed))


def registered(house: House) -> int:
    """The number of seats taken."""
    reading().rollback()
    return house.seats().taken


def test_a_kept_form_is_shown_in_words_and_sent_with_one_press(
    small: House, desmond: FlaskClient
) -> None:
    form = get(desmond, NEW).form()
    sent: Any = {
        **form.fields,
        **TYPED,
        "name": "<b>张桂芳</b>",
        "companion-1": "王建国",
        "wish": ["wheelchair", "front"],
    }
    end_sessions("desmond")
    asked = Page(desmond.post(NEW, data=sent))
    assert (asked.status, asked.kind) == (401, "staff-sign-in")
    assert "您填的都还在" in asked.text
    assert "13800138000" not in asked.html, "the sign-in page does not say it"
    offered = sign_in_on(desmond, asked, "desmond")
    assert offered.kind == "staff-once-more"
    shown_in_words = (
        "录入电话报名",
        "书法课",
        "王建国",
        "要轮椅位、要坐前排",
        "凭证用哪种语言 中文",
    )
    for shown in (*shown_in_words, "姓名 <b>张桂芳</b>", "13800138000"):
        assert shown in offered.text, shown
    assert "<b>" not in offered.html
    again = offered.form("/registrations/new")
    assert offered.html.count('name="wish"') == 2, "repeated fields are all kept"
    answer = desmond.post(again.action, data={**again.fields, "name": "张桂芳"})
    assert answer.status_code == 303
    assert registered(small) == 2


def test_a_kept_bulk_cancel_names_the_people_and_asks_again(
    small: House, desmond: FlaskClient
) -> None:
    first, second = small.register("张桂芳"), small.register("王建国")
    token = get(desmond, NEW).form().fields["csrf_token"]
    sent: Any = {
        "csrf_token": token,
        "act": "cancel",
        "confirmed": "yes",
        "registration": [str(first.id), str(second.id)],
    }
    end_sessions("desmond")
    offered = sign_in_on(desmond, Page(desmond.post(f"{DESK}/attendees", data=sent)), "desmond")
    for shown in ("书法课", "取消报名", "张桂芳", "王建国"):
        assert shown in offered.text
    assert "confirmed" not in offered.form("/attendees").fields
    assert registered(small) == 2


@pytest.mark.parametrize("page", ["list", "door", "sheet"])
def test_a_kept_form_shows_names_instead_of_public_ids(
    small: House, desmond: FlaskClient, page: str
) -> None:
    made = small.register("张桂芳")
    person = attendee_list.of_registration(reading(), made.id)[0]
    pages: dict[str, tuple[str, dict[str, str]]] = {
        "list": (
            f"{DESK}/attendees",
            {"act": "cancel", "registration": f"{made.id}.{identity.mark(made)}"},
        ),
        "door": (
            "/door/small/check-ins",
            {"attendee": person.public_id, "tries": "0", "mark": identity.mark(made)},
        ),
        "sheet": (f"{DESK}/paper", {"arrived": person.public_id}),
    }
    address, sent = pages[page]
    shown = desmond.get(address.removesuffix("check-ins")).get_data(as_text=True)
    named = sent.get("registration") or person.public_id
    assert named in shown, "this is how the page itself names them"
    token = get(desmond, NEW).form().fields["csrf_token"]
    end_sessions("desmond")
    offered = sign_in_on(
        desmond, Page(desmond.post(address, data={**sent, "csrf_token": token})), "desmond"
    )
    assert offered.kind == "staff-once-more"
    assert "张桂芳" in offered.text
    assert named not in offered.text
    assert identity.mark(made) not in offered.text


def test_a_form_is_kept_also_after_the_password_was_changed(
    small: House, desmond: FlaskClient
) -> None:
    own = get(desmond, "/staff/me").form("/me/password")
    chosen = {**own.fields, "password": PASSWORD, "new-password": LONG_PASSWORD}
    assert desmond.post(own.action, data=chosen).status_code == 303
    form = get(desmond, NEW).form()
    end_sessions("desmond")
    asked = Page(desmond.post(NEW, data={**form.fields, **TYPED}))
    assert "您填的都还在" in asked.text
    offered = sign_in_on(desmond, asked, "desmond", LONG_PASSWORD)
    assert offered.kind == "staff-once-more"
    assert "张桂芳" in offered.text


def planted(client: FlaskClient, address: str, **fields: str) -> Page:
    """A form that another page makes this browser send."""
    return Page(client.post(address, data={**TYPED, **fields}, headers={"Origin": "null"}))


def test_a_form_planted_by_another_page_is_not_kept(small: House, desmond: FlaskClient) -> None:
    stranger = small.client()
    theirs = get(stranger, "/staff/sign-in").form().fields["csrf_token"]
    doras = get(small.signed_in("dora"), "/staff/").form("/sign-out").fields["csrf_token"]
    end_sessions("desmond")
    for token in ("", "x", theirs, doras):
        asked = planted(desmond, NEW, csrf_token=token)
        assert (asked.status, asked.kind) == (401, "staff-sign-in")
        assert "kept" not in asked.form("/sign-in").fields
        assert "刚才填的没有保存" in asked.text
    assert sign_in_on(desmond, asked, "desmond").status == 303
    assert registered(small) == 0


def test_a_form_is_not_kept_if_the_browser_was_never_signed_in(small: House) -> None:
    """The token of an anonymous session is valid, but does not prove that the form is ours."""
    client = small.client()
    token = get(client, "/staff/sign-in").form().fields["csrf_token"]
    asked = planted(client, NEW, csrf_token=token)
    assert "kept" not in asked.form("/sign-in").fields


def test_without_the_token_check_a_planted_form_would_be_kept(
    small: House, desmond: FlaskClient, monkeypatch: MonkeyPatch
) -> None:
    """The negative control."""
    end_sessions("desmond")
    monkeypatch.setattr(kept_forms, "validate_csrf", lambda *_, **__: None)
    offered = sign_in_on(desmond, planted(desmond, NEW), "desmond")
    assert offered.kind == "staff-once-more"


def test_a_kept_form_is_offered_only_to_its_account_and_for_a_day(
    small: House, desmond: FlaskClient
) -> None:
    token = get(desmond, NEW).form().fields["csrf_token"]
    end_sessions("desmond")
    asked = planted(desmond, NEW, csrf_token=token)
    assert "kept" in asked.form("/sign-in").fields
    assert sign_in_on(desmond, asked, "olga").status == 303
    other = small.client()
    carried = {**get(other, "/staff/sign-in").form().fields}
    carried["kept"] = asked.form("/sign-in").fields["kept"]
    typed = {**carried, "username": "desmond", "password": PASSWORD}
    small.now += timedelta(days=1, minutes=1)
    assert other.post("/staff/sign-in", data=typed).status_code == 303, "for a day and no longer"


def test_a_kept_form_is_not_offered_if_the_new_role_may_not_send_it(
    small: House, desmond: FlaskClient
) -> None:
    token = get(desmond, NEW).form().fields["csrf_token"]
    with transaction() as session:
        member = accounts.by_name(session, "desmond")
        accounts.change_role(session, member, Role.DOOR, by=small.olga, now=small.now)
    asked = planted(desmond, NEW, csrf_token=token)
    assert sign_in_on(desmond, asked, "desmond").status == 303


@pytest.mark.parametrize(
    "address",
    [
        "/staff/accounts",
        "/staff/accounts/1",
        "/staff/me/second-factor",
        "/staff/me/browsers",
        "/staff/password",
        f"{DESK}/telephones",
        f"{DESK}/import",
        f"{DESK}/forget",
        f"{DESK}/registrations/1/erase",
        "/staff/events/apply",
    ],
)
def test_forms_about_accounts_and_irreversible_acts_are_never_kept(
    small: House, olga: FlaskClient, address: str
) -> None:
    token = get(olga, "/staff/").form("/sign-out").fields["csrf_token"]
    end_sessions("olga")
    asked = planted(olga, address, csrf_token=token, username="eve", role="organiser")
    assert (asked.status, "kept" in asked.form("/sign-in").fields) == (401, False)


KEPT_FOR = {
    Permission.REGISTER,
    Permission.CORRECT,
    Permission.TYPE_SHEET,
    Permission.CALL,
    Permission.CHECK_IN,
    Permission.MANAGE_EVENTS,
}
FILES = {"organising.upload", "organising.apply", "organising.rework"}
"""Not kept: one takes a file, the others carry the whole event file that was shown before."""


def test_every_form_is_listed_as_kept_or_never_kept(small: House) -> None:
    """A new form fails here until it is decided whether it may be kept."""
    views = small.app.view_functions
    forms = {
        rule.endpoint for rule in small.app.url_map.iter_rules() if "POST" in (rule.methods or ())
    }
    may_be = {
        endpoint
        for endpoint in forms
        if getattr(views[endpoint], "needs", "") in KEPT_FOR
        and not getattr(views[endpoint], "wants_password", False)
    }
    scripts = {"desk.hint", "door.sync_acts"}
    assert set(kept_forms.ACTS) == may_be - FILES - scripts


@pytest.mark.parametrize("size", [30_000, 60_000, 100_000])
def test_a_long_form_is_kept_or_reported_as_lost(
    small: House, olga: FlaskClient, size: int
) -> None:
    form = get(olga, f"{DESK}/edit").forms[-1]
    sent = {**form.fields, "summary.zh": "字" * (size // 9)}
    end_sessions("olga")
    asked = Page(olga.post(f"{DESK}/edit", data=sent))
    kept = "kept" in asked.form("/sign-in").fields
    assert (asked.status, "您填的都还在" in asked.text) == (401, kept)
    offered = sign_in_on(olga, asked, "olga")
    assert (offered.status, offered.kind) == ((200, "staff-once-more") if kept else (303, ""))


def test_a_too_large_form_without_a_session_leads_to_the_sign_in_page(
    small: House, desmond: FlaskClient
) -> None:
    end_sessions("desmond")
    small.app.testing = False  # answer 500 on an error, as a server does
    for client in (desmond, small.client()):
        asked = Page(client.post(NEW, data={"name": "x" * 100_000}))
        assert (asked.status, asked.kind) == (401, "staff-sign-in")
        assert "刚才填的没有保存" in asked.text
