"""`make upgrade` of an installation by `make install-service`, which systemd runs."""

import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from script.upgrade.places import Installed
from script.upgrade.programs import Surroundings
from tests.proofs.conftest import WHOLE
from tests.support.factories import House, toml
from tests.support.servers import free_port
from tests.upgrade.maintainer import (
    Maintainer,
    Operator,
    allowed,
    git,
    make_libraries,
    make_operator,
    two_migrations,
)

whole = pytest.mark.skipif(not WHOLE, reason="in `make proofs`")
SYSTEMCTL = """#!/bin/sh
# Does what systemd does with a unit of Type=notify: a start waits until the server is ready.
here={folder}
stop() {{
    [ -f $here/pid ] || return 0
    kill "$(cat $here/pid)" 2>/dev/null
    while kill -0 "$(cat $here/pid)" 2>/dev/null; do sleep 0.1; done
    rm $here/pid
}}
case "$1" in
show) echo loaded ;;
stop) stop ;;
restart)
    stop
    cd $here/opt/current && : >$here/log
    RUN_BY_SYSTEMD=yes timeout 300 .venv/bin/python -m eventreg.serve >$here/log 2>&1 </dev/null &
    echo $! >$here/pid
    until grep -q "eventreg is ready" $here/log; do
        kill -0 "$(cat $here/pid)" 2>/dev/null || {{ tail -n 1 $here/log >&2; exit 1; }}
        sleep 0.1
    done ;;
esac
"""
FAILS_UNDER_SYSTEMD = """
import os, sys
if os.environ.get("RUN_BY_SYSTEMD"):
    sys.exit("broken only here")
"""


def test_the_link_leads_to_the_new_version_in_one_step_and_back(tmp_path: Path) -> None:
    place = Installed(tmp_path, Surroundings())
    old, new = (tmp_path / "releases" / version for version in ("1.0.0-0123456789", "1.1.0"))
    for folder in (old, new):
        folder.mkdir(parents=True)
    place.switch(old, "")
    before = place.name_of_code()
    for _ in range(2):  # the second time after a kill
        place.switch(new, "")
        assert place.code == new
    assert (tmp_path / "current").readlink() == Path("releases/1.1.0")
    place.switch_back(before)
    assert place.code == old
    place.start()  # says that systemd is not there


class Service(Operator):
    """An installed service, upgraded from a checkout."""

    @property
    def opt(self) -> Path:
        """The folder with the versions."""
        return self.folder.parent / "opt"

    def upgrade(self, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        """`make upgrade`, where the Makefile has found the installation."""
        settings = self.folder.parent / "eventreg.env"
        installed = ("--installed", str(self.opt), "--settings", str(settings))
        return super().upgrade(*installed, *arguments, **more)


@pytest.fixture
def maintainer(tmp_path: Path) -> Maintainer:
    """A repository with version 1.0.0."""
    made = Maintainer(tmp_path)
    made.release("1.0.0")
    return made


@pytest.fixture
def service(maintainer: Maintainer, tmp_path: Path, migrated: Path) -> Iterator[Service]:
    """Version 1.0.0, installed and running, and a checkout of it."""
    made = make_operator(tmp_path, maintainer)
    service = Service(made.folder, made.environment)
    release = service.opt / "releases" / "1.0.0"
    git(tmp_path, "clone", "--quiet", str(maintainer.folder), str(release))
    make_libraries(release / ".venv")
    Installed(service.opt, Surroundings()).switch(release, "")
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    shutil.copy(migrated, state / "eventreg.sqlite3")
    house = House(state)
    with house.app.app_context():
        house.apply(toml())
        house.hire()
        house.register("张桂芳")
    house.close()
    settings = {**made.environment, "EVENTREG_INSTANCE": str(state), "PORT": str(free_port())}
    names = ("EVENTREG_INSTANCE", "EVENTREG_SECRET_KEY", "EVENTREG_RATE_LIMITS", "PORT")
    lines = "".join(f"{name}={settings[name]}\n" for name in names)
    (tmp_path / "eventreg.env").write_text(f"# settings\n{lines}")
    (tmp_path / "release-signers").write_text(allowed(maintainer.key))
    systemctl = tmp_path / "bin" / "systemctl"
    systemctl.write_text(SYSTEMCTL.format(folder=tmp_path))
    systemctl.chmod(0o755)
    for name in ("sleep", "grep", "tail"):
        (tmp_path / "bin" / name).symlink_to(str(shutil.which(name)))
    started = {**made.environment, **settings}
    subprocess.run([systemctl, "restart", "eventreg.service"], env=started, check=True)
    yield service
    subprocess.run([systemctl, "stop", "eventreg.service"], env=started, check=True)


def answer(service: Service) -> str:
    """The page of the server that runs."""
    settings = (service.folder.parent / "eventreg.env").read_text()
    port = settings.rpartition("PORT=")[2].strip()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/zh/", timeout=30) as page:
        return str(page.read().decode())


@whole
def test_the_service_is_restarted_with_the_new_version(
    maintainer: Maintainer, service: Service
) -> None:
    maintainer.release("1.1.0", two_migrations())
    done = service.upgrade()
    assert done.returncode == 0, done.stdout + done.stderr
    assert (service.opt / "current").readlink() == Path("releases/1.1.0")
    assert "(version 1.1.0)" in (service.folder.parent / "log").read_text()
    assert "书法课" in answer(service)
    assert service.version() == "1.1.0", "the checkout follows"


@whole
def test_a_version_that_does_not_start_as_a_service_is_rolled_back(
    maintainer: Maintainer, service: Service
) -> None:
    served = (service.folder / "eventreg" / "serve.py").read_text()
    broken = {"eventreg/serve.py": FAILS_UNDER_SYSTEMD + served.partition('"""\n')[2]}
    maintainer.release("1.1.0", {**two_migrations(), **broken})
    failed = service.upgrade()
    assert failed.returncode == 1
    assert (
        "rolled back to 1.0.0: eventreg.service does not start: broken only here" in failed.stderr
    )
    assert (service.opt / "current").readlink() == Path("releases/1.0.0")
    assert "(version 1.0.0)" in (service.folder.parent / "log").read_text()
    assert "书法课" in answer(service)
