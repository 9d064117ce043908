"""`make install-service` and `make uninstall-service`, on Debian and Ubuntu.

It needs only Python's standard library, because it runs before the libraries are installed.
"""

import argparse
import os
import re
import secrets
import shutil
import sys
from pathlib import Path

from script.installation import files, release
from script.installation.files import Place
from script.installation.kept_files import LIST, File, KeptFiles
from script.installation.machine import USER, Machine, installed_proxy, say


def main() -> None:
    """Do what the arguments say."""
    given = _arguments()
    os.umask(0o022)
    is_trial = given.dry_run or given.destdir != "/"
    if not is_trial:
        _require_a_machine()
    machine = Machine(is_real=not is_trial)
    if given.act == "uninstall":
        uninstall(machine, given)
    else:
        install(machine, given)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make install-service", description=__doc__)
    parser.add_argument("act", choices=("install", "uninstall"))
    parser.add_argument("--domain", default="", help="such as register.example.org")
    parser.add_argument("--proxy", default="", choices=("", "caddy", "nginx", "none"))
    parser.add_argument("--dry-run", action="store_true", help="print every file, change nothing")
    parser.add_argument("--destdir", default="/", help="write into this folder, start nothing")
    return parser.parse_args()


def _require_a_machine() -> None:
    """Stop with one line for each thing that is missing."""
    faults = []
    if os.getuid() != 0:
        faults.append("Please run it as root: sudo make install-service DOMAIN=...")
    if sys.version_info < (3, 11):  # noqa: UP036 - the machine brings the Python
        faults.append("eventreg needs Python 3.11 or newer.")
    for program in ("systemctl", "systemd-sysusers", "setpriv"):
        if shutil.which(program) is None:
            faults.append(f"{program} is missing: this machine does not run systemd.")
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian has it in a package of its own
    except ImportError:
        faults.append("Please run: sudo apt-get install -y python3-venv")
    if faults:
        sys.exit("\n".join(faults))


def install(machine: Machine, given: argparse.Namespace) -> None:
    """Install the service, or bring an installed one up to date."""
    kept = KeptFiles(Path(given.destdir))
    place = _place(kept, given.domain)
    if newer := release.newer_one(kept.root):
        sys.exit(
            f"Version {newer} is installed, and this folder is {release.version(files.SOURCE)}. "
            f"Please run first: git checkout v{newer}"
        )
    proxy = given.proxy or installed_proxy()
    name = release.name()
    say(f"eventreg {name} for https://{place.domain}")
    ours = files.files(place)
    if given.dry_run:
        _show(machine, kept, place, ours, name, proxy)
        return
    say(f"The program is copied to {files.CODE}/releases/{name}; this may take a minute.")
    release.copy(kept.root, name, libraries=machine.is_real)
    for file in ours[:1]:
        _write(kept, file)
    machine.run("systemd-sysusers")
    _write_settings(kept, place)
    edited = [file.path for file in ours if not _write(kept, file)]
    release.switch(kept.root, name)
    machine.start()
    to_do = machine.lead_guests_here(proxy) if machine.is_real else ""
    _tell(machine, place, edited, to_do)


def _place(kept: KeptFiles, domain: str) -> Place:
    """The domain and the port: those of the settings file, or those of a first installation."""
    there = _settings(kept)
    known = there.get("EVENTREG_PUBLIC_URL", "").removeprefix("https://").rstrip("/")
    if domain and known and domain != known:
        sys.exit(
            f"{files.SETTINGS} says EVENTREG_PUBLIC_URL=https://{known}, not {domain}. "
            "Change it there, and run this command without DOMAIN."
        )
    domain = (domain or known).lower()
    if not re.fullmatch(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]*[a-z][a-z0-9-]*", domain):
        said = f", not {domain!r}" if domain else ""
        sys.exit(
            f"DOMAIN: must be the name of this server without https://{said}, as in: "
            "make install-service DOMAIN=register.example.org"
        )
    return Place(domain, there.get("PORT", "8000"))


def _settings(kept: KeptFiles) -> dict[str, str]:
    """The settings that were installed before. Who may not read them cannot know them."""
    try:
        return files.read_settings(kept.at(files.SETTINGS).read_text())
    except OSError:
        return {}


def _write_settings(kept: KeptFiles, place: Place) -> None:
    """Write the settings once. Later they are the operator's, and hold passwords: never shown."""
    target = kept.at(files.SETTINGS)
    if target.exists():
        say(f"{files.SETTINGS} stays as it is.")
        return
    has_key = kept.at(files.STATE / "secret-key").exists()
    file = files.settings_file(place, "" if has_key else secrets.token_urlsafe(48))
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(file.content)
        if kept.root == Path("/"):
            shutil.chown(target, "root", USER)
        target.chmod(file.mode)
    say(f"{file.path} is written.")


def _write(kept: KeptFiles, file: File) -> bool:
    """Write a file, or say why it stays."""
    difference = kept.write(file)
    if difference:
        say(f"{file.path} was changed by hand and stays. The new one is {file.path}.new:")
        say(difference)
    return not difference


def _show(
    machine: Machine, kept: KeptFiles, place: Place, ours: list[File], name: str, proxy: str
) -> None:
    """Print every file and command, and change nothing."""
    say("Nothing is changed. These files would be written:")
    settings = files.settings_file(place, files.MADE_AT_INSTALLATION)
    for file in [settings, *ours]:
        owner = f"root:{USER}" if file.private else "root:root"
        is_there = kept.at(file.path).exists() and file.private
        stays = is_there or kept.is_changed_by_hand(file.path)
        note = ", which stays as it is" if stays else ""
        say(f"\n=== {file.path} ({file.mode:04o} {owner}){note}")
        say(file.content.rstrip())
    say(f"\n=== {LIST} (0644 root:root): the checksums of these files")
    say(f"=== {files.CODE}/releases/{name}: the program and its libraries")
    say(f"=== {files.CODE}/current: a link to it")
    say(f"=== {files.STATE} (0700 {USER}:{USER}): the data; systemd makes the folder\n")
    machine.run("systemd-sysusers")
    machine.start()
    machine.lead_guests_here(proxy)


def _tell(machine: Machine, place: Place, edited: list[Path], to_do: str) -> None:
    """Say what has been done, and what the operator does next."""
    for path in edited:
        say(f"Look at {path} and {path}.new, and keep what you want of both.")
    if not machine.is_real:
        return
    say(f"eventreg runs, and starts with the machine: https://{place.domain}")
    link = machine.first_link()
    if link:
        say("The first organiser opens this link once, within a day:")
        say(link)
    if to_do:
        say(f"STILL TO DO, before guests can reach it: {to_do}")


def uninstall(machine: Machine, given: argparse.Namespace) -> None:
    """Stop the service and take its files away. The data, the settings and the user stay."""
    kept = KeptFiles(Path(given.destdir))
    machine.leave_the_proxies()
    machine.stop()
    for file in files.files(Place("register.example.org")):
        if given.dry_run:
            say(f"  would remove: {file.path}")
        elif edited := kept.remove(file.path):
            say(f"{file.path} was changed by hand; it is kept as {edited}.")
    code = kept.at(files.CODE)
    if given.dry_run:
        say(f"  would remove: {files.CODE}")
    else:
        shutil.rmtree(code, ignore_errors=True)
    machine.run("systemctl", "daemon-reload")
    say(f"The data stays in {files.STATE}, the settings and the secret key in {files.SETTINGS}.")


if __name__ == "__main__":
    main()
