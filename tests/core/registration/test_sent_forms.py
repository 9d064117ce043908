"""What is kept of forms that are not finished: for how long, how many, and that the database alone
does not reveal it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from eventreg import background
from eventreg.core import audit, erasure
from eventreg.core.registration import lookup, sent_forms
from eventreg.storage.session import Session, reading, write
from tests.support.factories import House, with_event

pytestmark = pytest.mark.both_databases
FORM = "f" * 32
TYPED: dict[str, Any] = {"name": "慕容翠花", "phone": "13800138000"}


def keep(house: House, form_key: str = FORM, **typed: Any) -> str:
    """Keep what was typed. Returns the key of its address; "" if it was not kept."""
    key, now = sent_forms.new_key(), house.now
    what = {**TYPED, **typed}
    kept = write(lambda session: sent_forms.keep(session, key, form_key, what, now=now))
    return key if kept else ""


def found(house: House, key: str) -> Any:
    """What was typed under this address."""
    reading().rollback()
    kept = sent_forms.find(reading(), key, now=house.now)
    return kept.typed if kept else None


def test_what_was_typed_is_found_for_half_an_hour(small: House) -> None:
    key = keep(small)
    small.now += timedelta(minutes=30)
    assert found(small, key) == TYPED
    small.now += timedelta(seconds=1)
    assert found(small, key) is None
    assert found(small, "0" * 32) is None


def test_another_process_finds_it_too(small: House, folder: Any, environment: Any) -> None:
    key = keep(small)
    other = House(folder, **environment)
    with other.app.app_context():
        assert found(other, key) == TYPED
    other.close()


def test_the_database_holds_neither_the_address_nor_what_was_typed(small: House) -> None:
    key = keep(small)
    (row,) = reading().execute(text("SELECT * FROM unfinished_forms")).all()
    for kept in row:
        for secret in (key, TYPED["name"], TYPED["phone"]):
            assert secret not in str(kept)
        assert TYPED["name"].encode().hex() not in str(kept)


def test_the_purge_and_a_job_delete_it(small: House) -> None:
    for job in (background.purge, background.drop_unfinished):
        keep(small)
        small.now += timedelta(minutes=31)
        reading().rollback()
        job()
        assert reading().execute(text("SELECT count(*) FROM unfinished_forms")).scalar_one() == 0


def test_so_many_are_kept_at_once_and_old_ones_make_room(
    small: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sent_forms, "MOST_UNFINISHED", 3)
    keys = [keep(small) for _ in range(4)]
    assert [bool(key) for key in keys] == [True, True, True, False]
    small.now += timedelta(minutes=31)
    assert keep(small)


def test_a_very_long_form_is_not_kept(small: House) -> None:
    assert keep(small, name="字" * sent_forms.LONGEST) == ""


def test_a_form_that_registers_keeps_nothing_typed_and_one_address(small: House) -> None:
    earlier, confirmed, other = keep(small), keep(small), keep(small, "e" * 32)
    made = small.register("慕容翠花", key=FORM)
    write(lambda session: sent_forms.finish(session.connection(), FORM, confirmed))
    reading().rollback()
    assert sent_forms.find(reading(), earlier, now=small.now) is None, "somebody may have seen it"
    kept = sent_forms.find(reading(), confirmed, now=small.now)
    assert kept is not None
    assert (kept.typed, kept.registration and kept.registration.id) == (None, made.id)
    assert found(small, other) == TYPED
    stored = reading().execute(text("SELECT sealed FROM unfinished_forms")).scalars().all()
    assert stored.count(None) == 1


def test_an_address_of_another_form_does_not_lead_to_the_ticket(small: House) -> None:
    """Somebody sends a guest a link to their own form; the guest registers by another one."""
    theirs = keep(small, "e" * 32)
    small.register("慕容翠花", key=FORM)
    write(lambda session: sent_forms.finish(session.connection(), FORM, theirs))
    assert found(small, theirs) == TYPED


def test_erasing_somebody_deletes_what_their_form_left(small: House) -> None:
    confirmed = keep(small)
    made = small.register("慕容翠花", key=FORM)
    write(lambda session: sent_forms.finish(session.connection(), FORM, confirmed))

    def erase(session: Session) -> None:
        found = with_event(session, lookup.get(session, made.id))
        erasure.erase(session, *found, by=audit.SYSTEM, now=small.now)

    write(erase)
    assert reading().execute(text("SELECT count(*) FROM unfinished_forms")).scalar_one() == 0
