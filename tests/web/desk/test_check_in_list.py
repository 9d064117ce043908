"""Printed lists: two queues and their signs, supplements, the same sides in both PDF engines."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from eventreg import pdf
from eventreg.core.desk import attendee_list, check_in_list, print_history
from eventreg.core.errors import PdfUnavailable
from eventreg.storage.session import reading
from tests.support.factories import House, toml
from tests.support.houses import with_seats
from tests.support.pages import Page, get
from tests.support.windows import LAPTOP, window

DESK = "/staff/events/small"
PAPER = f"{DESK}/check-in-list"
LONGEST = [
    "阿卜杜热依木·买买提吐尔逊",
    "Wolfeschlegelsteinhausenbergerdorff",
    "字" * 40,
    "W" * 40,
    "𠮷𡈽𪚥",
    "مريم عبد الله الحسيني",
]
SURNAMES = "陈丁胡李马钱孙王吴徐杨张郑周朱"
hall = with_seats(60, staff=True)


def fill_with(house: House, people: int, names: Sequence[str] = ()) -> None:
    """Register so many people, the first ones with these names."""
    for number in range(people):
        ordinary = SURNAMES[number % len(SURNAMES)] + chr(0x963F) + chr(0x4E00 + number)
        house.register(names[number] if number < len(names) else ordinary)


def print_list(client: FlaskClient, query: str = "") -> Page:
    """Open the list and record that it was printed; returns the page."""
    page = get(client, f"{PAPER}{query}")
    form = page.form("/check-in-list")
    assert client.post(form.action, data=form.fields).headers["Location"].endswith(DESK)
    return page


def sides_of(file: Path) -> list[str]:
    """The text of each side of a PDF."""
    text = subprocess.run(
        ["pdftotext", "-layout", str(file), "-"], capture_output=True, text=True, check=True
    ).stdout
    return text.split("\f")[:-1]


def rows_on(side: str) -> int:
    """The number of rows with boxes on a side."""
    return len(re.findall(r"□\s*□", side))


@pytest.mark.parametrize(
    ("people", "rows"),
    [
        (0, [0]),
        (1, [1]),
        (25, [25]),
        (26, [13, 13]),
        (30, [15, 15]),
        (50, [25, 25]),
        (51, [13, 13, 25]),
        (60, [15, 15, 15, 15]),
    ],
)
def test_two_queues_are_equally_long_and_need_no_more_paper(
    hall: House, people: int, rows: list[int]
) -> None:
    # With one surname only, the border cannot move.
    fill_with(hall, people, [f"字{chr(0x4E00 + number)}" for number in range(people)])
    made = check_in_list.sides(attendee_list.confirmed(reading(), hall.event()), in_queues=True)
    assert [len(side.rows) for side in made] == rows
    assert made[0].sides == len(rows) + 1
    page = get(hall.signed_in("desmond"), f"{PAPER}?signs=yes")
    assert page.html.count('<section class="sign">') == (2 if people > 25 else 1)
    assert page.html.count("<section>") == len(rows) + 1
    numbers = [line.number for side in made for line in side.rows]
    assert numbers == list(range(1, people + 1))


def test_a_queue_ends_between_two_surnames_if_possible(hall: House) -> None:
    for number in range(14):
        hall.register(f"陈{chr(0x4E00 + number)}")
    for number in range(16):
        hall.register(f"王{chr(0x4E00 + number)}")
    first, second = check_in_list.queues(attendee_list.confirmed(reading(), hall.event()))
    assert (first.surnames, first.people, second.surnames, second.people) == (
        ("陈",),
        14,
        ("王",),
        16,
    )


def test_a_surname_on_both_signs_shows_where_it_is_divided(hall: House) -> None:
    fill_with(hall, 50, [f"王{chr(0x4E00 + number)}" for number in range(50)])
    first, second = check_in_list.queues(attendee_list.confirmed(reading(), hall.event()))
    assert (first.people, second.people) == (25, 25)
    assert first.surnames[0].startswith("王（到王")
    assert second.surnames[0].startswith("王（从王")


def test_the_signs_show_only_surnames(hall: House) -> None:
    for number in range(30):
        hall.register(f"{'欧阳' if number % 2 else '陈'}{chr(0x4E00 + number)}")
    page = get(hall.signed_in("desmond"), f"{PAPER}?signs=yes")
    assert "1 队 姓 陈 请到这边" in page.text
    assert "2 队 姓 欧阳 请到这边" in page.text


@pytest.mark.browser
def test_fifty_people_fill_two_sides_in_both_pdf_engines(
    hall: House, browser: Browser, tmp_path: Path
) -> None:
    fill_with(hall, 50, LONGEST)
    desmond = hall.signed_in("desmond")
    form = get(desmond, PAPER).form("/check-in-list.pdf")
    answer = desmond.post(form.action, data=form.fields)
    assert answer.mimetype == "application/pdf"
    assert len(print_history.latest(reading(), hall.event()).people) == 50, (
        "a file to be printed counts as printed"
    )
    (tmp_path / "weasyprint.pdf").write_bytes(answer.get_data())
    html = (
        hall.app.test_cli_runner()
        .invoke(args=["check-in-list", "small", "--format", "html"])
        .output
    )
    page = window(browser, LAPTOP)
    page.set_content(html)
    page.pdf(path=str(tmp_path / "chromium.pdf"), prefer_css_page_size=True)
    for engine in ("weasyprint", "chromium"):
        sides = sides_of(tmp_path / f"{engine}.pdf")
        assert [rows_on(side) for side in sides] == [25, 25, 20], engine
        assert "第 1 面，共 3 面" in sides[0]
        fonts = subprocess.run(
            ["pdffonts", str(tmp_path / f"{engine}.pdf")],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert all(line.split()[-5] == "yes" for line in fonts.splitlines()[2:]), (
            "every font is inside"
        )


def test_the_command_writes_the_same_pdf(hall: House, tmp_path: Path) -> None:
    fill_with(hall, 3)
    file = tmp_path / "list.pdf"
    done = hall.app.test_cli_runner().invoke(
        args=["check-in-list", "small", "--format", "pdf", "--output", str(file)]
    )
    assert done.exit_code == 0, done.output
    assert [rows_on(side) for side in sides_of(file)] == [3, 20]


def test_without_pango_pages_and_command_suggest_printing(
    hall: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/nowhere")
    monkeypatch.setattr(pdf, "_PROGRAM", ("-c", "import sys; sys.exit(3)"))
    with pytest.raises(PdfUnavailable):
        pdf.of("<p>")
    desmond = hall.signed_in("desmond")
    form = get(desmond, PAPER).form("/check-in-list.pdf")
    for page in (get(desmond, f"{PAPER}.pdf"), Page(desmond.post(form.action, data=form.fields))):
        assert (page.status, "PDF" in page.text) == (409, True)
    assert print_history.latest(reading(), hall.event()).at is None, "nothing was printed"
    said = hall.app.test_cli_runner().invoke(args=["check-in-list", "small", "--format", "pdf"])
    assert (said.exit_code, "Open the list and print it in the browser" in said.output) == (1, True)


def test_a_pdf_loads_no_files(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("geheim")
    made = pdf.of(
        f'<p>a</p><img src="file://{secret}"><link rel="attachment" href="file://{secret}">'
    )
    assert b"geheim" not in made
    assert shutil.which("pdfdetach")
    (tmp_path / "made.pdf").write_bytes(made)
    listed = subprocess.run(
        ["pdfdetach", "-list", str(tmp_path / "made.pdf")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert listed.stdout.startswith("0 ")


def test_the_waiting_list_is_printed_separately(house: House) -> None:
    house.apply(toml(capacity=1))
    house.hire()
    house.register("张一")
    house.register("李二", waitlist=True)
    house.register("陈三", "陈四", waitlist=True)
    page = get(house.signed_in("desmond"), f"{PAPER}?list=waiting")
    assert page.kind == "staff-waiting-list"
    assert re.search(r"1 李二.* 2 陈三.* 3 陈四 .*同上一位", page.text), (
        "in the order in which they are seated"
    )
    assert "张一" not in page.text


def test_an_outdated_list_is_reported_and_a_supplement_printed(hall: House) -> None:
    fill_with(hall, 3)
    desmond = hall.signed_in("desmond")
    assert "已经旧了" not in get(desmond, DESK).text, "nothing was printed yet"
    print_list(desmond)
    assert "已经旧了" not in get(desmond, DESK).text
    gone = print_history.paper_rows(reading(), hall.event())[1]
    hall.cancel(registration_of(gone))
    new = hall.register("阿新")
    # A printed selection is no supplement to the list.
    print_list(desmond, f"?registration={new.id}")
    page = get(desmond, DESK)
    assert "06-03 10:00 打印的签到表已经旧了。 新增 1 人，退出 1 人。" in page.text
    assert "只打印新增的 1 人" in page.text
    supplement = print_list(desmond, "?list=new")
    assert "签到表（新增）" in supplement.text
    assert "4 A 阿新" in supplement.text, "numbered on from the list"
    assert f"请在原表上划掉：2 号 {gone.name}" in supplement.text
    assert "已经旧了" not in get(desmond, DESK).text or "新增 0 人" in get(desmond, DESK).text
    order = [(line.number, line.name) for line in print_history.paper_rows(reading(), hall.event())]
    assert order[1:2] + order[-1:] == [(2, gone.name), (4, "阿新")], (
        "typed back in the order of the paper"
    )
    assert "打印签到表" in get(hall.signed_in("olga"), f"{DESK}/audit").text


def registration_of(line: print_history.PaperRow) -> int:
    """The registration of a row."""
    assert line.row is not None
    return line.row.registration_id


def test_viewing_the_list_does_not_count_as_printing(hall: House) -> None:
    fill_with(hall, 3)
    desmond = hall.signed_in("desmond")
    for query in ("", "?signs=yes", "?list=waiting", "?registration=1"):
        get(desmond, f"{PAPER}{query}")
    assert print_history.latest(reading(), hall.event()).at is None
    print_list(desmond)
    assert len(print_history.latest(reading(), hall.event()).people) == 3


def test_a_print_records_the_people_shown_on_the_page(hall: House) -> None:
    fill_with(hall, 3)
    desmond = hall.signed_in("desmond")
    form = get(desmond, PAPER).form("/check-in-list")
    hall.register("阿新")
    desmond.post(form.action, data=form.fields)
    assert len(print_history.latest(reading(), hall.event()).people) == 3
    assert "新增 1 人，退出 0 人。" in get(desmond, DESK).text, (
        "who came after the page was opened is not on the paper"
    )


def test_a_print_is_recorded_only_from_a_page_of_this_event(hall: House) -> None:
    hall.apply(toml(slug="other"))
    desmond = hall.signed_in("desmond")
    form = get(desmond, PAPER).form("/check-in-list")
    for shown in ("", "x", form.fields["shown"][:-1], '[1,"all",1,[1]]'):
        answer = desmond.post(form.action, data={**form.fields, "shown": shown})
        assert answer.status_code == 400, shown
    there = "/staff/events/other/check-in-list"
    assert desmond.post(there, data=form.fields).status_code == 400
    assert print_history.latest(reading(), hall.event()).at is None


def test_after_a_list_too_long_to_note_only_those_who_came_later_are_new(
    small: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(print_history, "_MOST_KEPT", 2)
    small.apply(toml(capacity=5, more="[waitlist]\nopen = true"))
    stays, goes, couple = (
        small.register(*names) for names in (["甲一"], ["乙一"], ["丙一", "丙二"])
    )
    small.now += timedelta(hours=1)
    desmond = small.signed_in("desmond")
    shown = get(desmond, f"{DESK}/check-in-list").form("/check-in-list")
    assert desmond.post(shown.action, data=shown.fields).status_code == 303
    small.now += timedelta(hours=1)

    def changed() -> tuple[list[str], list[str]]:
        reading().rollback()
        prints = print_history.latest(reading(), small.event())
        found = print_history.differences(reading(), small.event(), prints)
        counted = print_history.count_differences(reading(), small.event(), prints)
        assert counted == (len(found.new), len(found.gone))
        return [row.name for row in found.new], [gone.name for gone in found.gone]

    assert changed() == ([], [])
    small.register("丁一")
    small.cancel(goes)
    assert changed() == (["丁一"], ["乙一"])
    page = get(small.signed_in("desmond"), f"{DESK}/check-in-list?list=new")
    assert "请在原表上划掉：乙一" in page.text
    assert "None" not in page.text
    assert {stays.id, couple.id}
