"""Permissions of the staff pages: which role may open what, and who may send a form."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from eventreg.core.models.staff import Role
from eventreg.core.staff import permissions
from eventreg.web import access
from tests.support.factories import House
from tests.support.pages import Page, get

DESK = "/staff/events/small"
NEW = f"{DESK}/registrations/new"


def test_every_role_reaches_exactly_the_pages_of_its_permissions(small: House) -> None:
    """Opens each page with each role, and without one.

    200 or 303 if the role has the permission, 403 if not, the sign-in page without a role.
    """
    made = small.register("张桂芳")
    somewhere = {
        "slug": "small",
        "registration_id": made.id,
        "check_in_id": 1,
        "gift_id": 1,
        "staff_id": 1,
        "token": "x",
        "lang": "zh",
    }
    clients = {
        role: small.signed_in(name)
        for role, name in [("organiser", "olga"), ("desk", "desmond"), ("door", "dora")]
    }
    checked = 0
    for rule in small.app.url_map.iter_rules():
        need = access.need_of(rule.endpoint)
        if need in {access.EVERYBODY, None}:
            continue
        with small.app.test_request_context():
            given: dict[str, Any] = {name: somewhere[name] for name in rule.arguments}
            path = small.app.url_for(rule.endpoint, **given)
        for role, client in clients.items():
            allowed = permissions.may(Role(role), permissions.Permission(str(need)))
            if "GET" in (rule.methods or ()):
                answer = client.get(path)
                fine = {200, 303, 422} if allowed else {403}  # 422: asks for what is missing
                if path.endswith("/release") and role != "organiser":
                    fine = {403}  # the page says from when on everybody at the door may
                assert answer.status_code in fine, (role, path)
                answer.close()
            else:  # without the token, so nothing happens; 400 shows that the role is allowed
                assert client.post(path).status_code == (400 if allowed else 403), (role, path)
            checked += 1
        if "GET" in (rule.methods or ()):
            is_data = path.startswith("/door/") and path.endswith(".json")
            signed_out = 401 if is_data else 303
            assert small.client().get(path).status_code == signed_out, path
            assert (
                small.client().get(path, headers={"Accept": "application/json"}).status_code == 401
            ), path
        assert small.client().post(path).status_code in {401, 405}, path
    assert checked >= 150


def test_without_the_table_the_door_would_see_the_desk(
    small: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: only the table keeps the door out."""
    dora = small.signed_in("dora")
    assert dora.get(DESK).status_code == 403
    monkeypatch.setattr(permissions, "may", lambda *_: True)
    assert dora.get(DESK).status_code == 200


def test_a_view_that_names_no_permission_is_closed(
    small: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = small.app.view_functions["public.privacy"]
    assert small.client().get("/zh/privacy").status_code == 200
    monkeypatch.delattr(view, "needs")
    assert small.client().get("/zh/privacy").status_code == 403


def test_every_post_needs_the_token_of_its_session(small: House, desmond: FlaskClient) -> None:
    form = get(desmond, NEW).form()
    typed = {**form.fields, "name": "张桂芳", "phone": "13800138000"}
    stranger = get(small.signed_in("olga"), NEW).form().fields["csrf_token"]
    for token in ("", "forged", stranger):
        page = Page(desmond.post(NEW, data={**typed, "csrf_token": token}))
        assert page.status == 400
        assert small.seats().taken == 0
    assert desmond.post(NEW, data=typed).status_code == 303


def test_without_the_token_check_a_forged_post_would_pass(
    small: House, desmond: FlaskClient
) -> None:
    """The negative control."""
    small.app.config["WTF_CSRF_ENABLED"] = False
    data = {"name": "张桂芳", "phone": "13800138000", "form_key": "a" * 32}
    assert desmond.post(NEW, data=data).status_code == 303


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 303),
        ({"Origin": "null"}, 303),
        ({"Origin": "http://localhost"}, 303),
        ({}, 303),
    ],
)
def test_no_other_site_can_make_a_browser_post(
    small: House, desmond: FlaskClient, headers: dict[str, str], status: int
) -> None:
    form = get(desmond, NEW).form()
    data = {**form.fields, "name": "张桂芳", "phone": "13800138000"}
    assert desmond.post(NEW, data=data, headers=headers).status_code == status
