"""`make audit` says what is known, and never takes silence for a good answer."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from script import audit
from tests.proofs.conftest import WHOLE
from tests.support.factories import ROOT, bare_environment
from tests.support.servers import free_port

LOCK = f"idna==3.4 \\\n    --hash=sha256:{'0' * 64}\n"
ADVISORY = {
    "id": "PYSEC-2030-1",
    "summary": "made up",
    "details": "made up",
    "modified": "2030-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"name": "idna", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.7"}]}],
        }
    ],
}


@contextmanager
def service(status: int, osv: Any, npm: Any) -> Iterator[str]:
    """A service that knows vulnerabilities, for pip-audit and for npm. Gives its address."""

    class Answers(BaseHTTPRequestHandler):
        """Answers every question alike."""

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = json.dumps(npm if self.path.startswith("/-/npm") else osv).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def audited(folder: Path, address: str) -> "subprocess.CompletedProcess[str]":
    """`make audit` of a project with one library of Python and those of npm."""
    (folder / "requirements-dev.txt").write_text(LOCK)
    for name in ("package.json", "package-lock.json"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    return subprocess.run(
        [sys.executable, "-m", "script.audit"],
        cwd=folder,
        env=bare_environment(
            PYTHONPATH=str(ROOT),
            HOME=str(folder),
            OSV_URL=f"{address}/v1/query",
            npm_config_registry=address,
            npm_config_fetch_retries="0",
            PYTHONWARNINGS="ignore",
        ),
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_package_about_which_nobody_knows_is_not_taken_for_a_good_one() -> None:
    """pip-audit says this, and ends with 0, if its service answers "not found" to everything."""
    skipped = {"name": "idna", "skip_reason": "could not be audited"}
    good = {"name": "flask", "version": "3.1.3", "vulns": []}
    assert audit.told({"dependencies": [good]}) == []
    for dependencies in ([skipped], [good, skipped], []):
        with pytest.raises(audit.NotAsked, match="no answer about"):
            audit.told({"dependencies": dependencies})


@pytest.mark.skipif(not WHOLE, reason="in `make proofs`")
def test_a_known_vulnerability_is_named_and_ends_with_1(tmp_path: Path) -> None:
    advice = {"vulns": [ADVISORY]}
    esbuild = {
        "esbuild": [
            {
                "id": 1,
                "title": "x",
                "severity": "high",
                "vulnerable_versions": "*",
                "url": "https://example.org",
            }
        ]
    }
    with service(200, advice, esbuild) as address:
        done = audited(tmp_path, address)
    assert done.returncode == audit.KNOWN, done.stdout + done.stderr
    assert "idna 3.4: PYSEC-2030-1; mended in 3.7" in done.stdout
    assert "esbuild: high" in done.stdout


@pytest.mark.skipif(not WHOLE, reason="in `make proofs`")
def test_nothing_known_ends_with_0(tmp_path: Path) -> None:
    with service(200, {}, {}) as address:
        done = audited(tmp_path, address)
    assert (done.returncode, done.stderr) == (0, "")
    assert "No vulnerability is known" in done.stdout


@pytest.mark.parametrize("way", ["nobody there", "broken"] if WHOLE else ["nobody there"])
def test_a_service_without_an_answer_is_one_line_and_ends_with_3(tmp_path: Path, way: str) -> None:
    if way == "nobody there":
        done = audited(tmp_path, f"http://127.0.0.1:{free_port()}")
    else:
        with service(500, {}, {}) as address:
            done = audited(tmp_path, address)
    assert done.returncode == audit.NOT_ASKED
    assert done.stdout == ""
    assert done.stderr.startswith("NOT AUDITED: ")
    assert len(done.stderr.splitlines()) == 1
