"""A small page with the scripts, sentences and policy of the door's page, at an address that
no server answers. The test gives it the script that starts."""

import json
from collections.abc import Callable

from playwright.sync_api import Route

from eventreg import i18n
from tests.support.factories import ROOT

DOOR = ROOT / "static" / "door"
WORDS = i18n.beginning("zh", "scan_", "meet_", "door_name")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
    "worker-src 'self'; connect-src 'self'"
)
PAGE = """<!doctype html><html lang="zh"><title>door</title><main><div id="view"></div>
<ol id="hits"></ol></main><script type="application/json" id="words">WORDS</script>
<script type="module" src="/door/assets/v1/start.js"></script></html>"""


def answering(start: str, change: Callable[[str, str], str | None]) -> Callable[[Route], None]:
    """Serve the test's page and the door's scripts, as ``change`` alters them."""

    def answer(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        file = next((one for one in DOOR.rglob(name) if one.is_file()), None)
        if name == "start.js":
            body, kind = start, "text/javascript"
        elif name.endswith(".js"):
            body, kind = file.read_text() if file else "", "text/javascript"
        else:
            body, kind = PAGE.replace("WORDS", json.dumps(WORDS)), "text/html"
        changed = change(name, body)
        if changed is None:
            route.fulfill(status=404)
        else:
            route.fulfill(
                body=changed, content_type=kind, headers={"Content-Security-Policy": POLICY}
            )

    return answer


def as_it_is(name: str, body: str) -> str | None:
    """Changes nothing."""
    return body
