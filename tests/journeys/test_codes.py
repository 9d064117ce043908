"""The codes of tickets and posters, which a reader reads from the screen and from paper."""

import re
import subprocess
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import visitor
from tests.proofs.conftest import WHOLE
from tests.support.windows import LAPTOP, PHONE, SIZES

pytestmark = pytest.mark.browser


def decoded(png: Path) -> str:
    """The text that a QR reader reads from a picture."""
    return str(zxingcpp.read_barcodes(Image.open(png))[0].text)


@pytest.mark.parametrize(
    ("scheme", "size"),
    list(product(("light", "dark"), SIZES))
    if WHOLE
    else [("light", "standard"), ("dark", "large"), ("dark", "largest")],
)
def test_the_qr_code_is_the_ticket_on_every_screen(
    browser: Browser, site: Any, scheme: str, size: str, tmp_path: Path
) -> None:
    guest = visitor(browser, site, {**PHONE, "device_scale_factor": 2}, ("zh", scheme, size))
    page = guest.go(site[1]["ticket"])
    page.screenshot(path=tmp_path / "ticket.png", full_page=True)
    assert decoded(tmp_path / "ticket.png") == f"{site[0].address}{site[1]['ticket']}".upper()
    box = page.locator("svg.qr").bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (240, 240)


def printed(page: Page, folder: Path) -> tuple[int, Path]:
    """Print a page. Returns the number of sides and a picture of the first."""
    paper = folder / "paper.pdf"
    page.pdf(path=paper, prefer_css_page_size=True)
    info = subprocess.run(
        ["pdfinfo", str(paper)], capture_output=True, text=True, check=True
    ).stdout
    assert "A4" in info
    subprocess.run(["pdftoppm", "-r", "100", "-png", str(paper), str(folder / "side")], check=True)
    sides = re.search(r"^Pages: +(\d+)$", info, re.M)
    assert sides
    return int(sides[1]), sorted(folder.glob("side*.png"))[0]


@pytest.mark.parametrize(
    "way", [("zh", "dark", "largest"), ("en", "light", "standard")], ids="-".join
)
def test_the_ticket_prints_on_one_side_black_on_white(
    browser: Browser, site: Any, way: tuple[str, str, str], tmp_path: Path
) -> None:
    guest = visitor(browser, site, PHONE, way)
    page = guest.go(site[1]["couple"])
    page.emulate_media(media="print", color_scheme="dark")
    colours = page.evaluate("(s => [s.color, s.backgroundColor])(getComputedStyle(document.body))")
    assert colours == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    expect(page.locator("nav.sizes")).to_be_hidden()
    sides, picture = printed(page, tmp_path)
    assert sides == 1
    assert decoded(picture) == f"{site[0].address}{site[1]['couple']}".upper(), (
        "the code can be read from paper"
    )


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_poster_is_one_side_and_leads_to_the_event(
    browser: Browser, site: Any, language: str, tmp_path: Path
) -> None:
    page = visitor(browser, site, LAPTOP, (language, "dark", "largest")).event("open", "/poster")
    sides, picture = printed(page, tmp_path)
    assert sides == 1
    assert decoded(picture) == f"{site[0].address}/{language}/events/open"
