"""Hostile files are refused with a reason, and no other request is delayed."""

import io
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from threading import Event

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from eventreg.core.errors import ImportUnreadable
from eventreg.core.event import event_file
from eventreg.core.event.event_file import DefinitionInvalid
from eventreg.core.importing import import_file
from eventreg.i18n import LANGUAGES, sentence
from eventreg.readers import event_reader, list_reader, sandbox
from tests.proofs.conftest import WHOLE
from tests.readers.hostile_files import EVENT_FILES, SPREADSHEETS, TEXTS, xlsx
from tests.server.test_server import hidden
from tests.support.factories import PASSWORD, House, toml
from tests.support.pages import Page, get
from tests.support.servers import Server, running
from tests.web.desk.importing.test_imports import DESK, send

THREE = (
    "a dimension of 17 milliard cells",
    "a row of the number 99999999999",
    "20,000 rows with a cell in the last column",
)
SHORT = (
    *THREE,
    "a cell far beyond the last column",
    "a bomb of overlapping parts",
    "a part that asks for 4 GB",
    "a milliard of laughs",
    "a spreadsheet with a password",
    "16,384 columns",
    "a million rows",
    "a quotation mark that is never closed",
    "nothing but NUL",
)
LISTS = {**SPREADSHEETS, **TEXTS}
SHORT_EVENTS = (
    "a key of 10,000 dots",
    "20,000 lists inside each other",
    "a number of 100,000 digits",
    "100,000 items",
)
ANSWERED = sandbox.SECONDS + 2
"""Seconds: fifteen for reading, half a second for waiting, and a reserve for a busy machine."""
READ_THOUGH_DEEP = {"elements inside each other", "elements inside each other in a string"}
"""openpyxl ignores these. They are read without error."""


@pytest.mark.parametrize("name", LISTS if WHOLE else SHORT)
def test_a_hostile_list_is_refused_with_a_reason(name: str) -> None:
    content, began = LISTS[name](), time.monotonic()
    try:
        listed = list_reader.read(content)
    except ImportUnreadable as refusal:
        for language in LANGUAGES:
            assert sentence(language, refusal.reason, **refusal.values)
    else:
        assert name in READ_THOUGH_DEEP
        assert listed.count == 1
    assert time.monotonic() - began < ANSWERED


@pytest.mark.parametrize("name", EVENT_FILES if WHOLE else SHORT_EVENTS)
def test_a_hostile_event_file_is_refused_with_a_reason(name: str) -> None:
    text, began = EVENT_FILES[name](), time.monotonic()
    with pytest.raises(DefinitionInvalid) as refused:
        event_reader.parse(text, "x.toml")
    assert time.monotonic() - began < ANSWERED
    assert len(refused.value.mistakes) < 300
    for mistake in refused.value.mistakes:
        assert mistake.startswith("x.toml: ")
        assert len(mistake) < 300
        assert "recursion" not in mistake


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (THREE[0], "200 列"),
        (THREE[1], "200000 行"),
        (THREE[2], "200 列"),
        ("a spreadsheet with a password", "加了密码"),
        ("one field of 2 MiB", "第 2 行有一格太长"),
    ],
)
def test_the_page_says_what_is_too_much(desmond: FlaskClient, name: str, said: str) -> None:
    page = send(desmond, LISTS[name]())
    assert (page.status, page.kind) == (422, "staff-import")
    assert said in page.text


def test_the_confirmed_import_is_checked_like_the_first_one(desmond: FlaskClient) -> None:
    form = get(desmond, f"{DESK}/import").form()
    rows = TEXTS["16,384 columns"]().decode()
    sent = {**form.fields, "rows": rows, "confirmed": "yes"}
    page = Page(desmond.post(f"{DESK}/import", data=sent))
    assert (page.status, page.kind) == (422, "staff-import")
    assert "200 列" in page.text


