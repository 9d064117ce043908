"""Who is told how the server is. Everybody else is told nothing."""

from pathlib import Path

import pytest

from tests.operations.monitors import BALANCER, TOKEN, ask, with_monitor
from tests.support.factories import House

STRANGER, GUEST = "203.0.113.7", "198.51.100.4"
ALL = ("/livez", "/readyz", "/metrics")
watched = with_monitor()


@pytest.mark.parametrize(
    ("peer", "headers", "statuses"),
    [
        ("127.0.0.1", {}, [200, 200, 200]),
        ("::1", {"Host": "[::1]:8000"}, [200, 200, 200]),
        ("127.0.0.1", {"Host": "localhost:8000"}, [200, 200, 200]),
        ("127.0.0.1", {"X_Forwarded_For": GUEST}, [404, 404, 404]),
        ("127.0.0.1", {"X_Forwarded_Proto": "https"}, [404, 404, 404]),
        ("127.0.0.1", {"X_Forwarded_Anything": ""}, [404, 404, 404]),
        ("127.0.0.1", {"Forwarded": "for=198.51.100.4"}, [404, 404, 404]),
        ("127.0.0.1", {"X_Real_IP": GUEST}, [404, 404, 404]),
        ("127.0.0.1", {"Via": "1.1 cache"}, [404, 404, 404]),
        ("127.0.0.1", {"Host": "register.example.org"}, [404, 404, 404]),
        ("127.0.0.1", {"Host": "evil.example"}, [400, 400, 400]),
        (BALANCER, {"Host": "register.example.org"}, [200, 200, 404]),
        (BALANCER, {"X_Forwarded_For": GUEST}, [404, 404, 404]),
        (STRANGER, {}, [404, 404, 404]),
        (STRANGER, {"X_Forwarded_For": "127.0.0.1"}, [404, 404, 404]),
        (STRANGER, {"Authorization": f"Bearer {TOKEN}"}, [200, 200, 200]),
        ("127.0.0.1", {"Authorization": f"Bearer {TOKEN}", "Via": "1.1 x"}, [200, 200, 200]),
        (STRANGER, {"Authorization": f"Bearer {TOKEN[:-1]}"}, [404, 404, 404]),
        (STRANGER, {"Authorization": "Bearer "}, [404, 404, 404]),
        (STRANGER, {"Authorization": "Bearer ümläut"}, [404, 404, 404]),
        ("", {}, [404, 404, 404]),
    ],
)
def test_only_this_machine_the_balancer_and_the_token_get_an_answer(
    watched: House, peer: str, headers: dict[str, str], statuses: list[int]
) -> None:
    answers = [ask(watched, address, peer, **headers) for address in ALL]
    assert [answer.status_code for answer in answers] == statuses
    assert [bool(answer.data) for answer in answers] == [status == 200 for status in statuses]


def test_without_a_token_no_token_is_right(small: House) -> None:
    for given in ("Bearer ", "Bearer", "Bearer None", ""):
        assert ask(small, "/metrics", STRANGER, Authorization=given).status_code == 404


def test_a_server_on_an_address_of_its_own_is_asked_there(folder: Path) -> None:
    house = House(folder, HOST="192.0.2.77")
    assert ask(house, "/livez", "192.0.2.77", Host="192.0.2.77:8000").status_code == 200
    assert ask(house, "/livez", "192.0.2.78", Host="192.0.2.77:8000").status_code == 404
    house.close()


def test_answers_to_monitors_are_neither_stored_nor_logged(
    watched: House, capfd: pytest.CaptureFixture[str]
) -> None:
    for address in ALL:
        answer = ask(watched, address)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers
        head = watched.client().head(address, headers={"Host": "127.0.0.1"})
        assert (head.status_code, head.data) == (200, b"")
        assert watched.client().post(address, headers={"Host": "127.0.0.1"}).status_code == 405
    assert capfd.readouterr() == ("", "")
    watched.client().get("/zh/", headers={"Host": "127.0.0.1"})
    assert "public.start" in capfd.readouterr().err, "the others are logged"
