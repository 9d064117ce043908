"""Exports: cells have types, nothing is a formula, and numbers are masked for the desk."""

import codecs
import csv
import gzip
import io
import sys
import tempfile
import unicodedata
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from eventreg.core import audit
from eventreg.core.audit import Action
from eventreg.core.errors import Busy
from eventreg.core.importing import import_file, imports, list_columns
from eventreg.core.importing.list_columns import Listed
from eventreg.core.values import cells
from eventreg.storage.session import reading
from eventreg.web.limits import limits
from tests.support.factories import House, local, toml
from tests.support.houses import with_seats
from tests.support.pages import Page, get
from tests.web.test_bad_input import INERT

DESK = "/staff/events/small"
small = with_seats(10, staff=True)


def exported(client: FlaskClient, address: str = "attendees.csv") -> list[dict[str, str]]:
    """The rows of the CSV."""
    answer = client.get(f"{DESK}/{address}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    text = answer.get_data()
    assert text.startswith(codecs.BOM_UTF8)
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"), newline="")))


def listed(content: bytes) -> Listed:
    """A file, with the columns as they are taken without a clerk."""
    table = import_file.read(content)
    return Listed(table, list_columns.guess(table))


def sheet(
    client: FlaskClient, address: str = "attendees.xlsx"
) -> openpyxl.worksheet.worksheet.Worksheet:
    """The worksheet of the XLSX file."""
    return openpyxl.load_workbook(
        io.BytesIO(client.get(f"{DESK}/{address}").get_data())
    ).worksheets[0]


@pytest.mark.parametrize("name", INERT)
def test_no_name_becomes_a_formula_and_none_is_changed(small: House, name: str) -> None:
    small.register(name, phone="13800138000", contact="=HYPERLINK(1)")
    olga = small.signed_in("olga")
    row = exported(olga)[0]
    assert not row["姓名"].startswith(cells.FORMULA[:-1])
    assert row["姓名"].removeprefix("'" if name.startswith(cells.FORMULA) else "") == name
    assert row["联系人"] == "'=HYPERLINK(1)"
    cell = sheet(olga)["A2"]
    assert (cell.value, cell.data_type) == (name, "s")


def test_cells_are_typed_and_numbers_are_text(small: House) -> None:
    small.register("张桂芳", "王建国", phone="13800138000", wishes="wheelchair,front")
    olga = small.signed_in("olga")
    row = exported(olga)[0]
    assert row["电话"] == "138 0013 8000", "with gaps, no spreadsheet counts with it"
    assert row["报名时间"] == "2030-06-03 10:00"
    page = sheet(olga)
    head = [cell.value for cell in page[1]]
    cells = dict(zip(head, page[2], strict=True))
    assert cells["电话"].data_type == "s"
    assert cells["签到码"].data_type == "s"
    assert cells["同组编号"].value == 1
    assert cells["报名时间"].value == local("2030-06-03 10:00").replace(tzinfo=None)
    assert cells["需要"].value == "要轮椅位、要坐前排"
    assert page.max_row == 3


def test_an_export_has_the_rows_of_the_list_and_is_audited(small: House) -> None:
    small.register("张桂芳")
    small.register("王建国")
    small.cancel(2)
    olga = small.signed_in("olga")
    assert [row["姓名"] for row in exported(olga, "attendees.csv?state=cancelled")] == ["王建国"]
    assert [row["姓名"] for row in exported(olga, "attendees.csv?q=zgf")] == ["张桂芳"]
    assert sheet(olga, "attendees.xlsx?q=zgf").max_row == 2
    trail = get(olga, f"{DESK}/audit")
    assert trail.html.count("list:attendees:exported") == 3
    assert "olga 导出名单 1 人" in trail.text


def test_the_desk_exports_masked_numbers(small: House) -> None:
    small.register("张桂芳", phone="13800138000")
    desmond = small.signed_in("desmond")
    assert exported(desmond)[0]["电话"] == "138****8000"
    assert sheet(desmond)["C2"].value == "138****8000"


def test_an_export_asks_for_the_password_after_ten_minutes(small: House) -> None:
    olga = small.signed_in("olga")
    small.now += timedelta(minutes=11)
    asked = olga.get(f"{DESK}/attendees.csv")
    assert asked.status_code == 303
    form = get(olga, asked.headers["Location"]).form("/password")
    wrong = Page(olga.post(form.action, data={**form.fields, "password": "not it, not it at all"}))
    assert wrong.status == 422
    right = olga.post(form.action, data={**form.fields, "password": "宁波的夏天不冷"})
    assert right.headers["Location"] == f"{DESK}/attendees.csv"
    assert olga.get(f"{DESK}/attendees.csv").status_code == 200


ODD = [
    "=A1+1",
    "＝甲",
    "＋甲",
    "－甲",
    "＠甲",
    "﹢甲",
    "−甲",
    "'甲",
    "_x0041_",
    "张_x0041_x0042_三",
    "__x000D_",
    "_x0041",
]


def test_odd_names_survive_export_and_import(small: House) -> None:
    small.apply(toml(capacity=len(ODD)))
    for number, name in enumerate(ODD):
        small.register(name, phone=f"138{number:08d}")
    olga = small.signed_in("olga")
    for row in exported(olga):
        assert unicodedata.normalize("NFKC", row["姓名"])[0] not in "=+-@−", (
            "nothing that looks like a formula"
        )
    assert sorted(cell.value for cell in sheet(olga)["A"][1:]) == sorted(ODD), (
        "as any program reads the spreadsheet"
    )
    for address in ("attendees.csv", "attendees.xlsx"):
        tried = listed(olga.get(f"{DESK}/{address}").get_data())
        confirmed = listed(imports.as_text(tried.table).encode())
        for read in (tried, confirmed):
            _, good = imports.judge(small.event(), read, waitlist=False)
            assert sorted(entry.names[0].typed for _, entry in good) == sorted(ODD), address


@given(st.text(alphabet=st.sampled_from("=＝+＋-－−@＠﹢'＇ \u3000\u200b\t\r\nA甲1")))
def test_inert_cells_are_no_formulas_and_can_be_restored(text: str) -> None:
    cell = cells.inert(text)
    assert cell == text or cell[1:] == text
    seen = unicodedata.normalize("NFKC", cell.lstrip(" \u3000\u200b"))
    assert not seen.startswith(("=", "+", "-", "−", "@", "\t", "\r", "\n"))
    assert import_file._plain(cell) == text


def test_no_letter_or_digit_is_read_as_the_beginning_of_a_formula() -> None:
    for c in filter(str.isalnum, map(chr, range(sys.maxunicode + 1))):
        assert not unicodedata.normalize("NFKC", c).startswith(cells.FORMULA), c


def test_an_escape_written_by_excel_is_decoded(small: House) -> None:
    book, file = openpyxl.Workbook(), io.BytesIO()
    book.worksheets[0].append(["name"])
    book.worksheets[0].append(["_x005F_x0041_"])
    book.save(file)
    _, good = imports.judge(small.event(), listed(file.getvalue()), waitlist=False)
    assert [entry.names[0].typed for _, entry in good] == ["_x0041_"]


def test_a_spreadsheet_export_leaves_no_file(
    olga: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "files"))
    (tmp_path / "files").mkdir()
    for ask in (olga.head, olga.get):
        with ask(f"{DESK}/attendees.xlsx") as answer:
            assert answer.status_code == 200
        assert list((tmp_path / "files").iterdir()) == []


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("address", ["attendees.csv", "attendees.xlsx"])
def test_our_own_export_comes_back_as_it_was(small: House, language: str, address: str) -> None:
    small.register("=A1+1", phone="13800138000")
    couple = {"wishes": "front,together", "contact": "女儿"}
    small.register("曾桂芳", "安小明", phone="13800138001", **couple)
    small.register("仇英", phone="0574 8765 4321", waitlist=True)
    gone = small.register("走了", phone="13800138002")
    small.cancel(gone)
    olga = small.signed_in("olga")
    get(olga, f"{DESK}?lang={language}")
    sent = listed(olga.get(f"{DESK}/{address}").get_data())
    assert (
        sent.table.heads[:3]
        == {
            "zh": ["姓名", "拼音", "电话"],
            "en": ["Name", "Pinyin", "Phone"],
        }[language]
    )
    assert not list_columns.problems(sent.columns), "the clerk is asked nothing"
    report, good = imports.judge(small.event(), sent, waitlist=False)
    assert (report.is_good, report.rows, report.cancelled) == (True, 4, 1), report.faults
    back = {
        tuple(name.typed for name in entry.names): (entry.phone.number, entry.wishes, entry.contact)
        for _, entry in good
    }
    assert back == {
        ("=A1+1",): ("+8613800138000", "", None),
        ("曾桂芳", "安小明"): ("+8613800138001", "front,together", "女儿"),
        ("仇英",): ("+8657487654321", "", None),
    }
    assert {entry.names[0].sort_key for _, entry in good} >= {
        "qiu ying 仇英",
        "zeng gui fang 曾桂芳",
    }


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_export_speaks_the_language_of_the_page(small: House, language: str) -> None:
    small.register("张桂芳", phone="13800138000", wishes="wheelchair,front", source="walk-in")
    olga = small.signed_in("olga")
    row = exported(olga, f"attendees.csv?lang={language}")[0]
    said = {
        "zh": ("现场", "已报名", "要轮椅位、要坐前排"),
        "en": ("Walk-in", "Confirmed", "Wheelchair place, Front row"),
    }
    assert tuple(row.values())[7:10] == said[language]


