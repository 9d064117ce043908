"""People's names: any script, kept as typed; folded for comparing, read aloud (pinyin) for sorting
and searching."""

import os
import re
import unicodedata
from dataclasses import dataclass

import regex

from eventreg.core.errors import FieldRefused
from eventreg.core.values.normal_form import normalize

# The library's phrase book costs 44 MiB and 0.2 s a process (VmRSS and CPU time before and after
# the import), and names are no phrases: it is left closed.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
from pypinyin import lazy_pinyin, load_single_dict

LONGEST = 40
"""Graphemes: what a reader counts as one character."""
MOST_CODE_POINTS = 200

# pypinyin reads characters as common words do; as surnames these sound otherwise. Sources: UX.md
# section 5, and the surname readings of the 现代汉语词典. 乐 may be Yue or Le: staff ask.
SURNAMES = {
    "曾": "zeng",
    "翟": "zhai",
    "单": "shan",
    "解": "xie",
    "仇": "qiu",
    "区": "ou",
    "查": "zha",
    "缪": "miao",
    "盖": "ge",
    "种": "chong",
    "覃": "qin",
    "朴": "piao",
    "任": "ren",
    "华": "hua",
    "乐": "yue",
    "俞": "yu",
    "忻": "xin",
    "邬": "wu",
    "竺": "zhu",
    "励": "li",
    "应": "ying",
    "尹": "yin",
    "洗": "xian",
    "冼": "xian",
    "召": "shao",
    "员": "yun",
    "贠": "yun",
    "秘": "bi",
    "折": "she",
    "逄": "pang",
    "繁": "po",
    "黑": "he",
    "车": "che",
    "能": "nai",
    "撒": "sa",
    "谌": "chen",
    "宓": "mi",
    "隗": "wei",
    "郗": "xi",
    "尉": "wei",
    "卜": "bu",
    "令": "ling",
    "葛": "ge",
    "阚": "kan",
    "晁": "chao",
    "佴": "nai",
    "佟": "tong",
    "岑": "cen",
    "纪": "ji",
    "宁": "ning",
    "沈": "shen",
    "石": "shi",
    "祭": "zhai",
    "藏": "zang",
    "乜": "nie",
    "都": "du",
    "那": "na",
    "娄": "lou",
    "哈": "ha",
    "过": "guo",
    "乘": "cheng",
    "幸": "xing",
    "重": "chong",
    "长": "zhang",
    "降": "jiang",
    "盛": "sheng",
    "相": "xiang",
    "弗": "fu",
    "万": "wan",
    "曲": "qu",
    "乾": "qian",
    "朝": "chao",
}
# In given names these sound otherwise than where they stand first in a dictionary.
load_single_dict(
    {
        ord(c): r
        for c, r in zip(
            "长重曾隽晟琢还",
            ("chang", "chong", "zeng", "jun", "sheng", "zhuo", "huan"),
            strict=True,
        )
    }
)
COMPOUND_SURNAMES = {
    "欧阳": "ouyang",
    "司马": "sima",
    "上官": "shangguan",
    "诸葛": "zhuge",
    "司徒": "situ",
    "夏侯": "xiahou",
    "尉迟": "yuchi",
    "万俟": "moqi",
    "长孙": "zhangsun",
    "皇甫": "huangfu",
    "令狐": "linghu",
    "慕容": "murong",
    "东方": "dongfang",
    "公孙": "gongsun",
    "宇文": "yuwen",
    "端木": "duanmu",
    "轩辕": "xuanyuan",
    "南宫": "nangong",
    "独孤": "dugu",
    "澹台": "tantai",
    "单于": "chanyu",
    "呼延": "huyan",
    "闻人": "wenren",
    "钟离": "zhongli",
}

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_DOTS = str.maketrans(dict.fromkeys("•・‧∙⋅･", "·"))
# Embedding, override and isolate controls turn the text around them; nobody's name holds one.
_TURNS_TEXT = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_JOINERS = set("\u200c\u200d")


@dataclass(frozen=True)
class Name:
    """One person's name. ``typed`` is shown; the rest is for machines.

    ``folded`` is equal for two spellings of one name, ``sort_key`` sorts by the surname's reading,
    ``search_key`` holds full reading and initials, ``letter`` is the heading on the check-in list
    (``#`` where there is no Latin letter).
    """

    typed: str
    folded: str
    sort_key: str
    search_key: str
    letter: str


def _is_noncharacter(c: str) -> bool:
    return ord(c) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(c) <= 0xFDEF or c == "\ufffd"


def _spoils(c: str) -> bool:
    """Characters that break a line, a page or a terminal; a name with one is refused rather than
    changed."""
    return (
        unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}
        or c in _TURNS_TEXT
        or _is_noncharacter(c)
    )


def _visible(typed: str) -> str:
    """Without characters that nobody sees, but for joiners inside a word, which change how it is
    written."""
    kept = "".join(c for c in typed if c in _JOINERS or unicodedata.category(c) != "Cf")
    kept = " ".join(kept.split())
    return re.sub(r"(?<!\w)[\u200c\u200d]+|[\u200c\u200d]+(?!\w)", "", kept).strip()


