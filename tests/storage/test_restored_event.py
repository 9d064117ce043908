"""After a restore the event may have the same version number with another content.

No page shows the old content, and no form is judged by it.
"""

from datetime import timedelta
from pathlib import Path

import pytest
from flask_migrate import downgrade, upgrade
from sqlalchemy import text

from eventreg.core import audit
from eventreg.core.errors import SeatsRaced
from eventreg.core.registration import availability, register
from eventreg.storage import backups
from eventreg.storage.session import db, reading
from tests.server.test_server import ask
from tests.support.factories import SECRET, House, make_entry, toml
from tests.support.pages import Page, get
from tests.support.servers import running

pytestmark = pytest.mark.both_databases
HIKING = (
    toml(capacity=9, head="max_party = 1")
    .replace("Calligraphy class", "Hiking")
    .replace("书法课", "爬山")
    .replace("87654321", "87650000")
)
CHESS = toml(capacity=9).replace("Calligraphy class", "Chess").replace("书法课", "下棋")


@pytest.fixture
def hiking(house: House, tmp_path: Path) -> Path:
    """A backup in which version 2 of the event is a hike. In the database, version 2 is chess."""
    house.apply(toml(capacity=9))
    first, hike = tmp_path / "first.zip", tmp_path / "hike.zip"
    backups.create(first)
    house.apply(HIKING)
    backups.create(hike)
    reading().rollback()
    backups.restore(first)
    house.now += timedelta(
        minutes=1
    )  # so that the two restores name their automatic backups differently
    house.apply(CHESS)
    assert house.event().version == 2
    reading().rollback()
    return hike


def test_every_process_shows_what_was_restored(
    house: House, hiking: Path, folder: Path, environment: dict[str, str]
) -> None:
    given = {"EVENTREG_SECRET_KEY": SECRET, **environment}
    with running(folder, **given) as one, running(folder, **given) as other:
        for server in (one, other):
            for path in ("/en/events/small", "/en/events/small/register", "/en/"):
                page = ask(server, "GET", path)[2]
                assert "Chess" in page
                assert "Hiking" not in page
        reading().rollback()
        backups.restore(hiking)
        for server in (one, other):
            for path in ("/en/events/small", "/en/events/small/register", "/en/"):
                page = ask(server, "GET", path)[2]
                assert "Hiking" in page
                assert "Chess" not in page
    assert house.event().version == 2


def test_a_form_from_before_a_restore_is_judged_by_the_restored_event(
    house: House, hiking: Path
) -> None:
    seen = availability.at(db.engine, None, "small", now=house.now).event
    backups.restore(hiking)
    with house.writing() as session, pytest.raises(SeatsRaced):
        couple = make_entry("张桂芳", "王建国")
        register.register(
            session, seen, couple, secret_key=SECRET, by=audit.REGISTRANT, now=house.now
        )
    assert "Hiking" in get(house.client(), "/en/events/small/register").text


def test_a_change_that_was_reviewed_before_a_restore_is_refused(house: House, hiking: Path) -> None:
    house.hire()
    olga = house.signed_in("olga")
    forms = [
        form
        for form in get(olga, "/staff/events/small/edit").forms
        if form.action.endswith("/edit")
    ]
    checked = Page(olga.post(forms[-1].action, data={**forms[-1].fields, "title.en": "Chess club"}))
    kept = next(
        form for form in checked.forms if "toml" in checked.html and form.fields.get("version")
    )
    with db.engine.begin() as connection:  # as after a restore: the same number, another content
        connection.execute(text("UPDATE events SET stamp = 'other'"))
    pressed = olga.post(kept.action, data={**kept.fields, "toml": HIKING})
    assert pressed.status_code == 409
    assert "Chess" in get(house.client(), "/en/events/small").text


def test_the_outage_page_has_the_telephone_number_of_the_restored_event(
    house: House, hiking: Path
) -> None:
    reading().rollback()
    said = house.app.test_cli_runner().invoke(args=["backup", "restore", str(hiking)])
    assert said.exit_code == 0, said.output
    kept = (house.settings.instance / "trouble-en.html").read_text()
    assert "0574-87650000" in kept


def test_an_upgrade_gives_each_event_a_stamp_of_its_own(house: House) -> None:
    house.apply(toml("one"))
    house.apply(toml("two"))
    reading().rollback()
    downgrade(revision="2026_11_26_name_search")
    upgrade()
    stamps = [row[0] for row in reading().execute(text("SELECT stamp FROM events"))]
    assert len(set(stamps)) == 2
    assert all(len(stamp) == 32 for stamp in stamps)