@pytest.mark.parametrize(
    "name", ["字" * 40, "W" * 24, "𠮷𡈽𪚥", "مريم عبد الله", "阿卜杜热依木·买买提吐尔逊"]
)
def test_names_of_every_kind_come_through_list_sheet_and_export(small: House, name: str) -> None:
    small.register(name, phone="13800138000")
    olga = small.signed_in("olga")
    assert exported(olga)[0]["姓名"] == name
    assert sheet(olga)["A2"].value == name
    assert name in get(olga, f"{DESK}/attendees").text
    assert name in get(olga, f"{DESK}/check-in-list").text


def exports_in_the_trail(house: House) -> list[audit.Entry]:
    """The entries of the audit trail about exports."""
    trail = audit.of_event(reading(), house.event().id, most=500)
    return [entry for entry in trail if entry.action == Action.EXPORTED]


def test_an_export_that_is_refused_lets_the_next_one_begin(
    small: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> None:
        raise Busy

    olga = small.signed_in("olga")
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(limits.Limits, "hit", busy)
        for ending in ("csv", "xlsx", "csv"):
            assert olga.get(f"{DESK}/attendees.{ending}").status_code == 503
    assert olga.get(f"{DESK}/attendees.csv").status_code == 200


def test_a_packed_export_is_sent_while_it_is_read(small: House) -> None:
    small.apply(toml(capacity=500))
    for number in range(250):
        small.register(f"客人{chr(0x4E00 + number)}")
    olga = small.signed_in("olga")
    plain = olga.get(f"{DESK}/attendees.csv").get_data()
    packed = olga.get(f"{DESK}/attendees.csv", headers={"Accept-Encoding": "gzip"}, buffered=False)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Length" not in packed.headers, "nobody knows it yet"
    assert gzip.decompress(packed.get_data()) == plain
    packed.close()


def test_a_third_simultaneous_export_is_refused(small: House) -> None:
    small.apply(toml(capacity=500))
    for number in range(250):  # more than one piece, so that the first two are still running
        small.register(f"客人{chr(0x4E00 + number)}")
    olga = small.signed_in("olga")
    running = [olga.get(f"{DESK}/attendees.csv", buffered=False) for _ in range(2)]
    for answer in running:
        next(answer.iter_encoded())
    assert olga.get(f"{DESK}/attendees.xlsx").status_code == 429
    assert olga.get(f"{DESK}/attendees.csv").status_code == 429
    assert len(exports_in_the_trail(small)) == 2, "what nobody got was not exported"
    running[0].close()
    assert olga.get(f"{DESK}/attendees.xlsx").status_code == 200
    running[1].close()
