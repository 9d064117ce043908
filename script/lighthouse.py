"""`make lighthouse`: measure the public pages.

- Every page: its size, its time on a slow network, and the faults that axe and our measuring find.
- Event, form and ticket on a phone: the scores of Lighthouse, the median of three runs.
- Every state of every page: the messages of html-validate.

Lighthouse and html-validate come from npm. The tests do not need them, and git ignores their
folder. The exit code is 1 if a goal is missed: 10 kB, one request, three seconds, no fault,
performance 0.98, accessibility 1, best practices 1, no message.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Response, sync_playwright

from tests.support import cast
from tests.support.chromium import BROWSER, FLAGS
from tests.support.factories import ROOT, SECRET
from tests.support.servers import started
from tests.support.windows import PHONE, Visitor, faults, painted, slowed, window

TOOLS = ROOT / ".lighthouse"
LIGHTHOUSE, HTML_VALIDATE = "lighthouse@12.8.2", "html-validate@10.17.0"
GOALS = {"performance": 0.98, "accessibility": 1.0, "best-practices": 1.0}
TIMES = 3
_MOST_BYTES, _MOST_SECONDS = 10_000, 3.0
_POSTED = {"problems", "check", "full-couple", "already-registered", "find-problems"}
"""States that follow a form. The page at their address is measured, not the posted one."""
_RULES = {
    "extends": ["html-validate:recommended"],
    "rules": {
        "doctype-style": "off",
        "tel-non-breaking": "off",
        "void-style": "off",
        "attribute-boolean-style": "off",
        "no-trailing-whitespace": "off",
        "no-implicit-button-type": "off",
        "no-inline-style": "error",
        "long-title": "off",
        "require-sri": "off",
        "attr-quotes": "off",
        "element-required-attributes": "error",
        "prefer-native-element": "off",
    },
}


def main() -> int:
    """Measure and print. Returns 1 if a goal is missed."""
    _install()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "instance")
        folder.mkdir()
        paths = cast.prepare(folder)
        with started(folder, EVENTREG_CLOCK=cast.MORNING, EVENTREG_SECRET_KEY=SECRET) as server:
            missed = _weighed(server.address, paths)
            missed += _judged(server.address, paths, Path(temporary))
            missed += _validated(server.address, paths, Path(temporary))
    for line in missed:
        print(f"missed: {line}")
    return bool(missed)


def _install() -> None:
    """Install the tools once. They use Debian's Chromium."""
    if not (TOOLS / "node_modules" / "lighthouse").exists():
        if shutil.which("npm") is None:
            sys.exit("make lighthouse needs Node 18 or newer, with npm")
        TOOLS.mkdir(exist_ok=True)
        (TOOLS / "package.json").write_text("{}")
        options = "--no-save --ignore-scripts --no-audit --no-fund --silent".split()
        subprocess.run(
            ["npm", "install", *options, LIGHTHOUSE, HTML_VALIDATE], cwd=TOOLS, check=True
        )


