"""The sentences of the scanner, which the door's script finds on its page."""

WORDS = (
    "scan_again",
    "scan_close",
    "scan_failed",
    "scan_heading",
    "scan_hint",
    "scan_in_use",
    "scan_is_packet",
    "scan_no_camera",
    "scan_no_decoder",
    "scan_not_https",
    "scan_paused",
    "scan_refused",
    "scan_scanning",
    "scan_starting",
    "scan_torch_off",
    "scan_torch_on",
)
"""Their keys. ``static/door/scan_view.js`` says them."""
