"""What staff and strangers do is logged, under fixed names and without a name of theirs."""

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from eventreg.core import audit
from eventreg.core.audit import Action
from tests.logs.conftest import Events
from tests.operations.traces import purge
from tests.support.factories import PASSWORD, House, local
from tests.support.houses import with_seats
from tests.support.pages import fill, get
from tests.support.servers import running

small = with_seats(3, "张桂芳", staff=True)


def names(found: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    """The events besides requests, each with its action or limit."""
    return [
        (one["event"], one.get("action") or one.get("limit"))
        for one in found
        if one["event"] != "request"
    ]


def test_signing_in_and_failing_to_is_logged_without_the_name(small: House, events: Events) -> None:
    fill(small.client(), "/staff/sign-in", username="olga", password="wrong")
    small.signed_in("olga")
    found = events()
    assert names(found) == [("sign-in-failed", None), ("signed-in", "staff:session:opened")]
    assert not re.search(f"olga|wrong|{PASSWORD}", json.dumps(found, ensure_ascii=False))


def test_a_page_that_is_not_yours_is_logged_as_denied(small: House, events: Events) -> None:
    dora = small.signed_in("dora")
    events()
    assert dora.get("/staff/accounts").status_code == 403
    denied, request = events()
    assert (denied["event"], denied["staff"], denied["role"]) == (
        *("denied", small.dora.staff_id, "door"),
    )
    assert denied["route"] == request["route"] == "accounts.listed"


def test_a_limit_that_refuses_is_named(folder: Path, events: Events) -> None:
    strict = House(folder, EVENTREG_RATE_LIMITS="on")
    with strict.app.app_context():
        client = strict.client()
        said = [client.get(f"/T/{'A' * 22}").status_code for _ in range(21)]
        assert said == [404] * 20 + [429]
        assert names(events()) == [("limit-hit", "unknown")]
    strict.close()


def test_a_purge_is_logged_with_its_count(small: House, events: Events) -> None:
    small.now = local("2030-07-30 11:00")
    events()
    purge(small)
    erased = [one for one in events() if one["event"] == "erased"]
    assert [(one["action"], one["count"]) for one in erased] == [("event:people:purged", 1)]


def test_what_is_rolled_back_is_not_logged(small: House, events: Events) -> None:
    olga = small.signed_in("olga")
    assert names(events())[-1] == ("signed-in", "staff:session:opened")
    with pytest.raises(ZeroDivisionError), small.writing() as session:
        audit.record(session, Action.SIGNED_OUT, small.olga, now=small.now)
        raise ZeroDivisionError
    get(olga, "/staff/")
    assert names(events()) == []


def test_a_server_that_is_stopped_has_logged_every_request(folder: Path) -> None:
    with running(folder) as server:
        for _ in range(40):
            urllib.request.urlopen(f"{server.address}/zh/privacy").close()  # noqa: S310
    (file,) = folder.parent.glob(f"{folder.name}-*.log")
    lines = [json.loads(one) for one in file.read_text().splitlines() if one.startswith("{")]
    assert sum(one.get("route") == "public.privacy" for one in lines) == 40
    others = [one["event"] for one in lines if one["event"] != "request"]
    assert others[-3:] == ["started", "stopping", "stopped"]
    assert lines[-1]["event"] == "stopped"
