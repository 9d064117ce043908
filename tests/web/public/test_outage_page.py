"""The page for a server error or a database outage."""

from pathlib import Path

import html5lib  # type: ignore[import-untyped]
import pytest

from eventreg.storage.session import db
from eventreg.web.access import anyone
from eventreg.web.public import outage_page
from tests.support.factories import House, toml
from tests.support.pages import Page


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_outage_page_is_small_and_works_without_the_database(
    house: House, language: str
) -> None:
    house.apply(toml())
    outage_page.write()
    db.session.remove()
    house.app.testing = False
    db.engine.dispose()
    (Path(house.app.instance_path) / "eventreg.sqlite3").write_bytes(
        b"no database any more, only noise " * 200
    )
    answer = house.client().get(f"/{language}/events/small", headers={"Accept": "text/html"})
    assert answer.status_code in {500, 503}
    page = Page(answer)
    assert page.kind == "error"
    assert len(answer.data) < 2000
    assert 'href="tel:+8657487654321"' in page.html
    assert ("不会重复报名" if language == "zh" else "You will not be registered twice") in page.text
    html5lib.HTMLParser(strict=True).parse(page.html)


def test_an_event_can_be_changed_if_the_outage_page_cannot_be_written(
    house: House, tmp_path: Path
) -> None:
    house.apply(toml())
    house.app.instance_path = str(tmp_path / "nowhere")
    outage_page.write()
    file = tmp_path / "event.toml"
    file.write_text(toml(capacity=5), encoding="utf-8")
    assert house.app.test_cli_runner().invoke(args=["event", "apply", str(file)]).exit_code == 0


def broken() -> str:
    """A view that fails."""
    raise ZeroDivisionError


def test_an_error_has_a_page_even_if_no_number_is_known(house: House) -> None:
    house.app.testing = False
    house.app.add_url_rule("/zh/broken", "broken", anyone(broken))
    answer = house.client().get("/zh/broken")
    assert "我们的网页出了问题" in answer.text
    assert answer.status_code == 500
