"""Draw an address as a QR code."""

import segno

from eventreg.web.language import say


def svg(address: str) -> str:
    """The QR code as inline SVG. An address all in capitals makes a smaller code."""
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
