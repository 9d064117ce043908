"""Limits on tickets, one-time links and registrations, and on how fast a form may be sent."""

from typing import Any

from eventreg.core.models.registration import Registration
from eventreg.storage.session import reading
from tests.support.factories import PASSWORD, House
from tests.support.houses import with_seats
from tests.support.pages import Page, fill, get
from tests.support.tokens import another

REGISTER = "/zh/events/small/register"
roomy = with_seats(90, staff=True)


def test_tries_with_unknown_tickets_are_limited(roomy: House) -> None:
    roomy.app.extensions["limits"].on = True
    client = roomy.client()
    statuses = [client.get(f"/T/{number:026d}").status_code for number in range(25)]
    assert statuses[:20] == [404] * 20
    assert statuses[20:] == [429] * 5
    assert int(client.get("/T/" + "0" * 26).headers["Retry-After"]) > 0


def test_tries_with_unknown_one_time_links_are_limited(roomy: House) -> None:
    roomy.app.extensions["limits"].on = True
    client = roomy.client()
    token = get(client, "/staff/sign-in").form().fields["csrf_token"]
    typed = {"csrf_token": token, "username": "eve", "password": PASSWORD}
    statuses = [
        client.post(f"/staff/welcome/{number}", data=typed).status_code for number in range(22)
    ]
    assert statuses == [404] * 20 + [429] * 2


def test_registrations_of_one_address_are_limited_and_the_input_is_kept(roomy: House) -> None:
    roomy.app.extensions["limits"].on = True
    client = roomy.client()
    opened = get(client, REGISTER).form("/register").fields
    roomy.now = roomy.now.replace(second=5)
    statuses = []
    for number in range(11):
        typed = {"name": f"王{number}号", "phone": f"138{number:08d}", "confirmed": "yes"}
        answer = client.post(REGISTER, data={**another(opened), **typed})
        statuses.append(answer.status_code)
    assert statuses == [303] * 10 + [429]
    page = Page(answer)
    assert page.kind == "check"
    assert page.form("/register").fields["name"] == "王10号"
    assert reading().query(Registration).count() == 10


def test_a_form_confirmed_too_fast_must_be_sent_again(roomy: House) -> None:
    roomy.app.extensions["limits"].on = True
    client = roomy.client()
    checked = Page(fill(client, REGISTER, name="张桂芳", phone="13800138000"))
    assert (checked.status, checked.kind) == (200, "check"), "the first press may be fast"
    page = Page(client.post(REGISTER, data=checked.form("/register").fields))
    assert (page.status, page.kind) == (400, "register")
    assert reading().query(Registration).count() == 0
    roomy.now = roomy.now.replace(second=3)
    checked = Page(client.post(REGISTER, data=page.form("/register").fields))
    assert client.post(REGISTER, data=checked.form("/register").fields).status_code == 303


def test_the_time_counts_from_when_the_form_was_first_opened(roomy: House) -> None:
    roomy.app.extensions["limits"].on = True
    client = roomy.client()
    opened = get(client, REGISTER).form("/register").fields
    roomy.now = roomy.now.replace(second=3)
    typed = {**opened, "name": "张桂芳", "phone": "1380013800"}
    mistaken = Page(client.post(REGISTER, data=typed)).form("/register").fields
    right = {**mistaken, "phone": "13800138000"}
    checked = Page(client.post(REGISTER, data=right)).form("/register").fields
    assert client.post(REGISTER, data=checked).status_code == 303, "two pages at one moment"


def test_the_text_size_may_be_changed_at_once_without_an_error(roomy: House) -> None:
    roomy.app.extensions["limits"].on = True
    page = Page(fill(roomy.client(), f"{REGISTER}?size=largest", show="form"))
    assert (page.status, page.kind) == (200, "register")
    assert 'id="errors"' not in page.html
    assert 'class="largest"' in page.html


def test_only_the_configured_proxy_may_name_the_client(folder: Any) -> None:
    for proxies, statuses in (("0", {404, 429}), ("1", {404})):
        house = House(folder, EVENTREG_TRUSTED_PROXIES=proxies)
        house.app.extensions["limits"].on = True
        client = house.client()
        answers = [
            client.get("/T/x", headers={"X-Forwarded-For": f"192.0.2.{number}"})
            for number in range(25)
        ]
        assert {answer.status_code for answer in answers} == statuses
        house.close()
