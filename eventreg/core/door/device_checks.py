"""What the self-test of a door device found when it was paired."""

import json
from collections.abc import Mapping
from contextlib import suppress

NAMES = ("secure", "worker", "storage", "kept", "camera")
"""What is tested: a secure context, the service worker, a write into storage, whether the browser
promises to keep it, and the camera."""
FOUND = frozenset({"ok", "missing", "refused", "broken", "off"})
"""What a test may find. ``off``: it was not tried."""
_LONGEST = 500


def read(stored: str | None) -> Mapping[str, str]:
    """What was found, by the name of the test; empty if nothing is known."""
    found: object = None
    with suppress(ValueError, RecursionError):
        found = json.loads(stored or "")
    if not isinstance(found, dict):
        return {}
    return {
        name: found[name]
        for name in NAMES
        if isinstance(found.get(name), str) and found[name] in FOUND
    }


def kept(sent: str) -> str | None:
    """What is stored of the checks that a browser sent: only known tests and results. ``None`` if
    there are none."""
    found = read(sent) if len(sent) <= _LONGEST else {}
    return json.dumps(found) if found else None


def works_offline(found: Mapping[str, str]) -> bool:
    """Whether the device can check people in without a network."""
    return all(found.get(name) == "ok" for name in ("secure", "worker", "storage"))
