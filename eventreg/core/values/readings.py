"""How Chinese names are read aloud (pinyin), and which surnames sound alike."""

import os
import re
from functools import lru_cache

# Do not load the library's dictionary of phrases: names are not phrases, and it costs each process
# 44 MiB (VmRSS) and 0.2 s of CPU time.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
from pypinyin import lazy_pinyin, load_single_dict

from eventreg.core.values.traditional import simplified

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
OTHER_READINGS = {
    one[0]: one[2:].split()
    for one in (
        "曾 ceng,翟 di,单 dan chan,解 jie,仇 chou,区 qu,查 cha,缪 mou miu,盖 gai,种 zhong,覃 tan,"
        "朴 pu po,乐 le,洗 xi,冼 xi,召 zhao,员 yuan,贠 yuan,秘 mi,折 zhe,逄 feng,繁 fan,黑 hei,"
        "车 ju,能 neng,宓 fu,隗 kui,郗 chi,尉 yu,卜 bo,阚 han,佴 er,祭 ji,藏 cang,臧 cang,乜 mie,"
        "都 dou,那 nuo,乘 sheng,重 zhong,长 chang,降 xiang,盛 cheng,万 mo,朝 zhao,沈 chen,柏 bo,"
        "瞿 ju,费 bi,褚 zhu,谌 shen,郇 huan,眭 hui,佘 yu,薄 bo,贾 gu,俞 shu"
    ).split(",")
}
"""How a surname is also read: by those who do not know it, or in other regions."""
OTHER_IN_GIVEN_NAMES = dict(
    one.split()
    for one in "茜 xi,乐 yue,柏 bo,晟 cheng,朝 zhao,长 zhang,重 zhong,行 hang,蔚 yu,"
    "娜 nuo,曾 ceng,隽 juan,琢 zuo,还 hai".split(",")
)
COMPOUND_SURNAMES = {
    one[:2]: one[3:]
    for one in (
        "欧阳 ou yang,司马 si ma,上官 shang guan,诸葛 zhu ge,司徒 si tu,夏侯 xia hou,尉迟 yu chi,"
        "万俟 mo qi,长孙 zhang sun,皇甫 huang fu,令狐 ling hu,慕容 mu rong,东方 dong fang,"
        "公孙 gong sun,宇文 yu wen,端木 duan mu,轩辕 xuan yuan,南宫 nan gong,独孤 du gu,"
        "澹台 tan tai,单于 chan yu,呼延 hu yan,闻人 wen ren,钟离 zhong li,东郭 dong guo,"
        "西门 xi men,濮阳 pu yang,淳于 chun yu,申屠 shen tu,赫连 he lian,鲜于 xian yu,"
        "闾丘 lv qiu,司空 si kong,司寇 si kou,百里 bai li,拓跋 tuo ba,完颜 wan yan,"
        "纳兰 na lan,公羊 gong yang,谷梁 gu liang,宗政 zong zheng,公冶 gong ye"
    ).split(",")
}
"""Surnames of two characters, with a reading for each character."""
OTHER_COMPOUND_READINGS = {
    "尉迟": ["wei chi"],
    "万俟": ["wan si", "wan qi"],
    "单于": ["dan yu", "shan yu"],
    "长孙": ["chang sun"],
    "澹台": ["dan tai"],
    "皇甫": ["huang pu"],
    "拓跋": ["ta ba"],
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


def of_given_name(simple: str) -> list[str]:
    """A syllable for each character of a given name."""
    if _CHARACTERS.fullmatch(simple):
        return [_of_character(c) for c in simple]
    spoken: list[str] = lazy_pinyin(simple)
    return spoken


_CHARACTERS = re.compile("[\u4e00-\u9fff]+")


@lru_cache(maxsize=4096)
def _of_character(c: str) -> str:
    """The library reads each character by itself, as it has no phrases, and takes long for it."""
    (spoken,) = lazy_pinyin(c)
    return str(spoken)


def is_compound(simple: str) -> bool:
    """Whether a name in simplified characters begins with a surname of two characters."""
    return len(simple) > 2 and simple[:2] in COMPOUND_SURNAMES


def syllables(folded: str) -> tuple[str, list[str]]:
    """Read a Chinese name: the surname, and the syllables of the given name."""
    simple = simplified(folded)
    if is_compound(simple):
        return COMPOUND_SURNAMES[simple[:2]].replace(" ", ""), of_given_name(simple[2:])
    return SURNAMES.get(simple[0]) or of_given_name(simple[0])[0], of_given_name(simple[1:])


def other_surnames(simple: str) -> list[list[str]]:
    """The other readings of the surname, each as one syllable for each character."""
    if is_compound(simple):
        return [one.split() for one in OTHER_COMPOUND_READINGS.get(simple[:2], [])]
    return [[one] for one in OTHER_READINGS.get(simple[:1], [])]
