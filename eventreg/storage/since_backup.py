"""Whether something was written since a backup, so that it is known what a restore would lose."""

from datetime import datetime

from sqlalchemy import Select, func, or_, select

from eventreg.core.models.audit import AuditEntry
from eventreg.core.models.outbox import OutboxMessage
from eventreg.storage.backups import Manifest
from eventreg.storage.session import db


def _count(query: Select[int]) -> int:
    with db.engine.connect() as connection:
        return connection.execute(query).scalar_one()


def count_written(manifest: Manifest) -> int:
    """The number of acts since the backup: audit entries, and mails that were sent or given up.
    Every act of guests and staff writes an audit entry.

    The tables may have a newer schema than this program knows.
    """
    audited = _count(select(func.count(AuditEntry.id))) - manifest.rows[AuditEntry.__tablename__]
    made_at = datetime.fromisoformat(manifest.made_at)
    told = or_(OutboxMessage.settled_at >= made_at, OutboxMessage.failed_at >= made_at)
    return audited + _count(select(func.count(OutboxMessage.id)).where(told))
