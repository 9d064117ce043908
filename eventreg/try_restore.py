"""Restore a backup into an empty instance folder, and look whether it could be used.

``python -m eventreg.try_restore FILE [IDENTITY]`` is the drill's own process. Its settings lead to
the folder and the database of the drill. It prints its result as JSON.
"""

import json
import os
import sys
from pathlib import Path

from eventreg.app import create_app
from eventreg.app_clock import current_time
from eventreg.commands.refusing import TROUBLE, reason
from eventreg.core import erasure
from eventreg.core.backups import faults
from eventreg.core.backups.faults import BackupRefused
from eventreg.operations import erasure_log, restoring
from eventreg.operations.doctor import findings
from eventreg.settings.reading import read
from eventreg.storage.session import close, reading


def main() -> None:
    """Restore, erase again who was erased since, run ``doctor``, and print what was found."""
    os.umask(0o077)
    file, *identities = map(Path, sys.argv[1:])
    try:
        answer: dict[str, object] = _try(file, identities[0] if identities else None)
    except TROUBLE as trouble:
        answer = {"code": faults.code_of(trouble, "not-restored"), "text": reason(trouble)}
    print(json.dumps(answer), flush=True)  # noqa: T201 - this is a program's own output


def _try(file: Path, identity: Path | None) -> dict[str, object]:
    app = create_app(read(os.environ))
    try:
        with app.app_context():
            manifest, done = restoring.restore(file, now=current_time(), identity=identity)
            wrong = [f"{area}: {finding.name}" for area, finding in findings() if not finding.holds]
            wrong += [f"{slug}: could not be purged" for slug in done.failed]
            erased = erasure_log.erased_digests()
            back = erasure.back_again(reading(), erased)
    finally:
        close(app)
    if back:
        raise BackupRefused(f"{file}: {len(back)} who were erased are back", "erased-are-back")
    if wrong:
        raise BackupRefused(f"{file}: restored, but doctor says NO: {'; '.join(wrong)}", "doctor")
    return {"rows": manifest.rows, "erased": len(erased)}


if __name__ == "__main__":
    main()
