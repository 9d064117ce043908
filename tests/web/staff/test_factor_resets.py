"""Reset the second factor of somebody who lost the telephone."""

import pyotp
import pytest

from eventreg.core.audit import Action
from eventreg.core.models.audit import AuditEntry
from eventreg.core.staff import accounts, second_factor
from eventreg.storage.session import reading, transaction
from tests.commands.test_commands import run
from tests.support.factories import PASSWORD, House
from tests.support.pages import get, sign_in
from tests.web.staff.test_accounts import with_factor
from tests.web.staff.test_second_factor import row, send, whole

both = pytest.mark.both_databases


def resets() -> list[tuple[str, int | None]]:
    """Who reset a factor, according to the audit log."""
    reading().rollback()
    found = (
        reading()
        .query(AuditEntry)
        .filter(AuditEntry.action == Action.FACTOR_RESET)
        .order_by(AuditEntry.id)
    )
    return [(entry.actor_kind, entry.actor_staff_id) for entry in found]


@both
def test_an_organiser_resets_a_colleagues_factor_and_its_owner_is_told(shared: House) -> None:
    making, _ = with_factor(shared)
    olga, otto = whole(shared, making), shared.signed_in("otto")
    reset = f"/staff/accounts/{row('olga').id}/second-factor"
    sign_in_page = get(otto, "/staff/password").form("/password")
    otto.post(sign_in_page.action, data={**sign_in_page.fields, "password": PASSWORD})
    assert reset in get(otto, "/staff/accounts").html
    assert get(otto, reset).kind == "staff-reset-factor"
    assert send(otto, reset, password="wrong wrong wrong").status == 422
    assert row("olga").totp_secret is not None
    assert send(otto, reset, password=PASSWORD).status == 303
    assert "两步验证已经关掉。" in get(otto, "/staff/accounts").text
    assert "两步验证已经关掉。" not in get(otto, "/staff/accounts").text, "once"
    assert resets() == [("staff", row("otto").id)]
    assert olga.get("/staff/me").status_code == 303, "signed out everywhere"
    assert "关掉了您的两步验证" not in get(otto, "/staff/").text, "it is nobody else's notice"
    olga = shared.signed_in("olga")
    for path, said in (
        ("/staff/?lang=en", "otto turned your second factor off"),
        ("/staff/me?lang=zh", "otto关掉了您的两步验证"),
    ):
        assert said in get(olga, path).text
    form = get(olga, "/staff/").form("/me/factor-reset")
    assert olga.post(form.action, data=form.fields).status_code == 303
    assert "关掉了您的两步验证" not in get(olga, "/staff/").text
    assert "关掉了您的两步验证" not in get(shared.signed_in("olga"), "/staff/").text
    assert send(otto, reset, password=PASSWORD).status == 409, "there is none any more"


def test_an_organiser_who_has_a_factor_gives_its_code_to_reset_another(shared: House) -> None:
    making, _ = with_factor(shared)
    olga = whole(shared, making)
    with transaction() as session:
        accounts.by_name(session, "otto").totp_secret = second_factor.new_secret()
    reset = f"/staff/accounts/{row('otto').id}/second-factor"
    assert "code" in get(olga, reset).form("/second-factor").fields
    for code in ("", "000000", pyotp.TOTP(row("otto").totp_secret or "").at(shared.now)):
        assert send(olga, reset, password=PASSWORD, code=code).status == 422
    assert send(olga, reset, password=PASSWORD, code=making.at(shared.now)).status == 303
    assert row("otto").totp_secret is None


@both
def test_a_command_resets_the_factor_of_the_only_organiser(small: House) -> None:
    with_factor(small)
    for words, code in (
        (("olga",), 0),
        (("olga",), 1),
        (("nobody",), 1),
        ((), 2),
        (("olga", "otto"), 2),
    ):
        answer = run(small, "staff", "reset-factor", *words)
        assert answer.exit_code == code, answer.output
        assert len(answer.stderr.splitlines()) == (0 if code == 0 else 1) or code == 2
    assert (
        "Example: flask --app wsgi staff reset-factor"
        in run(small, "staff", "reset-factor", "--help").output
    )
    assert resets() == [("system", None)]
    olga = small.client()
    assert sign_in(olga, "olga", PASSWORD).status_code == 303, "the password stays"
    assert "有人在服务器上关掉了您的两步验证" in get(olga, "/staff/").text
