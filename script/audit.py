"""`make audit`: known vulnerabilities of the locked packages, of Python and of npm.

Exit code 0: none is known. 1: some are. 3: nobody could be asked, or not about every package; this
is never taken for "none".
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path.cwd()
KNOWN, NOT_ASKED = 1, 3
_TIMEOUT = 600


class NotAsked(Exception):
    """The service that knows vulnerabilities gave no answer. The text says why, in one line."""


def _read(arguments: Sequence[str | Path]) -> Any:
    """The JSON that a program prints, whatever its exit code."""
    name = Path(arguments[0]).name
    try:
        done = subprocess.run(
            arguments, cwd=HERE, capture_output=True, text=True, check=False, timeout=_TIMEOUT
        )
        return json.loads(done.stdout)
    except FileNotFoundError:
        raise NotAsked(f"{name} is not installed") from None
    except subprocess.TimeoutExpired:
        raise NotAsked(f"{name} had no answer in {_TIMEOUT} seconds") from None
    except ValueError:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise NotAsked(f"{name}: {lines[-1].strip() if lines else 'said nothing'}") from None


def of_python() -> list[str]:
    """The known vulnerabilities of Python's packages, in one line each. requirements-dev.txt holds
    those of requirements.txt too."""
    tool = Path(sys.executable).with_name("pip-audit")
    asked: list[str | Path] = [tool, "--disable-pip", "--require-hashes", "--progress-spinner=off"]
    if service := os.environ.get("OSV_URL"):
        asked += ["--vulnerability-service=osv", f"--osv-url={service}"]
    return told(_read([*asked, "--format=json", "-r", "requirements-dev.txt"]))


def told(answer: Any) -> list[str]:
    """The vulnerabilities in an answer of pip-audit. ``NotAsked`` if it skipped a package, because
    it ends with 0 even if the service knew none of them."""
    found, skipped = [], []
    for one in answer["dependencies"]:
        if "skip_reason" in one:
            skipped.append(one["name"])
        for known in one.get("vulns", ()):
            fixed = ", ".join(known["fix_versions"]) or "no version yet"
            found.append(f"{one['name']} {one['version']}: {known['id']}; mended in {fixed}")
    if found:
        return found
    if skipped or not answer["dependencies"]:
        raise NotAsked(f"pip-audit: no answer about {len(skipped)} packages")
    return []


def of_npm() -> list[str]:
    """The known vulnerabilities of the packages in package-lock.json, in one line each."""
    answer = _read(["npm", "audit", "--json"])
    if "vulnerabilities" not in answer:
        why = answer.get("message") or answer.get("error", {}).get("summary") or "no answer"
        raise NotAsked(f"npm audit: {str(why).splitlines()[0]}")
    return [
        f"{name}: {one['severity']} (npm audit tells more)"
        for name, one in sorted(answer["vulnerabilities"].items())
    ]


def main() -> None:
    """Ask about each lock, and exit with what was learnt."""
    found: list[str] = []
    silent: list[str] = []
    for ask in (of_python, of_npm):
        try:
            found += ask()
        except NotAsked as reason:
            silent.append(str(reason))
    for line in found:
        print(line)
    if silent:
        print(f"NOT AUDITED: {'; '.join(silent)}", file=sys.stderr)
    if found:
        sys.exit(KNOWN)
    if silent:
        sys.exit(NOT_ASKED)
    print("No vulnerability is known of any locked package.")


if __name__ == "__main__":
    main()
