"""Pair telephones with the door: for events of any name, and several at once."""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import CookieJar
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, Request, build_opener

import pytest
from flask.testing import FlaskClient

from eventreg.core import audit
from eventreg.core.door import devices
from eventreg.core.event import events
from eventreg.core.models.staff import Role
from eventreg.core.staff import accounts, pairing
from eventreg.storage.session import reading, transaction
from tests.server.test_server import hidden
from tests.support.factories import House, local, toml
from tests.support.pages import Page, get
from tests.support.servers import running

pytestmark = pytest.mark.both_databases
LONG = "a-lecture-about-the-care-of-backs-and-necks"
LIST = "姓名,电话\n张桂芳,13800138000\n王建国,13800138001\n"
SLUGS = [f"{LONG}-in-spring", f"{LONG}-in-autumn", LONG[:40], LONG[:41], "s" * 80]


class Stay(HTTPRedirectHandler):
    """Return a redirect itself, not the page that it leads to."""

    def redirect_request(self, *_: Any) -> None:
        """Follow no redirect."""


def offered(house: House, slug: str) -> str:
    """Make a token for one telephone, two days before the event."""
    house.now = local("2030-06-08 10:00")
    with transaction() as session:
        event = events.get(session, slug)
        return pairing.offer(session, event, by=house.desmond, now=house.now)


def pair(client: FlaskClient, token: str) -> int:
    """Press the button on the telephone. Returns the status."""
    path = f"/staff/pair/{token}"
    return client.post(path, data=get(client, path).form().fields).status_code


def names(house: House, *slugs: str) -> list[str]:
    """The names of the paired telephones of these events."""
    reading().rollback()
    ids = [one.staff_id for slug in slugs for one in devices.of_event(reading(), house.event(slug))]
    return [accounts.by_id(reading(), staff_id or 0).username for staff_id in ids]


def test_telephones_of_events_with_similar_slugs_get_different_names(house: House) -> None:
    house.hire()
    for slug in SLUGS:
        house.apply(toml(slug=slug))
    for slug in (*SLUGS, *SLUGS):
        assert pair(house.client(), offered(house, slug)) == 303, slug
    found = names(house, *SLUGS)
    assert len(found) == len(set(found)) == 2 * len(SLUGS)
    assert max(map(len, found)) <= 60


def test_a_person_may_have_the_name_that_a_telephone_would_get(house: House) -> None:
    house.apply(toml())
    house.hire()
    with transaction() as session:
        accounts.add(session, "small ☎1", Role.DOOR, by=audit.SYSTEM, now=house.now)
    assert pair(house.client(), offered(house, "small")) == 303
    assert accounts.by_name(reading(), "small ☎1").event_id is None, "the name is the person's"


def test_six_telephones_paired_at_once_get_six_names(
    house: House, environment: dict[str, str]
) -> None:
    house.apply(toml())
    house.hire()
    tokens = [offered(house, "small") for _ in range(6)]
    reading().rollback()
    environment["EVENTREG_CLOCK"] = "2030-06-08T02:00:00+00:00"
    with running(house.settings.instance, **environment) as server:

        def press(token: str) -> int:
            address, telephone = (
                f"{server.address}/staff/pair/{token}",
                build_opener(Stay, HTTPCookieProcessor(CookieJar())),
            )
            with telephone.open(address, timeout=30) as page:
                fields = hidden(page.read().decode())
            try:
                with telephone.open(address, urlencode(fields).encode(), timeout=30) as answer:
                    return int(answer.status)
            except HTTPError as answer:
                return answer.code

        with ThreadPoolExecutor(6) as threads:
            assert list(threads.map(press, tokens)) == [303] * 6
    assert sorted(names(house, "small")) == [f"small ☎{number}" for number in range(1, 7)]


def test_a_door_that_is_taken_away_is_out_at_once_in_another_process(
    house: House, environment: dict[str, str]
) -> None:
    """The server is one process, the desk another. The telephone's script reads why."""
    house.apply(toml())
    house.hire()
    token = offered(house, "small")
    reading().rollback()
    environment["EVENTREG_CLOCK"] = "2030-06-08T02:00:00+00:00"
    with running(house.settings.instance, **environment) as server:
        telephone = build_opener(Stay, HTTPCookieProcessor(CookieJar()))
        telephone.addheaders = [("Accept", "application/json")]
        address = f"{server.address}/staff/pair/{token}"
        page = Request(address, headers={"Accept": "text/html"})  # noqa: S310 - our own server
        with telephone.open(page, timeout=30) as shown:
            fields = hidden(shown.read().decode())
        sent = urlencode(fields).encode()
        with pytest.raises(HTTPError) as paired:
            telephone.open(address, sent, timeout=30)
        assert paired.value.code == 303
        paired.value.close()
        door = f"{server.address}/door/small/"
        with telephone.open(door, timeout=30) as answer:
            assert answer.status == 200
        with transaction() as session:
            event = events.get(session, "small")
            devices.revoke(
                session, event, devices.of_event(session, event)[0], by=house.desmond, now=house.now
            )
        with pytest.raises(HTTPError) as refused:
            telephone.open(door, timeout=30)
        assert refused.value.code == 403
        assert json.loads(refused.value.read())["error"] == "revoked"
        refused.value.close()


def test_the_same_form_or_list_can_be_sent_for_two_events(house: House) -> None:
    """Keys that are unique within one event must not clash with those of another event."""
    house.hire()
    for slug in SLUGS[:2]:
        house.apply(toml(slug=slug, capacity=5))
    desmond = house.signed_in("desmond")
    form = get(desmond, f"/staff/events/{SLUGS[0]}/registrations/new").form().fields
    typed = {**form, "name": "李四", "phone": "13800138002"}
    for slug, status in ((SLUGS[0], 303), (SLUGS[1], 422)):
        sent = desmond.post(f"/staff/events/{slug}/registrations/new", data=typed)
        assert sent.status_code == status
    again = Page(sent).form().fields
    assert (
        desmond.post(f"/staff/events/{SLUGS[1]}/registrations/new", data=again).status_code == 303
    )
    for slug in SLUGS[:2]:
        address = f"/staff/events/{slug}/import"
        file = (io.BytesIO(LIST.encode()), "list.csv")
        tried = Page(
            desmond.post(address, data={**get(desmond, address).form().fields, "file": file})
        )
        list_form = next(one for one in tried.forms if "rows" in one.fields)
        assert (
            desmond.post(address, data={**list_form.fields, "confirmed": "yes"}).status_code == 200
        )
        assert house.seats(slug).taken == 3, "one typed in, two of the list"
    guest = house.client()
    address = f"/zh/events/{SLUGS[0]}/register"
    fields = {
        **get(guest, address).form().fields,
        "name": "王五",
        "phone": "13800138005",
        "confirmed": "yes",
    }
    assert guest.post(address, data=fields).status_code == 303
    other = f"/zh/events/{SLUGS[1]}/register"
    theirs = {**fields, "csrf_token": get(guest, other).form().fields["csrf_token"]}
    assert guest.post(other, data=theirs).status_code == 303, "each page has a form of its own"
