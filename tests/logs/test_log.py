"""The log: one line for each event, under a known name, and without anybody in it."""

import ast
import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from eventreg import log
from eventreg.core.audit import Action
from eventreg.web.access import anyone
from tests.logs.conftest import Events
from tests.sources import name_of, trees
from tests.support.factories import ROOT, House
from tests.support.houses import with_seats
from tests.support.pages import get

small = with_seats(3, "张桂芳", staff=True)


def calls() -> Iterator[tuple[Path, ast.Call]]:
    """Every call of ``log.event`` and ``log.request`` in the program."""
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and (node.func.value.id, node.func.attr) in {("log", "event"), ("log", "request")}
            ):
                yield path, node


def strange(node: ast.Call) -> list[str]:
    """The names in a call that are on no list."""
    names = [one.value for one in node.args[:1] if isinstance(one, ast.Constant)]
    fields = [one.arg for one in node.keywords if one.arg and one.arg != "error"]
    return [
        *(str(one) for one in names if one not in log.EVENTS),
        *(one for one in fields if one not in log.FIELDS),
    ]


def test_every_event_and_field_that_is_logged_is_on_the_list() -> None:
    found = list(calls())
    assert len(found) >= 30
    for path, node in found:
        assert not strange(node), f"{name_of(path)}: add it to eventreg/log.py and docs/logs.md"
    other = ast.parse("log.event('guest-called', guest='somebody')").body[0]
    assert isinstance(other, ast.Expr) and isinstance(other.value, ast.Call)
    assert strange(other.value) == ["guest-called", "guest"]
    with pytest.raises(KeyError):
        log.event("guest-called")


def test_every_event_on_the_list_is_logged_somewhere() -> None:
    text = "".join(path.read_text() for path in trees() if path.name != "log.py")
    for name in log.EVENTS.keys() - {"request", "library"}:
        assert f'"{name}"' in text, name


def test_only_one_module_logs() -> None:
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and path.name != "log.py":
                assert node.attr != "logger", f"{name_of(path)}: see eventreg/log.py"
                to_error = node.attr == "stderr" and ast.unparse(node.value) == "sys"
                assert not to_error or path.name == "processes.py", name_of(path)


def test_the_document_lists_every_event_with_its_level_and_every_field() -> None:
    document = (ROOT / "docs" / "logs.md").read_text()
    events = re.findall(r"^\| `([a-z-]+)` \| (info|warning|error) \| .+ \|$", document, re.M)
    levels = {20: "info", 30: "warning", 40: "error"}
    assert events == [(name, levels[level]) for name, level in log.EVENTS.items()]
    fields = re.findall(r"^\| `([a-z-]+)` \| (?!info|warning|error).+ \|$", document, re.M)
    assert sorted(fields) == sorted(["time", "level", "event", "message", *log.FIELDS])


def test_a_line_has_the_time_in_utc_with_its_offset(small: House, events: Events) -> None:
    get(small.client(), "/zh/")
    (line,) = events()
    assert datetime.fromisoformat(line["time"]).utcoffset() == timedelta(0)
    assert (line["level"], line["event"]) == ("info", "request")


def test_a_request_is_told_by_its_route_and_never_by_its_address(
    small: House, events: Events
) -> None:
    made = small.register("王建国", phone="13800138000")
    olga = small.signed_in("olga")
    events()
    answer = olga.get(f"/staff/events/small/registrations/{made.id}?q=王建国&note=13800138000")
    seen, request = events()
    assert request == {
        **{name: request[name] for name in ("time", "request", "ms")},
        "level": "info",
        "event": "request",
        "method": "GET",
        "route": "desk.registration",
        "staff": small.olga.staff_id,
        "role": "organiser",
        "registration": made.id,
        "status": 200,
    }
    assert (seen["event"], seen["action"]) == ("data-seen", Action.NUMBER_SEEN)
    assert {one["request"] for one in (seen, request)} == {answer.headers["X-Request-Id"]}


def test_files_and_probes_are_logged_only_if_they_fail(small: House, events: Events) -> None:
    client = small.client()
    client.get("/static/staff/staff.css").close()
    client.get("/static/nothing.css")
    assert [(one["route"], one["status"]) for one in events()] == [("static", 404)]


def test_an_id_of_a_stranger_is_not_taken_over(small: House) -> None:
    given = {"X-Request-Id": "0123456789abcdef0123"}
    answer = small.client().get("/zh/", headers=given)
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["X-Request-Id"])


def test_an_id_of_our_proxy_is_taken_over(folder: Path, events: Events) -> None:
    behind = House(folder, EVENTREG_TRUSTED_PROXIES="1")
    with behind.app.app_context():
        given = {"X-Request-Id": "0123456789abcdef0123"}
        answer = behind.client().get("/zh/privacy", headers=given)
        assert answer.headers["X-Request-Id"] == given["X-Request-Id"]
        assert events()[-1]["request"] == given["X-Request-Id"]
        forged = {"X-Request-Id": 'abc"}\u2028{"event"'.encode().decode("latin-1")}
        answer = behind.client().get("/zh/privacy", headers=forged)
        assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["X-Request-Id"])
    behind.close()


