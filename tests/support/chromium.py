"""Debian's Chromium, as tests start it. In `make test` it is the headless shell: the same engine
from the same source, without the frame of a browser around each window, which takes half of the
processor time. `make proofs` starts the whole browser, and so does a machine without the shell.
"""

import os
import shutil
from typing import Any

from playwright.sync_api import Browser, BrowserType

BROWSER = "/usr/bin/chromium"
"""The whole browser, as people have it."""
_WHOLE = os.environ.get("EVENTREG_PROOFS") == "whole"
PROGRAM = BROWSER if _WHOLE else shutil.which("chromium-headless-shell") or BROWSER
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def launched(kind: BrowserType, *flags: str, program: str = PROGRAM, **more: Any) -> Browser:
    """Start it, with these flags besides."""
    return kind.launch(executable_path=program, args=[*FLAGS, *flags], **more)
