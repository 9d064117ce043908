"""`make upgrade`: the command."""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from script.upgrade import progress as progresses
from script.upgrade import tags
from script.upgrade.places import Checkout, Installed, Place, instance_of, version_of
from script.upgrade.programs import Refused, Surroundings, say
from script.upgrade.progress import Progress
from script.upgrade.releases import Bundle, Maker
from script.upgrade.rollback import roll_back
from script.upgrade.steps import Upgrade, back_up, carry_on, failing

HERE = Path.cwd()
"""The checkout, or the unpacked bundle, in which `make upgrade` was called."""
_NOTES = "### Upgrade notes"


def main() -> None:
    """Upgrade, or exit with one line. 0: done, or there is nothing newer. 1: refused, or rolled
    back. 130: interrupted; the next call goes on."""
    wanted = _arguments()
    try:
        with progresses.only_one(_folder(wanted)) as lock, _unpacked(wanted.source) as bundle:
            _upgrade(wanted, _place(wanted, lock), bundle)
    except Refused as refused:
        sys.exit(str(refused))
    except OSError as error:  # the disk is full, or a folder is not ours
        sys.exit(f"{error.filename or 'upgrade'}: {error.strerror}")
    except KeyboardInterrupt:
        say("Interrupted. make upgrade goes on from here.")
        sys.exit(130)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make upgrade", description=__doc__)
    parser.add_argument("--version", default="", help="this version instead of the newest")
    parser.add_argument("--from", dest="source", default="", help="an offline bundle, or a git URL")
    parser.add_argument("--installed", default="", help="folder of make install-service")
    parser.add_argument("--settings", default="/etc/eventreg/eventreg.env", help="its settings")
    parser.add_argument("--signers", default="", help="file of the keys that may sign a release")
    return parser.parse_args()


def _folder(wanted: argparse.Namespace) -> Path:
    return Path(wanted.installed).resolve() if wanted.installed else HERE / ".upgrade"


def _place(wanted: argparse.Namespace, lock: int) -> Place:
    """What is to be upgraded, with its settings."""
    if not wanted.installed:
        if not (HERE / ".git").exists():
            raise Refused(
                f"{HERE} is no git checkout; docs/operator.md, Upgrading, says what to do"
            )
        environment = {**os.environ}
        environment["EVENTREG_INSTANCE"] = str(
            HERE / (environment.get("EVENTREG_INSTANCE") or "instance")
        )
        return Checkout(HERE, Surroundings(environment, lock=lock))
    os.umask(0o022)  # the service's user reads the code
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "GNUPGHOME", "GIT_TERMINAL_PROMPT")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment |= _settings(Path(wanted.settings))
    state = environment.setdefault("EVENTREG_INSTANCE", "/var/lib/eventreg")
    owned = Path(state).stat()
    owner = (owned.st_uid, owned.st_gid) if os.getuid() == 0 and owned.st_uid else None
    return Installed(Path(wanted.installed).resolve(), Surroundings(environment, owner, lock))


def _settings(file: Path) -> dict[str, str]:
    """The settings of the service, from the file that systemd reads too."""
    found = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        name, is_setting, value = line.strip().partition("=")
        if is_setting and not name.startswith(("#", ";")):
            quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
            found[name.strip()] = value[1:-1] if quoted else value
    return found


@contextmanager
def _unpacked(source: str) -> Iterator[Bundle | None]:
    """The content of an offline bundle, if the source is one."""
    path = Path(source)
    if not source or not path.exists() or (not (path / "release").exists() and path.is_dir()):
        yield None
    elif path.is_dir():
        yield Bundle(path.resolve())
    else:
        with tempfile.TemporaryDirectory() as folder:
            unpack = ["tar", "-xf", str(path.resolve()), "-C", folder, "--no-same-owner"]
            Surroundings().require(source, unpack, Path(folder))
            yield Bundle(next(Path(folder).iterdir()))