def test_a_list_of_two_megabytes_is_read_and_a_larger_one_is_refused(desmond: FlaskClient) -> None:
    head = b"name,phone,address\n"
    row = "张桂芳,13800138000,".encode() + b"x" * 20_000 + b"\n"
    most = head + row * ((import_file.LARGEST - len(head)) // len(row))
    assert "文件有 104 行" in send(desmond, most).text
    assert send(desmond, most + row).status == 413


def test_a_sheet_that_only_declares_too_many_rows_is_read() -> None:
    content = xlsx(before='<dimension ref="A1:C1048576"/>')
    assert list_reader.read(content).count == 1


def test_the_sandbox_reports_all_mistakes_up_to_200() -> None:
    text = toml(capacity=-1, head='colour = "red"').replace("Asia/Shanghai", "Mars/Base")
    with pytest.raises(DefinitionInvalid) as here:
        event_file.parse(text, "x.toml")
    with pytest.raises(DefinitionInvalid) as apart:
        event_reader.parse(text, "x.toml")
    assert apart.value.mistakes == here.value.mistakes
    assert event_reader.parse(toml()) == event_file.parse(toml())
    with pytest.raises(DefinitionInvalid) as many:
        unknown = "\n".join(f"a{number} = 1" for number in range(250))
        event_reader.parse(toml(head=unknown), "x.toml")
    assert len(many.value.mistakes) == 201
    assert many.value.mistakes[-1] == "x.toml: and 50 more mistakes"


@pytest.mark.parametrize("command", ["check", "apply"])
def test_the_commands_read_event_files_in_the_sandbox(
    house: House, tmp_path: Path, command: str
) -> None:
    file, runner = tmp_path / "dots.toml", house.app.test_cli_runner()
    file.write_text(EVENT_FILES["a key of 10,000 dots"]())
    done = runner.invoke(args=["event", command, str(file)])
    assert done.exit_code == 1
    assert "takes too" in done.output
    assert len(done.output.splitlines()) == 1
    endless = runner.invoke(args=["event", command, "/dev/zero"])
    assert "must have at most" in endless.output


@pytest.mark.parametrize(
    ("text", "said"),
    [("[[bring]]\n" * 25_000, "5000 values"), ("a.b.c.d.e.f.g = 1", "at most 6 deep")],
)
def test_an_event_file_with_too_many_values_is_refused_in_one_line(text: str, said: str) -> None:
    with pytest.raises(DefinitionInvalid) as refused:
        event_file.parse(text, "x.toml")
    assert len(refused.value.mistakes) == 1
    assert said in refused.value.mistakes[0]


def test_the_sandbox_has_no_secret_and_may_not_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EVENTREG_SECRET_KEY", "secret")
    told = sandbox.run("tests.web.curious_reader", b"")
    assert told["settings"] == []
    assert told["writing"] != "done"
    assert told["memory"] == sandbox.MEMORY
    assert told["files"] == [0, 1, 2]


@dataclass
class Staff:
    """A staff member at a real server, with a browser that keeps its cookies."""

    server: Server

    def __post_init__(self) -> None:
        """Sign in."""
        self.browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        form = hidden(self.get("/staff/sign-in"))
        boundary, body = encode_multipart({**form, "username": "olga", "password": PASSWORD})
        assert self._send("/staff/sign-in", boundary, body)[0] == 200
        self.token = hidden(self.get(f"{DESK}/import"))["csrf_token"]

    def get(self, path: str) -> str:
        """The text of a page."""
        with self.browser.open(self.server.address + path, timeout=30) as answer:
            return str(answer.read().decode())

    def upload(self, path: str, content: bytes) -> tuple[int, str, float]:
        """Send a file. Returns status, page, and the seconds until the answer."""
        file = FileStorage(io.BytesIO(content), "x")
        boundary, body = encode_multipart({"csrf_token": self.token, "file": file})
        began = time.monotonic()
        status, page = self._send(path, boundary, body)
        return status, page, time.monotonic() - began

    def _send(self, path: str, boundary: str, body: bytes) -> tuple[int, str]:
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        address = self.server.address + path
        asked = urllib.request.Request(address, body, kind)  # noqa: S310 - our own
        try:
            with self.browser.open(asked, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                assert refused.code != 429 or int(refused.headers["Retry-After"]) > 0
                return refused.code, refused.read().decode()


@pytest.fixture
def server(house: House, folder: Path) -> Iterator[Server]:
    """A real server with an event."""
    house.apply(toml())
    house.hire()
    with running(folder) as begun:
        yield begun


def peak(pid: int) -> int:
    """The largest memory use of a process, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


@contextmanager
def guest(server: Server) -> Iterator[list[float]]:
    """Open the event page again and again. Yields the list of the seconds that each took."""
    ended, took, page = Event(), [0.0], f"{server.address}/zh/events/small"

    def look() -> None:
        while not ended.is_set():
            began = time.monotonic()
            with urllib.request.urlopen(page, timeout=30) as answer:  # noqa: S310 - our own
                answer.read()
            took.append(time.monotonic() - began)
            ended.wait(0.02)

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        try:
            yield took
        finally:
            ended.set()
            looking.result()


def test_the_event_page_stays_quick_while_hostile_files_are_sent(server: Server) -> None:
    olga = Staff(server)
    sent = [(f"{DESK}/import", LISTS[name]()) for name in (LISTS if WHOLE else THREE)]
    dots = ("a key of 10,000 dots",)
    toml_files = [EVENT_FILES[name]() for name in (EVENT_FILES if WHOLE else dots)]
    sent += [("/staff/events/upload", toml.encode()) for toml in toml_files]
    before = peak(server.pid)
    with guest(server) as took:
        answers = [olga.upload(path, content) for path, content in sent]
    assert {status for status, _, _ in answers} <= ({200, 422} if WHOLE else {422})
    assert max(seconds for _, _, seconds in answers) < ANSWERED
    assert max(took) < 3
    assert len(took) > 10
    grown = peak(server.pid) - before
    assert grown < 50 * 1024 * 1024


def test_two_files_are_read_at_once_and_a_third_is_asked_to_try_later(server: Server) -> None:
    olga, content = Staff(server), LISTS["two million shared strings"]()
    with guest(server) as took, ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: olga.upload(f"{DESK}/import", content), range(6)))
    assert sorted({status for status, _, _ in answers}) == [422, 429]
    assert "正在处理别的文件" in next(page for status, page, _ in answers if status == 429)
    assert max(seconds for _, _, seconds in answers) < ANSWERED
    assert max(took) < 3
    assert olga.upload(f"{DESK}/import", xlsx())[0] == 200, "afterwards files are read again"