def number_on(answer: TestResponse) -> str:
    """The number on an error page, as a guest reads it out."""
    found = re.search(r"编号：(\d{4}) (\d{4})", answer.text)
    assert found, answer.text
    return found[1] + found[2]


def broken(secret: str) -> str:
    """A view that fails while it holds something that a guest typed."""
    raise ValueError(f"cannot read {secret}")


def breaking(app: Flask) -> FlaskClient:
    """A guest of a program with a page that breaks."""
    app.testing = False
    app.add_url_rule("/zh/broken/<secret>", "broken", anyone(broken))
    return app.test_client()


def test_the_number_on_an_error_page_leads_to_the_line(small: House, events: Events) -> None:
    guest = breaking(small.app)
    missing = guest.get("/zh/nothing")
    (line,) = events()
    assert (line["number"], line["status"]) == (number_on(missing), 404)
    failed = guest.get("/zh/broken/13800138000")
    unhandled, line = events()
    assert (line["number"], line["status"]) == (number_on(failed), 500)
    assert unhandled["request"] == line["request"] == failed.headers["X-Request-Id"]


def test_an_error_is_logged_with_its_place_and_without_its_text(
    small: House, events: Events
) -> None:
    answer = breaking(small.app).get("/zh/broken/13800138000")
    unhandled, line = events()
    assert (unhandled["event"], unhandled["level"]) == ("unhandled", "error")
    assert unhandled["error"] == "ValueError"
    assert unhandled["message"] == "ValueError in broken"
    assert re.fullmatch(r"tests/logs/test_log\.py:\d+ broken", unhandled["stack"][-1])
    assert "13800138000" not in json.dumps([unhandled, line])
    assert "ValueError" not in answer.text and "test_log" not in answer.text


def test_the_cause_of_an_error_is_logged_too(events: Events) -> None:
    try:
        try:
            raise LookupError("张桂芳")
        except LookupError as cause:
            raise RuntimeError("13800138000") from cause
    except RuntimeError as error:
        log.event("job-failed", "purge failed", error=error, job="purge")
    (line,) = events()
    kinds = [one for one in line["stack"] if ":" not in one]
    assert kinds == ["RuntimeError", "LookupError"]
    assert "13800138000" not in str(line) and "张桂芳" not in str(line)


FORGED = 'x\n{"event": "signed-in"}\r\x1b[2J\u202e\u2028\u2066\x85'


@pytest.mark.parametrize("format_", log.FORMATS)
@pytest.mark.usefixtures("on_purpose")
def test_no_text_can_forge_a_line_or_turn_it_around(
    format_: str, capfd: pytest.CaptureFixture[str]
) -> None:
    log.begin(format_)
    log.event("mail-failed", FORGED, kind=FORGED)
    (line,) = capfd.readouterr().err.split("\n")[:-1]
    assert line.isprintable()


@pytest.mark.usefixtures("on_purpose")
def test_a_field_never_holds_what_somebody_typed(events: Events) -> None:
    typed = ("张桂芳", "13800138000", "anna@example.org", "a?q=b", "x" * 200, "\n")
    for text in typed:
        log.event("mail-failed", f"mail to {text}" if text[0] in "1a" else "", kind=text)
    assert [one["kind"] for one in events()] == ["…"] * len(typed)


@pytest.mark.usefixtures("on_purpose")
def test_a_number_or_a_mail_address_in_a_sentence_is_left_out(events: Events) -> None:
    log.event("mail-failed", "550 no such user anna@example.org, call 13800138000")
    assert events()[0]["message"] == "550 no such user … call …"


def test_of_a_library_only_its_own_words_are_logged(events: Events) -> None:
    told = logging.getLogger("waitress")
    told.warning("Exception while serving %s", "/T/abc")
    told.warning("Exception while serving " + "/T/abc")
    filled, joined = events()
    assert (filled["event"], filled["logger"]) == ("library", "waitress")
    assert filled["message"] == "Exception while serving %s"
    assert "message" not in joined and "/T/abc" not in str(joined)


def test_a_connection_that_breaks_with_the_database_has_no_stack(events: Events) -> None:
    for name in ("sqlalchemy.pool.impl.QueuePool", "waitress"):
        try:
            raise ConnectionError
        except ConnectionError:
            logging.getLogger(name).exception("Exception during reset or similar")
    pool, other = events()
    assert (pool["error"], "stack" in pool) == ("ConnectionError", False)
    assert other["stack"]


def test_text_is_for_people(capfd: pytest.CaptureFixture[str]) -> None:
    log.begin("text")
    log.event("mail-failed", "mail 7 (promoted) not sent: refused, 550", mail=7, kind="promoted")
    words = capfd.readouterr().err.split(" ", 1)[1]
    said = "WARNING mail-failed mail 7 (promoted) not sent: refused, 550 mail=7 kind=promoted\n"
    assert words == said


def test_an_error_that_ends_the_server_is_one_line_without_its_text() -> None:
    program = "from eventreg import log; log.begin(); log.catch_all(); raise ValueError('secret')"
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    (line,) = ended.stderr.splitlines()
    assert (json.loads(line)["error"], "secret" in line) == ("ValueError", False)
