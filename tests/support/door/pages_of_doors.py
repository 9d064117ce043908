"""The pages of the days before an event: doors, pairing, the self-test."""

from tests.support.factories import House, local
from tests.support.pages import Page, get


def walk_doors(house: House, language: str) -> None:
    """Open the pages of the days before, when telephones are paired."""
    house.now = local("2030-06-08 10:00")
    olga, telephones = house.signed_in("olga"), "/staff/events/small/telephones"
    desk = "/staff/events/small"
    assert get(olga, f"{desk}?lang={language}").html.count(f"{desk}/ready") == 1
    assert get(olga, f"{desk}/ready").kind == "staff-ready"
    assert get(olga, f"{desk}/elsewhere").kind == "staff-elsewhere"
    token = get(olga, f"{telephones}?lang={language}").form().fields
    offered = Page(olga.post(telephones, data=token))
    address = next(word for word in offered.text.split() if "/staff/pair/" in word)
    page = get(olga, address[address.index("/staff/pair/") :])
    assert page.kind == "staff-pair"
    address = address[address.index("/staff/pair/") :]
    assert olga.post(address, data=page.form().fields).status_code == 303
    assert get(house.signed_in("olga"), telephones).kind == "staff-telephones"
