"""Estimate how many guesses a password needs.

Guessing programs build passwords from pieces: common passwords and words, names, keyboard runs,
dates and repetitions. The estimate is the cost of the cheapest way to cut the password into such
pieces. zxcvbn supplies the pieces and their ranks (30,000 common passwords, 30,000 words, names);
this module adds its own words, those of the events, and Chinese. zxcvbn's own verdict is not used:
it accepts any three pieces, knows only ASCII letters, and stops at 72 characters.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from eventreg.core.values.normal_form import normalize

_ENOUGH = 40.0
"""Bits; about 10^12 guesses. Three common words cost 20 to 30 bits, a sentence of five words 55
or more."""
_OUR_BITS = 3.0
_REPEAT_BITS = 1.0
_OUR_WORDS = frozenset(
    (
        "eventreg organiser organizer organisation staff desk door admin administrator volunteer "
        "guest ticket seat "
        "register registration checkin check-in lecture event telephone welcome password "
        "passwort passphrase login "
        "signin letmein secret qwerty "
        "密码 口令 我的密码 管理员 组织者 工作人员 志愿者 前台 登录 签到 报名 活动 讲座 欢迎 "
        "欢迎光临 "
        "年 月 日 十 你好 您好 我爱你 我喜欢你 一生一世 生日快乐 新年快乐 恭喜发财 万事如意 "
        "身体健康 心想事成 中国 北京 上海 "
        "甲乙丙丁戊己庚辛壬癸 子丑寅卯辰巳午未申酉戌亥 赵钱孙李周吴郑王 天地玄黄宇宙洪荒 "
        "人之初性本善性相近习相远 "
        "床前明月光 疑是地上霜 举头望明月 低头思故乡 白日依山尽 黄河入海流 欲穷千里目 更上一层楼 "
        "春眠不觉晓 处处闻啼鸟 夜来风雨声 花落知多少 锄禾日当午 汗滴禾下土 谁知盘中餐 粒粒皆辛苦 "
        "鹅鹅鹅 曲项向天歌"
    ).split()
)
_CHINESE_DIGITS = str.maketrans("零〇一二三四五六七八九壹贰叁肆伍陆柒捌玖", "00" + "123456789" * 2)
_SIGNS_FOR_LETTERS = (
    str.maketrans("4@83610!|$57+2", "aabegiiiisttta"),
    str.maketrans("4@83610!|$57+2", "aabegloilssttz"),
)
"""Signs that replace letters, as in p4$$w0rd."""


def _fold(password: str) -> str:
    """Remove the variations that guessing programs try at little cost: capitals, accents,
    full-width letters, Chinese digits and invisible characters."""
    folded = normalize("NFKD", normalize("NFKC", password).casefold())
    visible = (c for c in folded if unicodedata.category(c)[0] not in "CM")
    return normalize("NFC", "".join(visible)).translate(_CHINESE_DIGITS)


def pieces(texts: Iterable[str]) -> Iterator[str]:
    """The folded words of these texts, and each text with its words joined; no single letters."""
    for text in texts:
        parts = re.findall(r"\w+", _fold(text))
        yield from (word for word in (*parts, "".join(parts)) if len(word) > 1)


def _matches(text: str, ours: dict[str, int]) -> Iterator[dict[str, Any]]:
    """The known pieces in ``text`` with their positions, also reversed or with signs as letters."""
    # Loading its lists takes 20 ms, and only choosing a password needs them.
    from zxcvbn import matching  # noqa: PLC0415

    lists = {**matching.RANKED_DICTIONARIES, "ours": ours}
    lists.pop("user_inputs", None)  # left there by an earlier call of zxcvbn
    for spelled in dict.fromkeys((text, *(text.translate(signs) for signs in _SIGNS_FOR_LETTERS))):
        yield from matching.dictionary_match(spelled, lists)
    for matcher in (
        "reverse_dictionary_match",
        "spatial_match",
        "sequence_match",
        "regex_match",
        "date_match",
    ):
        yield from getattr(matching, matcher)(text, _ranked_dictionaries=lists)


def _cost(match: dict[str, Any], text: str) -> float:
    from zxcvbn import scoring  # noqa: PLC0415 - as above

    if match.get("dictionary_name") == "ours":
        return _OUR_BITS
    return math.log2(max(1.0, float(scoring.estimate_guesses(match, text))))


def _single_cost(character: str) -> float:
    """The bits of a character that belongs to no piece."""
    if not character.isascii():
        return 7.0 if character.isalpha() else 5.0
    return 3.4 if character.isdigit() else 4.7


def _bits(text: str, ours: dict[str, int]) -> float:
    """The cost of the cheapest way to cut ``text`` into pieces."""
    by_end: dict[int, list[tuple[int, float]]] = {}
    for match in _matches(text, ours):
        by_end.setdefault(match["j"] + 1, []).append((match["i"], _cost(match, text)))
    for begin, end, size in _repeats(text):
        once = _bits(text[begin : begin + size], ours)
        by_end.setdefault(end, []).append(
            (begin, once + math.log2((end - begin) / size) + _REPEAT_BITS)
        )
    cheapest = [0.0]
    for end in range(1, len(text) + 1):
        ways = [cheapest[end - 1] + _single_cost(text[end - 1])]
        ways += [cheapest[begin] + cost for begin, cost in by_end.get(end, ())]
        cheapest.append(min(ways))
    return cheapest[-1]


def _repeats(text: str) -> Iterator[tuple[int, int, int]]:
    """The repetitions in ``text``: begin, end, and the size of the repeated piece.

    The longest one from each position. Its last repetition may be incomplete.
    """
    begin = 0
    while begin < len(text) - 1:
        sizes = range(1, (len(text) - begin) // 2 + 1)
        end, size = max(
            ((_end_of_repeat(text, begin, size), size) for size in sizes),
            key=lambda found: (found[0], -found[1]),
            default=(0, 0),
        )
        if size and end - begin >= 2 * size and end - begin > 2:
            yield begin, end, size
            begin = end
        else:
            begin += 1


def _end_of_repeat(text: str, begin: int, size: int) -> int:
    """The end of the stretch that repeats its first ``size`` characters."""
    end = begin + size
    while end < len(text) and text[end] == text[end - size]:
        end += 1
    return end


def is_guessable(password: str, words: Iterable[str]) -> bool:
    """Whether a guessing program that knows ``words`` (such as the user's name) finds the password
    too soon."""
    ours = dict.fromkeys((*_OUR_WORDS, *pieces(words)), 1)
    return _bits(_fold(password), ours) < _ENOUGH
