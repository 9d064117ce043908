"""Doors of one event believe each other's records, by a key that only they get."""

import re

from flask.testing import FlaskClient

from tests.support.factories import House, toml


def key_of(client: FlaskClient, slug: str) -> str:
    """The key that this door is told."""
    facts = client.get(f"/door/{slug}/facts.json").get_json()
    return str(facts["meet_key"])


def test_all_doors_of_an_event_get_its_key_and_those_of_another_event_another(
    small: House,
) -> None:
    small.apply(toml(slug="other"))
    dora, desmond = small.signed_in("dora"), small.signed_in("desmond")
    assert re.fullmatch(r"[0-9a-f]{64}", key_of(dora, "small"))
    assert key_of(dora, "small") == key_of(desmond, "small") != key_of(desmond, "other")


def test_nobody_else_gets_the_key_nor_does_the_page_without_people(
    small: House, guest: FlaskClient
) -> None:
    key = key_of(small.signed_in("dora"), "small")
    assert guest.get("/door/small/facts.json").status_code in {303, 401}
    assert key not in guest.get("/door/small/shell").text
    assert key not in small.signed_in("dora").get("/door/small/shell").text
