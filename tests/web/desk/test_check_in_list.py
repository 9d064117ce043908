"""Printed lists: two queues and their signs, supplements, the same sides in both PDF engines."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from eventreg import pdf
from eventreg.core.desk import attendee_list, check_in_list, print_history
from eventreg.core.errors import PdfUnavailable
from eventreg.storage.session import reading
from tests.support.factories import House
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
