"""Imports: a list is tried first, and then imported as a whole or not at all."""

import codecs
import csv
import io

import openpyxl
import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from eventreg.core import invariants
from eventreg.core.importing import import_file, imports
from eventreg.storage.session import reading
from tests.support.factories import House, toml
from tests.support.houses import with_seats
from tests.support.pages import Page, get

DESK = "/staff/events/small"
small = with_seats(10, staff=True)


HEAD = "姓名,电话,同行\n"
GOOD = HEAD + "张桂芳,13800138000,\n王建国,138 0013 8001,李秀英\n"


def send(client: FlaskClient, content: bytes | str, name: str = "list.csv", **more: str) -> Page:
    """Try to import a file; returns the page."""
    form = get(client, f"{DESK}/import").form()
    body = content if isinstance(content, bytes) else content.encode()
    # Encoded here: the test client would leave a temporary file open.
    boundary, sent = encode_multipart(
        {**form.fields, **more, "file": FileStorage(io.BytesIO(body), name)}
    )
    return Page(
        client.post(
            f"{DESK}/import", data=sent, content_type=f"multipart/form-data; boundary={boundary}"
        )
    )


def press(client: FlaskClient, page: Page, **more: str) -> Page:
    """Send the form with the columns as the page shows it, with these fields changed."""
    form = next(form for form in page.forms if "rows" in form.fields)
    changed = {name.replace("column_", "column-"): value for name, value in more.items()}
    boundary, sent = encode_multipart({**form.fields, **changed})
    kind = f"multipart/form-data; boundary={boundary}"
    return Page(client.post(f"{DESK}/import", data=sent, content_type=kind))


def confirm(client: FlaskClient, tried: Page, **more: str) -> Page:
    """Import what was tried."""
    return press(client, tried, confirmed="yes", **more)


def taken(page: Page) -> list[str | None]:
    """What each column is taken for; empty if that is undecided."""
    return [row["data-column"] for row in page.having("data-column")]


def as_xlsx(text: str) -> bytes:
    """The same rows as a spreadsheet."""
    book = openpyxl.Workbook()
    for row in csv.reader(io.StringIO(text)):
        book.active.append([int(cell) if cell.isdigit() else cell for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        GOOD.encode(),
        codecs.BOM_UTF8 + GOOD.encode(),
        GOOD.encode("gbk"),
        GOOD.encode("utf-16"),
        GOOD.encode("utf-16-le"),
        GOOD.encode("utf-16-be"),
        GOOD.replace(",", ";").encode(),
        GOOD.replace(",", "\t").encode(),
        as_xlsx(GOOD),
    ],
    ids=[
        "utf-8",
        "bom",
        "gbk",
        "utf-16",
        "utf-16 little",
        "utf-16 big",
        "semicolons",
        "tabs",
        "xlsx",
    ],
)
def test_a_list_is_tried_and_then_imported(small: House, content: bytes) -> None:
    desmond = small.signed_in("desmond")
    tried = send(desmond, content)
    assert (tried.status, tried.data["data-rows"], tried.data["data-faulty"]) == (200, "2", "0"), (
        tried.text
    )
    assert small.seats().taken == 0, "a trial changes nothing"
    done = confirm(desmond, tried)
    assert done.data["data-done"] == "yes"
    assert small.seats().taken == 3
    assert "李秀英" in get(desmond, f"{DESK}/attendees").text
    again = confirm(desmond, tried)
    assert small.seats().taken == 3, "the same file again takes nobody twice"
    assert again.status in {200, 422}
    assert invariants.of_event(reading(), small.event(), now=small.now).holds


def test_one_bad_row_stops_the_whole_import(house: House) -> None:
    house.apply(toml(capacity=100))
    house.hire()
    rows = [f"客人{chr(0x4E00 + n)},139{n:08}" for n in range(60)]
    rows[55] = "客人坏,12345"
    desmond = house.signed_in("desmond")
    page = send(desmond, "name,phone\n" + "\n".join(rows))
    assert (page.status, page.data["data-faulty"]) == (422, "1")
    assert [attrs["data-row"] for attrs in page.having("data-row")] == ["57"]
    assert "这个号码好像不对" in page.text
    assert house.seats().taken == 0


def test_an_import_respects_the_cap_unless_the_rest_may_wait(small: House) -> None:
    desmond = small.signed_in("desmond")
    rows = "name,phone\n" + "\n".join(f"客人{chr(0x4E00 + n)},139{n:08}" for n in range(12))
    refused = send(desmond, rows)
    assert refused.status == 422
    assert "文件有 12 行，只放得下 10 行" in refused.text
    tried = send(desmond, rows, waitlist="yes")
    assert "有座位 10 人，候补 2 人。" in tried.text
    confirm(desmond, tried)
    assert (small.seats().taken, small.seats().waiting) == (10, 2)


def test_faults_are_listed_by_row(small: House) -> None:
    small.register("张桂芳", phone="13800138000")
    desmond = small.signed_in("desmond")
    page = send(desmond, HEAD + "张桂芳,13800138000\n,13800138001\n123,13800138002\n王建国,\n")
    assert [attrs["data-row"] for attrs in page.having("data-row")] == ["3", "4"]
    page = send(desmond, HEAD + "张桂芳,13800138000\n王建国,\n")
    assert "已经报过名" in page.text
    assert small.seats().taken == 1


def test_too_many_people_are_not_reported_as_faulty_rows(small: House) -> None:
    people = "".join(f"张{'甲乙丙丁戊己庚辛壬癸'[n // 10]}{n},138001380{n:02}\n" for n in range(60))
    page = send(small.signed_in("desmond"), HEAD + people)
    assert (page.status, page.data["data-faulty"]) == (422, "60")
    assert "文件有 60 行，只放得下" in page.text
    assert "行里有" not in page.text, "no row is wrong"
    assert not page.having("data-row")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"a,b\n1,2\n",
        b"\xff\xfe\x00",
        b"\x00\x01\x02\xff" * 50,
        b"PK\x03\x04 no zip at all",
        b"%PDF-1.7",
        "姓名,姓名\n张,李\n".encode(),
        b'name,phone\n"' + b"a" * 200_000,
    ],
    ids=[
        "empty",
        "blank",
        "no head",
        "half utf-16",
        "binary",
        "no zip",
        "pdf",
        "head twice",
        "endless cell",
    ],
)
def test_a_file_that_is_no_list_is_refused(small: House, content: bytes) -> None:
    page = send(small.signed_in("desmond"), content)
    assert (page.status, page.kind) == (422, "staff-import")
    assert small.seats().taken == 0


def test_a_hundred_thousand_rows_are_refused_with_their_number(small: House) -> None:
    content = b"name,phone\n" + b"".join(b"\xe5\xbc\xa0%d,1\n" % n for n in range(100_000))
    assert len(content) < 2 * 1024 * 1024
    page = send(small.signed_in("desmond"), content)
    assert (page.data["data-rows"], page.data["data-faulty"]) == (
        "100000",
        str(import_file.MOST_ROWS + 1),
    )
    assert "文件有 100000 行，只放得下 5000 行" in page.text
    assert len(page.having("data-row")) == imports.MOST_TOLD - 1, (
        "the first is about the whole file"
    )
    assert small.seats().taken == 0


def test_a_too_large_file_is_refused(small: House) -> None:
    page = send(small.signed_in("desmond"), b"name\n" + b"x" * (5 * 1024 * 1024))
    assert page.status == 413
