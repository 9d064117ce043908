"""The service in a Debian that boots, and the container, built and run. They take many minutes, and
need a machine that lets root do so; elsewhere only the files are checked."""

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from tests.proofs.conftest import WHOLE
from tests.support.factories import ROOT

pytestmark = pytest.mark.skipif(not WHOLE, reason="in `make proofs`")


def require(*programs: str) -> None:
    """Skip, and say why, if this machine cannot do it."""
    if os.getuid() != 0:
        pytest.skip("only root may boot a Debian or build a container here")
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


def is_free(port: int) -> bool:
    """Whether nobody listens on a port of this machine."""
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def run(*command: str | Path) -> str:
    """Run a script of the repository, and return what it said."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    return done.stdout


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_the_page_leads_from_a_bare_debian_to_https(suite: str) -> None:
    require("debootstrap", "systemd-nspawn", "nsenter", "curl", "apt-get")
    taken = [port for port in (80, 443, 8000, 8001) if not is_free(port)]
    if taken:
        pytest.skip(f"somebody listens on {taken}, which the Debian would share")
    # On the disk: the folder of other tests may lie in memory, and a Debian is large.
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="eventreg-") as folder:
        said = run("script/try-going-live", Path(folder, "debian"), suite)
    assert "All of it works" in said


def test_the_container_serves_without_rights() -> None:
    require("debootstrap", "buildah", "podman", "crun", "apt-get")
    said = run("script/try-container")
    assert "uid=10001(eventreg)" in said
    assert said.splitlines().count("well") == 1
