"""What is kept of forms that were sent: the key of each that registered, for a week; and what was
typed into the others, for half an hour.

What was typed is kept so that Back, reload and "restore pages" show it (docs/adr/0003).
"""

import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Delete, bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from eventreg.core.driver import Driver
from eventreg.core.models.registration import FormKey, Registration, UnfinishedForm
from eventreg.core.values import sealed, tokens

KEPT = timedelta(days=7)
"""For this long, sending the same form again gives the same registration."""
UNFINISHED_KEPT = timedelta(minutes=30)
"""For this long, the address of an unfinished form shows what was typed."""
MOST_UNFINISHED = 5000
"""So many unfinished forms are kept at once. Those beyond are answered without an address."""
LONGEST = 8000
"""The most characters that are kept of one form."""
_NOT_IN_MEMORY = {"synchronize_session": False}


@dataclass(frozen=True)
class Unfinished:
    """What the address of an unfinished form leads to: what was typed, or the registration that it
    became."""

    typed: dict[str, Any] | None
    registration: Registration | None


def new_key() -> str:
    """The secret part of the address of one unfinished form: 128 random bits. It is never the form
    key, and each sending gets a new one: whoever has seen an address sees nothing sent later."""
    return secrets.token_hex(16)


def keep(
    session: Session, key: str, form_key: str, typed: dict[str, Any], *, now: datetime
) -> bool:
    """Keep what was typed under this key, encrypted with it. Returns whether it is kept: not if it
    is too long, nor while too many are kept. Deletes what is older than ``UNFINISHED_KEPT``."""
    text = json.dumps(typed, ensure_ascii=False)
    if len(text) > LONGEST:
        return False
    drop_old_unfinished(session, now=now)
    if session.execute(select(func.count(UnfinishedForm.key_digest))).scalar_one() >= (
        MOST_UNFINISHED
    ):
        return False
    session.add(
        UnfinishedForm(
            key_digest=tokens.digest(key),
            form_key=form_key,
            sealed=sealed.seal(key, text),
            kept_at=now,
        )
    )
    return True


def find(session: Session, key: str, *, now: datetime) -> Unfinished | None:
    """What is kept under this key; ``None`` if nothing is, or no longer."""
    row = session.scalar(
        select(UnfinishedForm).where(
            UnfinishedForm.key_digest == tokens.digest(key),
            UnfinishedForm.kept_at >= now - UNFINISHED_KEPT,
        )
    )
    if row is None:
        return None
    if row.sealed is not None:
        return Unfinished(json.loads(sealed.unseal(key, row.sealed)), None)
    made = session.scalar(
        select(Registration)
        .join(FormKey, FormKey.registration_id == Registration.id)
        .where(FormKey.key == row.form_key)
    )
    return Unfinished(None, made) if made else None


_of_form = UnfinishedForm.form_key == bindparam("of_form")
_confirmed = UnfinishedForm.key_digest == bindparam("confirmed")
_drop_others = delete(UnfinishedForm).where(_of_form, ~_confirmed)
_drop_text = update(UnfinishedForm).where(_of_form, _confirmed).values(sealed=None)


def finish(connection: Connection | Driver, form_key: str, key: str) -> None:
    """Delete what was typed into a form that registers, in the transaction that registers it.

    The page that was confirmed keeps its address, which now leads to the ticket. No other address
    does, also not one of the same form: somebody else may have seen it.
    """
    parameters = {"of_form": form_key, "confirmed": tokens.digest(key)}
    connection.execute(_drop_others, parameters)
    if key:
        connection.execute(_drop_text, parameters)


def nothing_left(ids: Collection[int]) -> tuple[Delete, Delete]:
    """The statements that delete what the forms of these registrations left, in this order."""
    of_them = FormKey.registration_id.in_(ids)
    keys = select(FormKey.key).where(of_them)
    return (
        delete(UnfinishedForm).where(UnfinishedForm.form_key.in_(keys)),
        delete(FormKey).where(of_them),
    )


def count_old(session: Session, *, now: datetime) -> int:
    """Count the keys that are older than ``KEPT``."""
    return session.execute(
        select(func.count()).select_from(FormKey).where(FormKey.created_at < now - KEPT)
    ).scalar_one()


def drop_old(session: Session, *, now: datetime) -> None:
    """Delete the keys older than ``KEPT``, and what was typed before ``UNFINISHED_KEPT``."""
    session.execute(
        delete(FormKey).where(FormKey.created_at < now - KEPT), execution_options=_NOT_IN_MEMORY
    )
    drop_old_unfinished(session, now=now)


def has_old_unfinished(session: Session, *, now: datetime) -> bool:
    """Whether something typed before ``UNFINISHED_KEPT`` is still kept."""
    old = select(UnfinishedForm.key_digest).where(UnfinishedForm.kept_at < now - UNFINISHED_KEPT)
    return session.scalar(old.limit(1)) is not None


def drop_old_unfinished(session: Session, *, now: datetime) -> None:
    """Delete what was typed before ``UNFINISHED_KEPT``."""
    session.execute(
        delete(UnfinishedForm).where(UnfinishedForm.kept_at < now - UNFINISHED_KEPT),
        execution_options=_NOT_IN_MEMORY,
    )
