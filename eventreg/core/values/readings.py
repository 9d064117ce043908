"""How Chinese names are read aloud (pinyin), and which surnames sound alike."""

import os

# Do not load the library's dictionary of phrases: names are not phrases, and it costs each process
# 44 MiB (VmRSS) and 0.2 s of CPU time.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
from pypinyin import lazy_pinyin, load_single_dict

# The library gives the common reading of a character. As surnames these are read differently. The
# source is the 现代汉语词典. 乐 may be Yue or Le: staff ask.
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
# In given names these are read differently from the first reading in a dictionary.
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

# These sound alike in the dialect of the coast (Wu) or on a bad telephone line: staff who heard one
# may have to search for another.
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
SOUNDING_ALIKE = {one: group for group in _ALIKE for one in group}
"""For each reading of a surname that others sound like: these and itself."""


def syllables(folded: str) -> tuple[str, list[str]]:
    """The reading of a folded Chinese name: the surname, and the syllables of the given name. The
    surname has two characters only if it is in ``COMPOUND_SURNAMES``."""
    double = COMPOUND_SURNAMES.get(folded[:2]) if len(folded) > 2 else None
    if double:
        return double, lazy_pinyin(folded[2:])
    return SURNAMES.get(folded[0]) or lazy_pinyin(folded[0])[0], lazy_pinyin(folded[1:])