def _weighed(address: str, paths: dict[str, str]) -> list[str]:
    """Measure every page that has an address.

    Measured are the bytes with their headers, the requests, the seconds (at 400 kbit/s, 2 s latency
    and a six times slower processor), and the faults.
    """
    missed = []
    print(f"{'page':<24}{'bytes':>7}{'requests':>10}{'seconds':>9}{'faults':>8}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        guest = Visitor(window(browser, PHONE), address, "zh", paths)
        found = [(name, page.url, len(faults(name, page))) for name, page in guest.states()]
        for name, url, wrong in found:
            size, asked, seconds = _slowly(browser, url)
            shown = f"{name} *" if name in _POSTED else name
            print(f"{shown:<24}{size:>7}{asked:>10}{seconds:>9.2f}{wrong:>8}", flush=True)
            if wrong or asked != 1 or size > _MOST_BYTES or seconds > _MOST_SECONDS:
                missed.append(
                    f"{name}: {size} bytes, {asked} requests, {seconds:.2f} s, {wrong} faults"
                )
        browser.close()
    print("* what was posted there is not weighed; the page at its address is")
    return missed


def _slowly(browser: Browser, url: str) -> tuple[int, int, float]:
    """The bytes, the requests, and the seconds until the largest part is painted."""
    page = window(browser, PHONE)
    came: list[float] = []
    asked: list[str] = []
    wire = slowed(page)
    wire.on("Network.loadingFinished", lambda event: came.append(event["encodedDataLength"]))
    wire.on("Network.requestWillBeSent", lambda event: asked.append(event["request"]["url"]))
    page.goto(url)
    seconds = painted(page) / 1000
    page.context.close()
    return int(sum(came)), len([one for one in asked if not one.endswith("/favicon.ico")]), seconds


def _judged(address: str, paths: dict[str, str], temporary: Path) -> list[str]:
    """Run Lighthouse on three pages. Returns the missed goals."""
    missed = []
    pages = {
        "event": "/zh/events/open",
        "form": "/zh/events/open/register",
        "ticket": paths["couple"],
    }
    for name, path in pages.items():
        reports = [_report(address + path, temporary / "report.json") for _ in range(TIMES)]
        said = []
        for category, goal in GOALS.items():
            score = statistics.median(report["categories"][category]["score"] for report in reports)
            said.append(f"{category} {score:.2f}")
            if score < goal:
                low = ", ".join(_low(reports[-1], category))
                missed.append(f"{name}: {category} {score}, goal {goal}: {low}")
        for audit in ("largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift"):
            values = [one["audits"][audit]["numericValue"] for one in reports]
            said.append(f"{audit} {statistics.median(values):.3g}")
        print(f"{name:<8}{' · '.join(said)}", flush=True)
    return missed


def _report(address: str, file: Path) -> dict[str, Any]:
    """One report of Lighthouse. It is tried again if it fails, as on a busy machine."""
    flags = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
        "--disable-background-networking"
    )
    command = [
        str(TOOLS / "node_modules" / ".bin" / "lighthouse"),
        address,
        "--quiet",
        "--output=json",
        f"--output-path={file}",
        f"--chrome-flags={flags} --disable-component-update --disable-sync",
    ]
    for _ in range(TIMES):
        done = subprocess.run(
            command,
            env={**os.environ, "CHROME_PATH": BROWSER},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            report: dict[str, Any] = json.loads(file.read_text())
            return report
    sys.exit(done.stderr)


def _low(report: dict[str, Any], category: str) -> list[str]:
    """The audits that lower a score."""
    audits = [
        report["audits"][one["id"]]
        for one in report["categories"][category]["auditRefs"]
        if one["weight"]
    ]
    return [audit["id"] for audit in audits if (audit["score"] or 0) < 1]


def _keep(answers: list[Response]) -> Callable[[Response], None]:
    def keep(answer: Response) -> None:
        answers.append(answer)

    return keep


def _validated(address: str, paths: dict[str, str], temporary: Path) -> list[str]:
    """Run html-validate on every state in both languages. Returns its messages."""
    pages = temporary / "pages"
    pages.mkdir()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        for language in ("zh", "en"):
            guest = Visitor(window(browser, PHONE), address, language, paths)
            answers: list[Response] = []
            guest.page.on("response", _keep(answers))
            for name, _ in guest.states():
                answer = [
                    one
                    for one in answers
                    if one.request.resource_type == "document" and one.status != 303
                ][-1]
                (pages / f"{name}.{language}.html").write_text(answer.text(), encoding="utf-8")
        browser.close()
    (pages / ".htmlvalidate.json").write_text(json.dumps(_RULES))
    done = subprocess.run(
        [str(TOOLS / "node_modules" / ".bin" / "html-validate"), "--formatter", "text", str(pages)],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line.replace(str(pages), "") for line in done.stdout.splitlines() if line.strip()]
    print(f"html-validate: {len(list(pages.glob('*.html')))} pages, {len(said)} messages")
    return said


if __name__ == "__main__":
    sys.exit(main())
