"""The columns of a list to import: what they are taken for, what the clerk changes, and that no
number, name or person is lost in silence."""

from collections.abc import Sequence

import pytest
from flask.testing import FlaskClient

from eventreg.core.importing import import_file, list_columns
from eventreg.core.importing.list_columns import Column
from eventreg.i18n import LANGUAGES, sentence
from tests.support.factories import House
from tests.support.pages import Page, get
from tests.web.desk.importing.test_imports import DESK, confirm, press, send, taken


def guessed(heads: Sequence[str], *rows: Sequence[str]) -> list[Column | None]:
    """What these columns are taken for; each has something in it."""
    sent = "\n".join(",".join(row) for row in (heads, *(rows or [["x"] * len(heads)])))
    return list_columns.guess(import_file.read(sent.encode()))


def numbers_of(house: House) -> dict[str, str]:
    """The telephone number of each person on the list."""
    page = get(house.signed_in("olga"), f"{DESK}/attendees.csv").html
    lines = [line.split(",") for line in page.strip().splitlines()[1:]]
    return {line[0]: line[2] for line in lines}


OURS = [
    (sentence(language, key), column)
    for language in LANGUAGES
    for key, column in {
        "name_label": Column.NAME,
        "name_column": Column.NAME,
        "phone_label": Column.PHONE,
        "phone_column": Column.PHONE,
        "companion_label": Column.COMPANION,
        "contact_label": Column.CONTACT,
        "pinyin_label": Column.READING,
        "wishes_label": Column.WISHES,
        "email_label": Column.EMAIL,
        "state_column": Column.STATE,
        "source_column": Column.LEFT_OUT,
        "code_column": Column.LEFT_OUT,
        "registered_column": Column.LEFT_OUT,
    }.items()
]


@pytest.mark.parametrize(("head", "column"), OURS, ids=[head for head, _ in OURS])
def test_the_labels_of_our_own_pages_are_known(head: str, column: Column) -> None:
    assert guessed([head.replace(",", "")]) == [column]


@pytest.mark.parametrize(
    "head",
    [
        "Telephone",
        "Phone number",
        "PHONE_NUMBER",
        " phone  number: ",
        "Mobile",
        "Tel.",
        "1、您的手机号码：",
        "2. 联系电话（必填）*",
        "Q3_手机号",
        "请填写您的手机号",
        "【必填】手机",
        "手机/电话",
        "电话 Phone",
        "联系方式",
    ],
)
def test_a_column_of_numbers_is_known_by_its_many_names(head: str) -> None:
    assert guessed(["姓名", head]) == [Column.NAME, Column.PHONE]


@pytest.mark.parametrize(
    "head", ["紧急联系人电话", "人数", "备注", "微信号", "年龄", "身份证号", "Emergency phone", ""]
)
def test_a_column_that_could_matter_is_never_guessed(head: str) -> None:
    assert guessed(["姓名", "电话", head]) == [Column.NAME, Column.PHONE, None]


FOREIGN = {
    "问卷星": "序号,提交答卷时间,所用时间,来源,来源详情,来自IP,1、您的姓名：,"
    "2、您的手机号码：,总分",
    "腾讯问卷": "编号,开始答题时间,结束答题时间,答题时长,用户类型,1.姓名,2.手机号码",
    "金数据": "序号,姓名,手机,同行人,提交人,提交时间,更新时间,微信昵称,"
    "微信OpenID,填写设备,操作系统,浏览器,IP",
    "Excel": "序号,姓 名,联系电话",
    "pretix orders": "Order code,Position ID,Status,Email,Phone number,Order date,Product,Price,"
    "Attendee name,Attendee name: Given name,Attendee name: Family name,Voucher,Ticket secret",
    "pretix check-in list": "Order code,Attendee name,Product,Price,Checked in,Checked out,"
    "Automatically checked in,Secret,E-mail,Phone number,Company,Voucher code,Order date",
    "Eventyay": "Order#,Order Date,Status,Payment Type,Payment Mode,Ticket Name,Ticket ID,"
    "Ticket Price,Ticket Type,Tax ID,Address,Company,Country,City,Zipcode,Email,"
    "First Name,Last Name,Mobile",
}


@pytest.mark.parametrize("program", FOREIGN)
def test_the_export_of_another_program_is_known(program: str) -> None:
    columns = guessed(FOREIGN[program].split(","))
    assert not list_columns.problems(columns), "the clerk is asked nothing"
    assert Column.PHONE in columns
    assert Column.NAME in columns or {Column.SURNAME, Column.GIVEN} <= set(columns)


def test_the_list_of_the_command_line_is_known_and_has_no_numbers(clerk: FlaskClient) -> None:
    page = send(clerk, "number,letter,name,code,phone_tail,with_numbers\n1,L,李四,1234,8000,\n")
    assert (page.status, "1 人没有电话" in page.text) == (200, True)


def test_33_people_keep_their_numbers_under_our_own_english_label(
    roomy: House, clerk: FlaskClient
) -> None:
    people = {f"张{chr(0x4E00 + n)}": f"138 0013 80{n:02}" for n in range(33)}
    sent = "Name,Phone number\n" + "".join(f"{name},{phone}\n" for name, phone in people.items())
    tried = send(clerk, sent)
    assert taken(tried) == ["name", "phone"]
    confirm(clerk, tried)
    assert numbers_of(roomy) == people


