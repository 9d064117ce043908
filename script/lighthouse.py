"""`make lighthouse`: what each public page weighs, how soon it is there on a slow network, and what
axe and a ruler find; what Lighthouse says of event, form and ticket on a phone; and html-validate
of every state.

Lighthouse and html-validate come from npm, are no part of what the tests need, and go to a folder
that git does not keep. Each page three times, the median counts. Ends with 1 where a goal is
missed: 10 kB, one request, three seconds, no fault, performance 0.98, accessibility 1, best
practices 1, no message of html-validate.
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

from tests.conftest import CHROMIUM
from tests.support import cast
from tests.support.factories import ROOT, SECRET
from tests.support.servers import started
from tests.support.windows import PHONE, Visitor, faults, painted, slowed, window

TOOLS = ROOT / ".lighthouse"
LIGHTHOUSE, HTML_VALIDATE = "lighthouse@12.8.2", "html-validate@10.17.0"
GOALS = {"performance": 0.98, "accessibility": 1.0, "best-practices": 1.0}
TIMES = 3
_MOST_BYTES, _MOST_SECONDS = 10_000, 3.0
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
    """Measure, print, and say whether every goal is reached."""
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
    """Once. Nothing of it comes with a browser: Debian's is used."""
    if not (TOOLS / "node_modules" / "lighthouse").exists():
        if shutil.which("npm") is None:
            sys.exit("make lighthouse needs Node 18 or newer, with npm")
        TOOLS.mkdir(exist_ok=True)
        (TOOLS / "package.json").write_text("{}")
        command = [
            "npm",
            "install",
            "--no-save",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--silent",
        ]
        subprocess.run([*command, LIGHTHOUSE, HTML_VALIDATE], cwd=TOOLS, check=True)


def _weighed(address: str, paths: dict[str, str]) -> list[str]:
    """Bytes on the wire with their heads, requests, seconds at 400 kbit/s, 2 s latency and a
    processor six times slower, and what axe, a ruler and the keyboard's targets find; of every page
    that has an address."""
    missed = []
    print(f"{'page':<24}{'bytes':>7}{'requests':>10}{'seconds':>9}{'faults':>8}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        guest = Visitor(window(browser, PHONE), address, "zh", paths)
        found = [(name, page.url, len(faults(name, page))) for name, page in guest.states()]
        for name, url, wrong in found:
            size, asked, seconds = _slowly(browser, url)
            posted = (
                ""
                if name
                not in {"problems", "check", "full-couple", "already-registered", "find-problems"}
                else " *"
            )
            print(f"{name + posted:<24}{size:>7}{asked:>10}{seconds:>9.2f}{wrong:>8}", flush=True)
            if wrong or asked != 1 or size > _MOST_BYTES or seconds > _MOST_SECONDS:
                missed.append(
                    f"{name}: {size} bytes, {asked} requests, {seconds:.2f} s, {wrong} faults"
                )
        browser.close()
    print("* what was posted there is not weighed; the page at its address is")
    return missed


def _slowly(browser: Browser, url: str) -> tuple[int, int, float]:
    """Bytes, requests, and seconds until the largest part is painted."""
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
    """Three pages, three times each."""
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
                missed.append(
                    f"{name}: {category} {score}, goal {goal}: "
                    f"{', '.join(_low(reports[-1], category))}"
                )
        for audit in ("largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift"):
            said.append(
                f"{audit} "
                f"{statistics.median(one['audits'][audit]['numericValue'] for one in reports):.3g}"
            )
        print(f"{name:<8}{' · '.join(said)}", flush=True)
    return missed


def _report(address: str, file: Path) -> dict[str, Any]:
    """One report; a trace that went wrong, which happens on a busy machine, is taken again."""
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
            env={**os.environ, "CHROME_PATH": "/usr/bin/chromium"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            report: dict[str, Any] = json.loads(file.read_text())
            return report
    sys.exit(done.stderr)


def _low(report: dict[str, Any], category: str) -> list[str]:
    """What costs a page its score."""
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
    """Every state in both languages, as a strict reader of HTML sees it."""
    pages = temporary / "pages"
    pages.mkdir()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
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
