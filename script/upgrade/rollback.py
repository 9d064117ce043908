"""The way back to the old version, after a step has failed.

The old code comes back. The database stays as it is if the old version runs on it, so that nothing
is lost. Otherwise it comes from the backup, if nothing was written since. Otherwise the new version
stays, because the old one could not start.
"""

from script.upgrade.programs import Refused, last_line, say
from script.upgrade.steps import Upgrade


def roll_back(upgrade: Upgrade) -> None:
    """Go back. May be called again if it was interrupted. ``Refused`` if there is no way back."""
    progress, place = upgrade.progress, upgrade.place
    say(f"{progress.version} is not used: {progress.failed}")
    if "start" in progress.begun:
        place.stop()
    if "switch" in progress.begun:
        place.switch_back(progress.old_code)
    if reason := _mend_database(upgrade):
        _stay(upgrade)
        raise Refused(reason)
    if "start" in progress.begun:
        place.start()
    upgrade.file.unlink()


def _mend_database(upgrade: Upgrade) -> str:
    """Let the old version run on the database. Returns why that cannot be; empty if it runs."""
    progress, place = upgrade.progress, upgrade.place
    is_restoring = "restore" in progress.begun
    if not is_restoring and place.around.flask(place.code, "db", "fits").returncode == 0:
        return ""
    if reason := _would_lose(upgrade):
        return reason
    place.stop()
    progress.begun += ["switch", "start"]  # it was stopped, and some version has to start
    if reason := _would_lose(upgrade):  # somebody was quick
        return reason
    progress.begun.append("restore")
    upgrade.save()
    say(f"restoring {progress.backup} ...")
    restored = place.around.flask(place.code, "backup", "restore", progress.backup)
    if restored.returncode:
        raise Refused(f"restore: {last_line(restored.stderr or restored.stdout)}")
    return ""


def _would_lose(upgrade: Upgrade) -> str:
    """Why the backup may not be restored; empty if nothing was written since."""
    progress, place = upgrade.progress, upgrade.place
    unchanged = place.around.flask(place.code, "backup", "unchanged", progress.backup)
    if not unchanged.returncode:
        return ""
    return (
        f"{progress.failed}. {progress.old_version} does not run on the new tables, and its backup "
        f"is not used: {last_line(unchanged.stderr or unchanged.stdout)}. Nothing is lost. "
        "Mend the first, then run: make upgrade"
    )


def _stay(upgrade: Upgrade) -> None:
    """Stay with the new version. The next call checks it again."""
    progress, place = upgrade.progress, upgrade.place
    if "switch" in progress.begun:
        place.switch(upgrade.release, progress.tag)
    progress.failed, progress.done, progress.is_stuck = "", ["migrate"], True
    upgrade.save()
    if "start" in progress.begun:
        place.start()