def test_33_people_without_a_number_are_told_before_and_after(
    roomy: House, clerk: FlaskClient
) -> None:
    tried = send(clerk, "姓名\n" + "".join(f"张{chr(0x4E00 + n)}\n" for n in range(33)))
    assert (tried.status, tried.data["data-rows"]) == (200, "33")
    assert "33 人没有电话" in tried.text
    assert "33 people have no number" in get_in_english(clerk, tried).text
    done = confirm(clerk, tried)
    assert "33 people have no number" in done.text
    assert roomy.seats().taken == 33


def get_in_english(clerk: FlaskClient, tried: Page) -> Page:
    """The same trial in English."""
    get(clerk, f"{DESK}/import?lang=en")
    return press(clerk, tried)


def test_an_unknown_column_is_refused_until_it_is_mapped_or_left_out(
    roomy: House, clerk: FlaskClient
) -> None:
    sent = "姓名,打哪个号,备注\n李四,13800138000,坐前面\n"
    asked = send(clerk, sent)
    assert (asked.status, asked.data["data-undecided"]) == (422, "2")
    assert "还有 2 列没有选" in asked.text
    assert taken(asked) == ["name", "", ""]
    assert (confirm(clerk, asked).status, roomy.seats().taken) == (422, 0), "not even if confirmed"
    half = press(clerk, asked, column_1="phone")
    assert (half.status, taken(half)) == (422, ["name", "phone", ""])
    tried = press(clerk, half, column_2="left_out")
    assert (tried.status, tried.data["data-rows"]) == (200, "1")
    confirm(clerk, tried)
    assert numbers_of(roomy) == {"李四": "138 0013 8000"}


def test_one_button_leaves_out_every_column_that_is_undecided(clerk: FlaskClient) -> None:
    asked = send(clerk, "姓名,电话,几岁,住哪里\n李四,13800138000,70,海曙\n")
    tried = press(clerk, asked, rest="left_out")
    assert (tried.status, taken(tried)) == (200, ["name", "phone", "left_out", "left_out"])


def test_five_rows_are_shown_with_what_each_column_is_taken_for(clerk: FlaskClient) -> None:
    rows = "".join(f"李{c},138001380{n:02}\n" for n, c in enumerate("一二三四五六"))
    page = send(clerk, "姓名,电话\n" + rows)
    for seen in ("李一", "13800138000", "李五", "13800138004"):
        assert seen in page.html.partition('<table class="taken">')[2]
    assert "李六" not in page.html.partition('<table class="taken">')[2]


def test_the_clerk_changes_a_column_and_the_change_is_what_is_imported(
    roomy: House, clerk: FlaskClient
) -> None:
    tried = send(clerk, "姓名,手机,联系人\n李四,13800138000,王五\n")
    assert taken(tried) == ["name", "phone", "contact"]
    swapped = {"column_0": "contact", "column_2": "name"}
    again = confirm(clerk, tried, **swapped)
    assert (again.data["data-done"], roomy.seats().taken) == ("no", 0), (
        "what was changed is tried first"
    )
    assert "列改过了" in again.text
    done = confirm(clerk, again)
    assert done.data["data-done"] == "yes"
    assert numbers_of(roomy) == {"王五": "138 0013 8000"}


def test_two_columns_are_never_taken_for_the_same(clerk: FlaskClient) -> None:
    asked = send(clerk, "姓名,电话,手机\n李四,,13800138000\n")
    assert taken(asked) == ["name", "phone", ""]
    twice = press(clerk, asked, column_2="phone")
    assert (twice.status, "“电话”选了 2 列" in twice.text) == (422, True)
    assert send(clerk, "电话\n13800138000\n").status == 422
    assert "没有哪一列是“姓名”" in send(clerk, "电话\n无\n").text


def test_a_column_without_a_title_is_not_dropped(roomy: House, clerk: FlaskClient) -> None:
    asked = send(clerk, "姓名,电话\n李四,13800138000,赵六\n王五,13800138001\n")
    assert taken(asked) == ["name", "phone", ""]
    confirm(clerk, press(clerk, asked, column_2="companion"))
    assert roomy.seats().taken == 3


def test_a_column_that_holds_numbers_is_not_left_out_unseen(clerk: FlaskClient) -> None:
    heads = ["姓名", "Number"]
    assert guessed(heads, ["李四", "138 0013 8000"]) == [Column.NAME, None]
    assert guessed(heads, ["李四", "1"]) == [Column.NAME, Column.LEFT_OUT]
    assert send(clerk, "姓名,Number\n李四,13800138000\n").status == 422


def test_a_person_in_the_first_row_is_not_taken_for_titles(
    roomy: House, clerk: FlaskClient
) -> None:
    page = send(clerk, "张三,13800138000\n李四,13800138001\n")
    assert (page.status, "第 1 行有电话号码" in page.text) == (422, True)
    assert roomy.seats().taken == 0
