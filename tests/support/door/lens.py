"""What a telephone's camera sees: tickets in several conditions, as a film that Chromium takes for
its camera."""

import io
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import zxingcpp
from PIL import Image, ImageChops, ImageFilter
from playwright.sync_api import Browser, BrowserType

from tests.support.chromium import BROWSER, launched

CONDITIONS = ("clear", "small", "turned", "tilted", "blurred", "dark")
_WIDE, _HIGH = 640, 480
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CORNERS = [(0, 0), (_WIDE, 0), (_WIDE, _HIGH), (0, _HIGH)]
_TILTED = [(120, 60), (560, 10), (560, 470), (120, 400)]


def address(seed: int) -> str:
    """The address of a ticket, as its QR code holds it."""
    drawn = random.Random(seed)
    return "HTTPS://DOOR.TEST/T/" + "".join(drawn.choice(_ALPHABET) for _ in range(26))


def scene(text: str, condition: str, seed: int) -> Image.Image:
    """A telephone that shows the code before a dark wall, with the noise of a cheap camera."""
    drawn = random.Random(seed)
    side = 110 if condition == "small" else 280
    wall = Image.new("L", (_WIDE, _HIGH), drawn.randrange(60, 120))
    shown, mask = Image.new("L", wall.size), Image.new("L", wall.size)
    high = min(_HIGH - 10, side + 140)
    left, top = (_WIDE - side - 60) // 2 + drawn.randrange(-30, 31), (_HIGH - high) // 2
    for layer, colour in ((shown, 245), (mask, 255)):
        layer.paste(colour, (left, top, left + side + 60, top + high))
    shown.paste(_code(text, side), (left + 30, top + (high - side) // 2))
    if condition == "turned":
        angle = drawn.choice([33, -40, 120, 200])
        shown, mask = shown.rotate(angle, Image.Resampling.BICUBIC), mask.rotate(angle)
    if condition == "tilted":
        shown, mask = (_tilted(layer) for layer in (shown, mask))
    wall.paste(shown, (0, 0), mask)
    wall = wall.filter(
        ImageFilter.GaussianBlur(side / 37 * 0.42 if condition == "blurred" else 0.6)
    )
    if condition == "dark":
        wall = wall.point(lambda light: int(8 + light * 0.16))
    return ImageChops.add(wall, Image.effect_noise(wall.size, 10), 1, -128)


def _code(text: str, side: int) -> Image.Image:
    """The QR code as a picture of that many pixels."""
    code = zxingcpp.create_barcode(text, zxingcpp.QRCode, ec_level="M")
    picture: Any = zxingcpp.write_barcode_to_image(code, scale=8)
    high, wide = memoryview(picture).shape or (0, 0)
    modules = Image.frombytes("L", (wide, high), memoryview(picture).tobytes())
    return modules.resize((side, side), Image.Resampling.LANCZOS)


def _tilted(layer: Image.Image) -> Image.Image:
    """The picture as seen from the side."""
    return layer.transform(
        layer.size, Image.Transform.PERSPECTIVE, _seen_from(_TILTED), Image.Resampling.BICUBIC
    )


def _seen_from(corners: Sequence[tuple[int, int]]) -> list[float]:
    """The eight numbers of the projection that puts the picture's corners there."""
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(corners, _CORNERS, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, u])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, v])
    for place in range(8):
        best = max(range(place, 8), key=lambda row: abs(rows[row][place]))
        rows[place], rows[best] = rows[best], rows[place]
        for row in range(8):
            if row != place:
                part = rows[row][place] / rows[place][place]
                rows[row] = [a - part * b for a, b in zip(rows[row], rows[place], strict=True)]
    return [rows[place][8] / rows[place][place] for place in range(8)]


def film(path: Path, scenes: Iterable[Image.Image], frames: int = 15) -> Path:
    """Write the scenes as a film of 30 frames a second. Chromium repeats it for ever."""
    with path.open("wb") as file:
        for one in scenes:
            picture = io.BytesIO()
            # Full range and 4:2:0, as Pillow writes: of another kind Chromium shows nothing.
            one.convert("RGB").save(picture, "JPEG", quality=85)
            file.write(picture.getvalue() * frames)
    return path


def camera(kind: BrowserType, path: Path, *flags: str) -> Browser:
    """A Chromium whose camera sees that film. The headless shell has no camera."""
    seen = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={path}"]
    return launched(kind, *seen, *flags, program=BROWSER)
