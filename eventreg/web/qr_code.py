"""Draw a URL as a QR code."""

import segno

from eventreg.web.language import say


def svg(address: str) -> str:
    """The QR code as inline SVG. A URL all in capitals makes a smaller code."""
    code = segno.make(address, error="m", boost_error=False, micro=False)
    drawn: str = code.svg_inline(
        border=4,
        omitsize=True,
        svgclass="qr",
        lineclass=None,
        dark="#000",
        light="#fff",
        title=say("qr_code"),
    )
    return drawn
