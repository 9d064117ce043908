"""Draw a URL as a QR code."""

import re
from math import isqrt
from typing import Any

import zxingcpp
from markupsafe import escape

from eventreg.web.language import say

_RUN = re.compile(rb"\x00+|\xff+")
_DRAWN = {
    **{b"\x00" * length: f"h{length}" for length in range(1, 178)},
    **{b"\xff" * length: f"m{length} 0" for length in range(1, 178)},
}
"""For each run of dark or light modules, the line or the step in the path."""


def svg(address: str) -> str:
    """The QR code as inline SVG, with the white margin that readers need. A URL all in capitals
    makes a smaller code."""
    code = zxingcpp.create_barcode(address, zxingcpp.QRCode, ec_level="M")
    image: Any = zxingcpp.write_barcode_to_image(code)
    modules = memoryview(image).tobytes()
    side = isqrt(len(modules))
    rows = (modules[start : start + side] for start in range(0, side * side, side))
    path = "".join(_line(number, row) for number, row in enumerate(rows))
    return (
        f'<svg viewBox="0 0 {side} {side}" class="qr"><title>{escape(say("qr_code"))}</title>'
        f'<path fill="#fff" d="M0 0h{side}v{side}h-{side}z"/>'
        f'<path stroke="#000" d="{path}"/></svg>'
    )


def _line(number: int, row: bytes) -> str:
    """One row of modules as lines one module thick."""
    start = row.find(b"\x00")
    if start < 0:
        return ""
    runs = _RUN.findall(row.rstrip(b"\xff"), start)
    return f"M{start} {number}.5" + "".join([_DRAWN[run] for run in runs])