def has_han(text: str) -> bool:
    """Whether any character is Chinese."""
    return _HAN.search(text) is not None


def fold(typed: str) -> str:
    """Equal for two spellings of one name: width, case, dots and spaces make no difference."""
    folded = normalize("NFKC", normalize("NFKC", typed).casefold()).translate(_DOTS)
    folded = re.sub(r"\s*·\s*", "·", " ".join(folded.split()))
    return folded.replace(" ", "") if has_han(folded) else folded


def _plain(letters: str) -> str:
    """Latin letters without accents, for a keyboard that has none."""
    return "".join(c for c in normalize("NFD", letters) if not unicodedata.combining(c))


def _syllables(folded: str) -> tuple[str, list[str]]:
    """The surname's reading, and the readings of the rest, of a Chinese name."""
    double = COMPOUND_SURNAMES.get(folded[:2]) if len(folded) > 2 else None
    if double:
        return double, lazy_pinyin(folded[2:])
    return SURNAMES.get(folded[0]) or lazy_pinyin(folded[0])[0], lazy_pinyin(folded[1:])


def _readings(folded: str) -> tuple[str, str]:
    """``sort_key`` and ``search_key``."""
    if not _HAN.match(folded):
        words = _plain(folded).split()
        return " ".join(words), " ".join(["".join(words), "".join(w[0] for w in words), *words])
    surname, given = _syllables(folded)
    initials = surname[0] + "".join(s[0] for s in given)
    full = surname + "".join(given)
    # ü is v on a keyboard, yu in a passport, u for whoever is in a hurry.
    spellings = [full] + [full.replace("v", other) for other in ("u", "yu") if "v" in full]
    return " ".join([surname, *given]), " ".join([*spellings, initials])


# In the speech of the coast (Wu) these sound alike, and on a bad line more do (UX.md section 2):
# who hears one may have to look for another.
_ALIKE = (
    ("wang", "huang"),
    ("wu", "hu", "he"),
    ("chen", "cheng"),
    ("lin", "ling"),
    ("jin", "jing"),
    ("shen", "sheng"),
    ("xin", "xing"),
    ("yin", "ying"),
    ("zhang", "zang"),
    ("xu", "xue"),
    ("shi", "si"),
    ("zhu", "zu"),
    ("lu", "lv"),
)
_SOUNDS = {one: group for group in _ALIKE for one in group}


def sounding_like(typed: str) -> list[tuple[str, str]]:
    """Surnames, with the rest of the name, that somebody may have heard as ``typed``: each as
    readings without spaces. A Chinese name sounds like others of its own reading too."""
    folded = fold(typed)
    if _HAN.match(folded):
        surname, given = _syllables(folded)
        return [(other, "".join(given)) for other in _SOUNDS.get(surname, (surname,))]
    letters = _plain(folded).replace(" ", "")
    heard = max((one for one in _SOUNDS if letters.startswith(one)), key=len, default="")
    return [(other, letters[len(heard) :]) for other in _SOUNDS.get(heard, ()) if other != heard]


def reading_of(sort_key: str) -> str:
    """The reading in a stored sort key: ``zeng gui fang``."""
    return sort_key.rpartition(" ")[0]


def with_reading(name: Name, typed: str) -> Name:
    """The name with the reading that somebody gave it, surname first: ``zeng guifang``. Nothing, or
    what the name is read as anyway, changes nothing; so does what holds no letter."""
    spoken = " ".join(
        "".join(
            c if c.isalpha() else " " for c in _plain(typed.casefold().replace("ü", "v"))
        ).split()
    )
    known = reading_of(name.sort_key)
    if (
        not has_han(name.typed)
        or not spoken.isascii()
        or spoken.replace(" ", "") in {"", known.replace(" ", "")}
    ):
        return name
    syllables = spoken.split()[:10]
    full = "".join(syllables)[:100]
    initials = "".join(one[0] for one in syllables)
    key = f"{' '.join(syllables)[:100]} {name.folded}"
    return Name(name.typed, name.folded, key, f"{full} {initials}", full[0].upper())


def parse(typed: str, field: str = "name") -> Name:
    """The name meant by ``typed``: 1 to 40 graphemes in any script.

    Raises ``FieldRefused`` for ``field`` where it is empty, has no letter of any script, is too
    long, or holds a character that would spoil a page or a list.
    """
    if any(_spoils(c) for c in typed.strip("\r\n\t")):
        raise FieldRefused(field, "name_characters")
    shown = _visible(typed)
    if not shown:
        raise FieldRefused(field, "name_missing")
    if len(shown) > MOST_CODE_POINTS or len(regex.findall(r"\X", shown)) > LONGEST:
        raise FieldRefused(field, "name_long", longest=LONGEST)
    folded = fold(shown)
    if all(c.isdigit() or c.isspace() for c in folded):
        raise FieldRefused(field, "name_digits")
    if not any(unicodedata.category(c).startswith("L") for c in shown):
        raise FieldRefused(field, "name_letters")
    sort_key, search_key = _readings(folded)
    letter = sort_key[:1].upper()
    return Name(
        shown, folded, f"{sort_key} {folded}", search_key, letter if "A" <= letter <= "Z" else "#"
    )