def _repository(wanted: argparse.Namespace, place: Place, bundle: Bundle | None) -> tags.Repository:
    folder = HERE
    if not (HERE / ".git").exists():
        folder = place.folder / "repository.git"
        tags.bare(folder, place.around)
        if not wanted.source:
            raise Refused("this folder is no git checkout; say where the new version is: FROM=...")
    beside = Path(wanted.settings).parent if wanted.installed else instance_of(place)
    signers = Path(wanted.signers) if wanted.signers else beside / "release-signers"
    source = str(bundle.history) if bundle else wanted.source or "origin"
    return tags.Repository(folder, source, signers.resolve(), place.around)


def _upgrade(wanted: argparse.Namespace, place: Place, bundle: Bundle | None) -> None:
    repository = _repository(wanted, place, bundle)
    is_service = isinstance(place, Installed)
    maker = Maker(place.folder, place.code, repository, place.around, bundle, is_service)
    file = place.folder / "upgrade.json"
    progress = progresses.read(file) or _begin(wanted, place, maker)
    if progress is None:
        return
    if progress.is_stuck:
        _take_newer(wanted, place, maker, progress)
    upgrade = Upgrade(place, maker, progress, file)
    if not progress.failed:
        maker.make(repository.check(progress.version, progress.tag))
        try:
            carry_on(upgrade)
        except (Refused, OSError) as refused:
            progress.failed = str(refused)
            upgrade.save()
    if progress.failed:
        roll_back(upgrade)
        raise Refused(f"rolled back to {progress.old_version}: {progress.failed}")
    _finish(upgrade)


def _take_newer(wanted: argparse.Namespace, place: Place, maker: Maker, progress: Progress) -> None:
    """Go on with a newer version, if there is one, after a version that has a fault."""
    chosen = maker.repository.choose(wanted.version, progress.version)
    if chosen:
        tag = maker.repository.fetch(*chosen)
        place.check(maker.repository, tag.object)
        progress.version, progress.tag, progress.done = tag.version, tag.object, []
        progress.is_stuck = False


def _begin(wanted: argparse.Namespace, place: Place, maker: Maker) -> Progress | None:
    """All that changes nothing of what runs. ``None`` if there is nothing newer."""
    present = version_of(place.code)
    chosen = maker.repository.choose(wanted.version, present)
    if chosen is None:
        say(f"eventreg {present} is the newest version.")
        return None
    say(f"fetch: v{chosen[0]} ...")
    tag = maker.repository.fetch(*chosen)
    if _NOTES in tag.text:
        say(tag.text.partition(_NOTES)[2].partition("\n###")[0].strip())
    place.check(maker.repository, tag.object)
    say("install: the code and its libraries, in a folder beside ...")
    maker.make(tag)
    say("backup: with the version that runs ...")
    broken = failing(place, place.code)
    if broken:
        say(f"doctor says before the upgrade already: {'; '.join(broken)}")
    backup = back_up(place, tag.version)
    code = place.name_of_code()
    return Progress(present, code, tag.version, tag.object, backup, failing=broken)


def _finish(upgrade: Upgrade) -> None:
    """Tidy up, and say that all is done."""
    progress, place = upgrade.progress, upgrade.place
    was = progress.old_code.partition("\n")[0]
    upgrade.maker.drop_old({upgrade.release, place.folder / "releases" / was})
    upgrade.file.unlink()
    if isinstance(place, Installed):
        _follow(place, progress.tag)
        say("The unit files stay as they are. To bring them up to date: make install-service")
    say(f"eventreg {progress.version} is in use. The version before was {progress.old_version}.")
    say(f"The backup from before: {progress.backup}")


def _follow(place: Installed, tag: str) -> None:
    """Bring the checkout from which this was called to the version that runs, unless it was changed
    by hand. The next upgrade is done by that version."""
    if (HERE / ".git").exists():
        here = Checkout(HERE, place.around)
        if not here.changed():
            here.checkout("--detach", f"{tag}^{{commit}}")


if __name__ == "__main__":
    main()
