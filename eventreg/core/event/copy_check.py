"""Find words and punctuation that an invitation to elderly people must not use.

Words that promise a cure or put pressure on people turn health education into advertising, which
the law forbids and which makes the invitation look like a fraud. Half-width punctuation between
Chinese characters is a mistake of typing.
"""

import re

FORBIDDEN_ZH = (
    "治愈 根治 疗效 特效 神效 包治 秘方 祖传 偏方 名医 神医 专家坐诊 会诊 免费体检 抗癌 排毒 "
    "逆转 立竿见影 最好 第一 100% "
    "诊断 专家 义诊 理疗体验 处方 仅剩 抢 立即 手慢无"
).split()
ALLOWED_ZH = "第一排 第一次 第一位 最好穿 第一医院".split()
FORBIDDEN_EN = re.compile(
    # Whole words only: "health" contains "heal", "secure" contains "cure".
    r"\b(cures?|heals?|treats?|remedy|remedies|guarantees?|miracles?|doctor-approved|detox|pain-free)\b",
    re.IGNORECASE,
)


def forbidden_words(words: str) -> list[str]:
    """The forbidden words in a text: the Chinese ones first, then the English ones."""
    for allowed in ALLOWED_ZH:
        words = words.replace(allowed, "")
    return [word for word in FORBIDDEN_ZH if word in words] + FORBIDDEN_EN.findall(words)


_HALF_WIDTH = re.compile(r"[\u3400-\u9fff](?:[,:;?()!]|\.(?![A-Za-z0-9]))|[,:;?()!][\u3400-\u9fff]")


def half_width(words: str) -> list[str]:
    """Each half-width punctuation mark before or after a Chinese character, with that character."""
    return _HALF_WIDTH.findall(words)
