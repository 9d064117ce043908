"""A machine with 256 MB: list, CSV, XLSX, PDF and import, all at once. Each answers or is refused,
and the server lives on."""

import io
import os
import re
import subprocess
import sys
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPMessage
from pathlib import Path
from threading import Event

import openpyxl
import pytest

from eventreg.core import invariants
from eventreg.storage.session import reading
from tests.proofs.conftest import WHOLE
from tests.server.test_server import hidden
from tests.support.factories import PASSWORD, ROOT, SECRET, House, bare_environment, toml
from tests.support.servers import answers, free_port

LIMIT = 256 * 2**20
EVENT = "/staff/events/small"
GROUPS = Path("/sys/fs/cgroup")
ALLOWED = {200, 409, 422, 429, 503}


@contextmanager
def little_memory() -> Iterator[Path]:
    """A group of processes that have so much memory together, of either kind of cgroup."""
    is_old = (GROUPS / "memory").is_dir()
    group = (GROUPS / "memory" if is_old else GROUPS) / f"eventreg-{os.getpid()}"
    try:
        if not is_old:
            (GROUPS / "cgroup.subtree_control").write_text("+memory")
        group.mkdir()
        (group / ("memory.limit_in_bytes" if is_old else "memory.max")).write_text(str(LIMIT))
    except OSError as error:
        pytest.skip(f"this machine lets no test limit memory: {error}")
    try:
        yield group
    finally:
        while (group / "cgroup.procs").read_text():
            Event().wait(0.05)
        group.rmdir()


@dataclass
class Browser:
    """Olga's browser."""

    port: int
    cookie: str = ""

    def ask(
        self, method: str, path: str, body: bytes = b"", kind: str = ""
    ) -> tuple[int, HTTPMessage | None, bytes]:
        """Send one request. Status 0 if the answer was cut."""
        head = {"Content-Type": kind or "application/x-www-form-urlencoded", "Cookie": self.cookie}
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=180)) as connection:
            try:
                connection.request(method, path, body or None, head)
                answer = connection.getresponse()
                return answer.status, answer.headers, answer.read()
            except (OSError, HTTPException):
                return 0, None, b""

    def keep_cookie(self, headers: HTTPMessage | None) -> None:
        """Keep the session's cookie, if one was set."""
        for one in (headers.get_all("Set-Cookie") if headers else None) or []:
            if one.startswith("s="):
                self.cookie = one.split(";")[0]

    def open(self, path: str) -> dict[str, str]:
        """Open a page with a form. Returns its hidden fields."""
        _, headers, text = self.ask("GET", path)
        self.keep_cookie(headers)
        return hidden(text.decode())

    def sign_in(self) -> None:
        """Sign in as the organiser."""
        fields = self.open("/staff/sign-in") | {"username": "olga", "password": PASSWORD}
        status, headers, _ = self.ask(
            "POST", "/staff/sign-in", urllib.parse.urlencode(fields).encode()
        )
        self.keep_cookie(headers)
        assert status == 303


def upload(fields: dict[str, str], file: bytes) -> tuple[bytes, str]:
    """The body of a form with a file, and its type."""
    parts = [
        f'--limit\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = b'--limit\r\nContent-Disposition: form-data; name="file"; filename="list.xlsx"\r\n\r\n'
    return b"".join([*parts, head, file, b"\r\n--limit--\r\n"]), (
        "multipart/form-data; boundary=limit"
    )


def long_list() -> bytes:
    """A spreadsheet of 5,000 people."""
    book, file = openpyxl.Workbook(write_only=True), io.BytesIO()
    sheet = book.create_sheet()
    sheet.append(["姓名", "电话"])
    for number in range(5000):
        sheet.append([f"赵{number}", f"139{number:08d}"])
    book.save(file)
    return file.getvalue()


@contextmanager
def serving(folder: Path, group: Path) -> Iterator[tuple[int, int]]:
    """A server in that group. Yields its port and its process id."""
    port = free_port()
    given = bare_environment(
        EVENTREG_INSTANCE=str(folder),
        PORT=str(port),
        EVENTREG_RATE_LIMITS="off",
        EVENTREG_SECRET_KEY=SECRET,
    )
    start = f"echo $$ > {group}/cgroup.procs; exec {sys.executable} -m eventreg.serve"
    log = folder.parent / "server.log"
    with log.open("w") as out:
        process = subprocess.Popen(["sh", "-c", start], cwd=ROOT, env=given, stdout=out, stderr=out)
    try:
        while not answers(f"http://127.0.0.1:{port}"):
            assert process.poll() is None, log.read_text()
            Event().wait(0.05)
        yield port, process.pid
    finally:
        process.terminate()
        assert process.wait(60) == 0, log.read_text()
    assert not re.search(r"Traceback|is started again", log.read_text()), log.read_text()


@pytest.mark.skipif(not WHOLE, reason="in `make proofs`")
@pytest.mark.parametrize("parties", [20, 300])
def test_with_256_mb_each_act_answers_and_the_server_lives_on(
    parties: int, folder: Path, tmp_path: Path
) -> None:
    """The PDF of forty people just fits, or not; that of 600 does not, and the page says so."""
    instance = tmp_path / "instance"
    instance.mkdir()
    (folder / "eventreg.sqlite3").rename(instance / "eventreg.sqlite3")
    house = House(instance)
    with house.app.app_context():
        house.apply(toml(capacity=6000))
        house.hire()
        for number in range(parties):
            house.register(f"王{number}号", f"李{number}号", phone=f"138{number:08d}")
    house.close()
    with little_memory() as group, serving(instance, group) as (port, _):
        olga = Browser(port)
        olga.sign_in()
        body = upload(olga.open(f"{EVENT}/import"), long_list())
        acts = {
            "list": ("GET", f"{EVENT}/attendees"),
            "csv": ("GET", f"{EVENT}/attendees.csv"),
            "xlsx": ("GET", f"{EVENT}/attendees.xlsx"),
            "pdf": ("GET", f"{EVENT}/check-in-list.pdf"),
            "import": ("POST", f"{EVENT}/import", *body),
            "guest": ("GET", "/zh/events/small"),
        }
        alone = {name: olga.ask(*act)[0] for name, act in acts.items()}  # type: ignore[arg-type]
        assert alone.pop("pdf") in ({200, 409} if parties == 20 else {409})
        assert set(alone.values()) == {200}, alone
        with ThreadPoolExecutor(6) as crowd:
            asked = [(name, crowd.submit(olga.ask, *act)) for name, act in [*acts.items()] * 4]  # type: ignore[arg-type]
            said = Counter((name, one.result()[0]) for name, one in asked)
        print(said)  # noqa: T201
        assert {status for _, status in said} <= ALLOWED, said
        assert {status for name, status in said if name in {"guest", "list"}} == {200}
    house = House(instance)
    with house.app.app_context():
        found = invariants.of_event(reading(), house.event(), now=house.now)
        assert (found.confirmed, found.holds) == (2 * parties, True)
    house.close()
