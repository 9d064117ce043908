"""Both catalogues: complete, in step, and in words that a person would say."""

import re
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from eventreg.core.wording import forbidden_words
from eventreg.i18n import LANGUAGES
from tests.factories import ROOT

HALF_WIDTH = re.compile(r"[\u4e00-\u9fff][,:;?()!]|[,:;?()!][\u4e00-\u9fff]")


def catalogue(language: str) -> Catalog:
    """One catalogue as it stands in the file."""
    with (ROOT / "translations" / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


CATALOGUES = {language: catalogue(language) for language in LANGUAGES}


def key_of(message: Message) -> str:
    """The key of a message, with or without a plural."""
    return message.id if isinstance(message.id, str) else message.id[0]


def forms_of(message: Message) -> list[str]:
    """Every form of a message."""
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


def sentences(language: str) -> dict[str, list[str]]:
    """Key to forms."""
    return {key_of(message): forms_of(message) for message in CATALOGUES[language] if message.id}


def placeholders(text: str) -> set[str]:
    """What is filled in."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_catalogues_have_the_same_keys_and_placeholders() -> None:
    chinese, english = sentences("zh"), sentences("en")
    assert chinese.keys() == english.keys()
    for key in chinese:
        in_chinese = set().union(*map(placeholders, chinese[key]))
        in_english = set().union(*map(placeholders, english[key]))
        optional = {"count", "half"}  # "one seat" needs no number, and only Chinese says which half of the day
        assert in_chinese - optional == in_english - optional, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_empty_fuzzy_or_forbidden(language: str) -> None:
    for message in CATALOGUES[language]:
        if message.id:
            assert not message.fuzzy
            for text in forms_of(message):
                assert text, key_of(message)
                assert forbidden_words(text) == [], key_of(message)


def test_chinese_has_full_width_punctuation_and_no_exclamation_marks() -> None:
    for key, forms in sentences("zh").items():
        for text in forms:
            assert not HALF_WIDTH.search(text), (key, text)
            assert "！" not in text, key
            assert "你" not in text.replace("您", ""), key


def keys_used() -> set[str]:
    """Every key that code and templates ask for by name, and the stems of those they put together."""
    found: set[str] = set()
    for path in [*(ROOT / "eventreg").rglob("*.py"), *(ROOT / "templates").rglob("*.html")]:
        text = path.read_text()
        found |= set(re.findall(r'"([a-z][a-z_]{2,})"', text)) | set(re.findall(r"f\"([a-z]+_)\{", text))
        found |= set(re.findall(r'"([a-z_]+_)" ~', text))
    return found


def test_every_sentence_is_used() -> None:
    used = keys_used()
    stems = tuple(key for key in used if key.endswith("_"))
    unused = [key for key in sentences("zh") if key not in used and not key.startswith(stems)]
    assert unused == []


def test_fonts_and_colours_keep_their_contrast() -> None:
    css = (ROOT / "static" / "tokens.css").read_text()
    light, dark = (
        css.split("@media (prefers-color-scheme: dark)")[0],
        css.split("@media (prefers-color-scheme: dark)")[1],
    )
    for theme in (light, dark.split("@media print")[0]):
        token = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]+);", theme))
        token.setdefault("on-brand", "#fff")
        for text in ("ink", "ink-2", "brand"):
            for ground in ("paper", "card", "tint"):
                assert contrast(token[text], token[ground]) >= 7, (text, ground)
        for colour in ("amber", "red", "green"):
            assert contrast(token[colour], token[f"{colour}-wash"]) >= 7
        assert contrast(token["on-brand"], token["brand"]) >= 7
        assert min(contrast(token["line"], token[ground]) for ground in ("paper", "card", "tint")) >= 3


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2."""
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_style_sheets_use_only_tokens_for_colour() -> None:
    for name in ("public.css", "staff.css"):
        css = Path(ROOT / "static" / name).read_text()
        outside = [line for line in css.splitlines() if re.search(r"#[0-9a-f]{3,6}\b", line) and ".panel" not in line]
        assert outside == [], "the door's panels keep their own colours in both themes; everything else uses tokens"
