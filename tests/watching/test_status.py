"""The status page: is everything well, what comes next, a backup to take away."""

import io
import zipfile
from datetime import timedelta

import pytest

from eventreg.core import operation_runs
from eventreg.core.audit import Action
from eventreg.core.models.audit import AuditEntry
from eventreg.core.operation_runs import Operation
from eventreg.storage.session import db, reading, write
from tests.support.factories import PASSWORD, House
from tests.support.houses import with_seats
from tests.support.pages import get

STATUS = "/staff/status"
small = with_seats(5, "张桂芳", staff=True)


def points(page: str) -> dict[str, bool]:
    """Each point of the page, and whether it is good."""
    found = {}
    for piece in page.split('<li class="')[1:]:
        if 'data-about="' in piece:
            about = piece.split('data-about="')[1].split('"')[0]
            found[about] = piece.startswith("good")
    return found


def test_an_organiser_sees_what_is_well_and_one_act_for_each_thing_that_is_not(
    small: House,
) -> None:
    write(lambda session: operation_runs.succeeded(session, Operation.BACKUP, now=small.now))
    olga = small.signed_in("olga")
    page = olga.get(f"{STATUS}?lang=en").text
    found = points(page)
    assert found == {
        **dict.fromkeys(("database", "disk", "backup", "file", "modes", "key"), True),
        **dict.fromkeys(("forgetting", "sums"), True),
        **dict.fromkeys(("https", "alarm"), False),
    }
    assert "2 things to do" in page
    assert "Set EVENTREG_ALARM_MAIL" in page
    assert "Personal data is erased" in page, "what comes next"
    assert "/staff/events/small/ready" in page
    small.now += timedelta(hours=27)
    small_page = small.signed_in("olga").get(f"{STATUS}?lang=en").text
    assert not points(small_page)["backup"]
    assert "Check the folder of the backups" in small_page


def test_rows_that_do_not_agree_turn_the_page_red(small: House) -> None:
    with db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE event_seats SET taken = 3")
    page = small.signed_in("olga").get(f"{STATUS}?lang=en").text
    assert not points(page)["sums"]
    assert "Print the list" in page
    assert "张桂芳" not in page


@pytest.mark.parametrize("name", ["desmond", "dora"])
def test_only_organisers_see_it(small: House, name: str) -> None:
    other = small.signed_in(name)
    assert other.get(STATUS).status_code == 403
    token = get(other, "/staff/").form().fields["csrf_token"]
    sent = {"csrf_token": token, "password": PASSWORD}
    for act in ("backup", "test"):
        assert other.post(f"{STATUS}/{act}", data=sent).status_code == 403


def test_a_backup_is_taken_away_only_with_the_password_and_is_audited(small: House) -> None:
    olga = small.signed_in("olga")
    token = get(olga, STATUS).form().fields["csrf_token"]
    wrong = olga.post(f"{STATUS}/backup", data={"csrf_token": token, "password": "wrong"})
    assert wrong.status_code == 422
    assert not taken()
    given = olga.post(f"{STATUS}/backup", data={"csrf_token": token, "password": PASSWORD})
    assert given.status_code == 200
    assert given.headers["Cache-Control"] == "no-store"
    whole = zipfile.ZipFile(io.BytesIO(given.data))
    assert whole.testzip() is None
    given.close()
    assert len(taken()) == 1
    left = [path.name for path in small.settings.instance.iterdir() if "taken" in path.name]
    assert not left, "nothing of it stays on this machine"


def taken() -> list[AuditEntry]:
    """The audit entries of backups that were taken away."""
    return [row for row in reading().query(AuditEntry).all() if row.action == Action.BACKUP_TAKEN]


def test_a_test_message_without_anybody_to_tell_says_so(small: House) -> None:
    olga = small.signed_in("olga")
    token = get(olga, STATUS).form().fields["csrf_token"]
    olga.post(f"{STATUS}/test?lang=en", data={"csrf_token": token})
    page = olga.get(f"{STATUS}?lang=en").text
    assert 'id="tested"' in page
    assert page.count("Set EVENTREG_ALARM_MAIL.") == 2
