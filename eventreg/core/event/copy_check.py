"""Words and signs that an invitation to elderly people must not use: words that promise a cure, or
push, and half-width punctuation between Chinese characters, which is how tools write and not how
people do (UX.md 3.2, L1).

A health lecture is health education. These words make it an advertisement, which the law forbids
and which is what a swindle looks like.
"""

import re

FORBIDDEN_ZH = (
    "治愈 根治 疗效 特效 神效 包治 秘方 祖传 偏方 名医 神医 专家坐诊 会诊 免费体检 抗癌 排毒 "
    "逆转 立竿见影 最好 第一 100% "
    "诊断 专家 义诊 理疗体验 处方 仅剩 抢 立即 手慢无"
).split()
ALLOWED_ZH = "第一排 第一次 第一位 最好穿 第一医院".split()
FORBIDDEN_EN = re.compile(
    # Whole words only: "heal" stands in "health", "cure" in "secure", "treat" in "treatment".
    r"\b(cures?|heals?|treats?|remedy|remedies|guarantees?|miracles?|doctor-approved|detox|pain-free)\b",
    re.IGNORECASE,
)


def forbidden_words(words: str) -> list[str]:
    """The forbidden words in a text, in either language, in the order of the list."""
    for allowed in ALLOWED_ZH:
        words = words.replace(allowed, "")
    return [word for word in FORBIDDEN_ZH if word in words] + FORBIDDEN_EN.findall(words)


_HALF_WIDTH = re.compile(r"[\u3400-\u9fff](?:[,:;?()!]|\.(?![A-Za-z0-9]))|[,:;?()!][\u3400-\u9fff]")


def half_width(words: str) -> list[str]:
    """Half-width punctuation beside Chinese characters, with its neighbour."""
    return _HALF_WIDTH.findall(words)
