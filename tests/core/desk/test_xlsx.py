"""The XLSX writer: what it writes is what another program reads."""

from datetime import datetime
from pathlib import Path
from zipfile import ZipFile

import openpyxl
import pytest

from eventreg import xlsx
from eventreg.xlsx import Cell


def read(file: Path) -> list[tuple[object, ...]]:
    """The rows of a file, as openpyxl reads them."""
    return list(openpyxl.load_workbook(file).worksheets[0].iter_rows(values_only=True))


def test_each_cell_has_its_type_and_the_heads_stay_in_sight(tmp_path: Path) -> None:
    row: list[Cell] = ["张桂芳", "=1+1", 7, None, "", datetime(2030, 6, 3, 10, 0, 7)]  # noqa: DTZ001
    xlsx.write(tmp_path / "a.xlsx", list("abcdef"), [24, 10, 10, 10, 10, 17], [row])
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets[0]
    assert [cell.value for cell in sheet[1]] == list("abcdef")
    assert [cell.value for cell in sheet[2]] == [*row[:3], None, None, row[5]]
    assert [cell.data_type for cell in sheet[2]] == ["s", "s", "n", "n", "n", "d"]
    assert sheet["F2"].number_format == "yyyy-mm-dd hh:mm"
    assert sheet.freeze_panes == "A2"
    assert sheet.column_dimensions["A"].width == pytest.approx(24.71, abs=0.01)


@pytest.mark.parametrize(
    "text", ["a<b>&\"c'", " 甲 ", "两\n行", "\t", "_x0041_", "张_x0041_x0042_三", "&amp;", "𠮷"]
)
def test_a_text_is_read_as_it_was_written(tmp_path: Path, text: str) -> None:
    xlsx.write(tmp_path / "a.xlsx", ["head"], [10], [[text]])
    assert read(tmp_path / "a.xlsx")[1] == (text,)


def test_a_character_that_xml_lacks_does_not_break_the_file(tmp_path: Path) -> None:
    xlsx.write(tmp_path / "a.xlsx", ["head"], [10], [["a\x00b\x1f\ufffe"]])
    sheet = ZipFile(tmp_path / "a.xlsx").read("xl/worksheets/sheet1.xml").decode()
    assert "<t>a_x0000_b_x001F__xFFFE_</t>" in sheet
    assert len(read(tmp_path / "a.xlsx")) == 2


def test_a_long_list_has_all_its_rows_in_order(tmp_path: Path) -> None:
    rows = [[number] for number in range(1_001)]
    xlsx.write(tmp_path / "a.xlsx", ["head"], [10], rows)
    assert read(tmp_path / "a.xlsx") == [("head",), *((number,) for number in range(1_001))]
