"""The rows of a list: what is refused, told, left out and registered together."""

import io

import openpyxl
import pytest
from flask.testing import FlaskClient

from eventreg.core.importing import import_file, imports, list_columns
from eventreg.core.importing.list_columns import Listed
from eventreg.core.models.registration import Registration, Source
from eventreg.storage.session import reading
from tests.support.factories import House
from tests.support.pages import get
from tests.web.desk.importing.test_imports import DESK, confirm, press, send, taken


def numbers_of(house: House) -> dict[str, str]:
    """The telephone number of each person on the list."""
    page = get(house.signed_in("olga"), f"{DESK}/attendees.csv").html
    lines = [line.split(",") for line in page.strip().splitlines()[1:]]
    return {line[0]: line[2] for line in lines}


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("123", "这个号码好像不对"),
        ("1380013800", "手机号要有 11 位数字，现在是 10 位"),
        ("138****8000", "号码有几位遮住了"),
        ("1.38E+10", "号码被 Excel 改成小数了"),
        ("问女儿", "这个号码好像不对"),
    ],
)
def test_a_bad_number_is_told_with_what_the_file_has(
    roomy: House, clerk: FlaskClient, cell: str, said: str
) -> None:
    page = send(clerk, f"姓名,Telephone\n张三,13800138000\n李四,{cell}\n")
    assert (page.status, page.data["data-faulty"]) == (422, "1")
    assert [attrs["data-row"] for attrs in page.having("data-row")] == ["3"]
    assert said in page.text
    assert cell in page.html.partition('data-row="3"')[2].partition("</tr>")[0]
    assert roomy.seats().taken == 0


def test_a_title_above_the_heads_is_no_person(roomy: House, clerk: FlaskClient) -> None:
    tried = send(clerk, "六月讲座报名表,,\n\n序号,姓名,手机\n1,李四,13800138000\n")
    assert (tried.status, taken(tried)) == (200, ["left_out", "name", "phone"])
    assert "列名在第 3 行" in tried.text
    done = confirm(clerk, press(clerk, tried))
    assert done.data["data-done"] == "yes"
    assert numbers_of(roomy) == {"李四": "138 0013 8000"}


def test_nobody_is_called_none(roomy: House, clerk: FlaskClient) -> None:
    tried = send(clerk, "姓名,电话,同行人\n李四,无,没有\n王五,13800138000,-\n")
    assert (tried.status, "1 人没有电话" in tried.text) == (200, True)
    confirm(clerk, tried)
    assert (roomy.seats().taken, numbers_of(roomy)["李四"]) == (2, "")


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("需要", "要翻译", "不认识这个需要"),
        ("状态", "走了", "不认识这个状态"),
        ("邮箱", "不会用", "邮箱好像不对"),
        ("联系人", "字" * 60, "太长"),
        ("拼音", "李四", "拼音只用字母"),
    ],
)
def test_no_cell_of_a_known_column_is_ignored(
    clerk: FlaskClient, column: str, cell: str, said: str
) -> None:
    page = send(clerk, f"姓名,电话,{column}\n李四,13800138000,{cell}\n")
    assert (page.status, said in page.text) == (422, True), page.text


def test_what_is_cancelled_is_left_out_and_told(roomy: House, clerk: FlaskClient) -> None:
    tried = send(clerk, "姓名,电话,状态\n李四,13800138000,已报名\n王五,13800138001,Cancelled\n")
    assert (tried.data["data-rows"], "1 行是已取消的" in tried.text) == ("1", True)
    confirm(clerk, tried)
    assert roomy.seats().taken == 1
    none = send(clerk, "姓名,状态\n李四,已取消\n王五,已取消\n")
    assert (none.status, "文件里的人都已取消（2 行）" in none.text) == (422, True)
    assert "0 行里有 0 行" not in none.text
    assert "文件里只有列名，没有人" in send(clerk, "姓名,电话\n").text


def test_other_sheets_of_the_file_are_told(clerk: FlaskClient) -> None:
    book, file = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["姓名", "电话", "几岁"])
    book.active.append(["李四", "13800138000", "70"])
    book.create_sheet("第二张")
    book.save(file)
    asked = send(clerk, file.getvalue(), "list.xlsx")
    assert "还有别的工作表，没有读：第二张" in asked.text
    tried = press(clerk, asked, rest="left_out")
    assert "还有别的工作表，没有读：第二张" in tried.text, "also when it is tried again"


def test_imports_are_a_source_of_their_own(roomy: House, clerk: FlaskClient) -> None:
    roomy.register("张桂芳", source="phone")
    confirm(clerk, send(clerk, "姓名,电话\n李四,13800138000\n"))
    made = reading().get_one(Registration, 2)
    assert made.source == Source.IMPORT
    for path, said in {"": "导入 1", "/report": "导入 1", "/attendees": "导入"}.items():
        assert said in get(clerk, f"{DESK}{path}").text, path
    assert "电话 1" in get(clerk, f"{DESK}/report").text


def test_rows_keep_their_numbers_when_the_file_is_sent_again(clerk: FlaskClient) -> None:
    sent = '\n\n姓名,电话,备注\n\n李四,13800138000,"a, ""b"""\n\n\n王五,123,"，，，，"\n'
    first = send(clerk, sent)
    again = press(clerk, press(clerk, first, rest="left_out"))
    for page in (first, again):
        assert taken(page)[:2] == ["name", "phone"]
    assert [attrs["data-row"] for attrs in again.having("data-row")] == ["8"]


def test_what_the_page_carries_is_the_same_file() -> None:
    heads = '姓名，，，，,电话;;;;,"a\nb",\'=1\n'
    table = import_file.read(f"sep=,\n{heads}李四,'138,=1+1,\n,,;;;;,\n".encode())
    assert len(table.heads) == 4
    again = import_file.read(imports.as_text(table).replace("\n", "\r\n").encode())
    assert [row.cells for row in again.rows] == [row.cells for row in table.rows]
    assert [head.split() for head in again.heads] == [head.split() for head in table.heads]


def test_the_rows_of_a_party_are_registered_together(roomy: House) -> None:
    text = (
        "姓名,电话,同组编号,组内第几位\n"
        "李秀英,13800138000,7,2\n王建国,13800138000,7,1\n张桂芳,13800138001,8,1\n"
    )
    table = import_file.read(text.encode())
    listed = Listed(table, list_columns.guess(table))
    _, good = imports.judge(roomy.event(), listed, waitlist=False)
    assert [[name.typed for name in entry.names] for _, entry in good] == [
        ["王建国", "李秀英"],
        ["张桂芳"],
    ]
    differs = import_file.read(text.replace("王建国,13800138000", "王建国,13800138009").encode())
    report, _ = imports.judge(roomy.event(), Listed(differs, listed.columns), waitlist=False)
    assert [fault.reason for fault in report.faults] == ["import_party_differs"]


def test_a_list_of_180_columns_can_be_mapped(clerk: FlaskClient) -> None:
    heads = ["姓名", "电话", *(f"问题{n}" for n in range(178))]
    asked = send(clerk, ",".join(heads) + "\n李四,13800138000" + ",x" * 178 + "\n")
    assert asked.data["data-undecided"] == "178"
    assert press(clerk, asked, rest="left_out").status == 200


def test_rows_beyond_the_limit_are_never_carried(clerk: FlaskClient) -> None:
    rows = "".join(f"张{n},x\n" for n in range(import_file.MOST_ROWS + 1))
    page = send(clerk, "姓名,几岁\n" + rows)
    assert (page.status, "只放得下 5000 行" in page.text) == (422, True)
    assert 'name="rows"' not in page.html
