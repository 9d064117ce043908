"""docs/going-live.md: the commands of the page exist. script/try-going-live types them for real."""

import re

import pytest

from tests.support.factories import ROOT, House

PAGE = (ROOT / "docs" / "going-live.md").read_text()
BOXES = "\n".join(re.findall(r"^```(?:sh)?\n(.*?)^```$", PAGE, re.M | re.S))
COMMANDS = re.findall(r"^eventreg (.+)$", BOXES, re.M)


def test_every_make_command_of_the_page_is_in_the_makefile() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M)
    named = re.findall(r"(?:^|&& |`)make ([a-z-]+)", PAGE, re.M)
    assert {"install-service", "uninstall-service", "rehearse"} <= set(named)
    assert set(named) <= set(targets)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_exists(command: str, house: House) -> None:
    said = house.app.test_cli_runner().invoke(args=[*command.split(), "--help"])
    assert said.exit_code == 0, said.output


def test_the_page_is_one_page() -> None:
    assert len(PAGE.splitlines()) <= 150
    assert "eventreg.env" in PAGE and "DRY_RUN=1" in PAGE
