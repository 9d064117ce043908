"""The first load of the door's page, on a telephone with a slow network."""

import re
import subprocess

from flask.testing import FlaskClient

from tests.support.factories import ROOT, House

MOST = 60_000
PACKED = {"Accept-Encoding": "gzip"}


def weight(door: FlaskClient, address: str) -> int:
    """The bytes that travel for an address, without headers."""
    with door.get(address, headers=PACKED) as answer:
        assert (answer.status_code, answer.headers["Content-Encoding"]) == (200, "gzip"), address
        return len(answer.data)


def test_page_script_and_reader_of_codes_are_light(small: House) -> None:
    subprocess.run([ROOT / "script" / "scanner"], check=True)
    door = small.signed_in("dora")
    asked = re.findall(r'"(/door/assets/[^"]+)"', door.get("/door/small/").text)
    assert len(asked) == 1, "our modules are one file where esbuild is"
    reader = asked[0].replace("main.js", "qr.js")
    found = {one: weight(door, one) for one in ("/door/small/", asked[0], reader)}
    print(found)  # noqa: T201
    assert sum(found.values()) <= MOST, found
    # The single modules are there as well, for a page of the same version that has begun with them.
    assert weight(door, asked[0].replace("main.js", "packets.js")) > 1000
