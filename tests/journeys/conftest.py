"""A server with events in every state, and the browsers that visit it."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.support import cast
from tests.support.factories import SECRET
from tests.support.servers import Server, running
from tests.support.windows import Visitor, window


@pytest.fixture(scope="package")
def site(
    migrated: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, dict[str, str]]]:
    """A server on the morning of June 10, events in every state, and the paths of the tickets."""
    folder = tmp_path_factory.mktemp("look")
    shutil.copy(migrated, folder / "eventreg.sqlite3")
    paths = cast.prepare(folder)
    with running(folder, EVENTREG_CLOCK=cast.MORNING, EVENTREG_SECRET_KEY=SECRET) as server:
        yield server, paths


def visitor(
    browser: Browser, site: tuple[Server, dict[str, str]], shape: Any, way: tuple[str, str, str]
) -> Visitor:
    """A browser in that language, scheme and text size."""
    language, scheme, size = way
    made = Visitor(window(browser, shape, scheme=scheme), site[0].address, language, site[1])
    if size != "standard":
        made.choose(size)
    return made
