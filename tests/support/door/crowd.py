"""People as a door's device has them on its list, made up."""

import hashlib
import random
from typing import Any

from eventreg.core.values import names

SURNAMES = "陈王张徐李周吴胡朱沈林郑何黄叶俞毛史杨邬戴冯任孙董金应竺励忻谢许葛严邵曹顾傅童虞柴裘"
GIVEN = (
    "桂芳 建国 秀英 美康 水康 阿根 国强 玉兰 翠花 志明 菊英 宝娣 惠珍 阿毛 福根 丽君 根娣 文斌 "
    "明德 秋月 素芬 月仙 永强 小妹 阿兴 美凤 秀珍 凤英 杏花 定国 阿彩 雪琴 素珍 彩娥 来发 信国"
).split()


def person(name: str, **more: Any) -> dict[str, Any]:
    """One entry of the list: confirmed, alone and not yet here, unless ``more`` says otherwise."""
    called = names.parse(name)
    made = {
        "attendee": hashlib.md5(f"{name}{more}".encode(), usedforsecurity=False).hexdigest(),
        "name": called.typed,
        "pinyin": called.sort_key.rpartition(" ")[0] if names.has_han(name) else "",
        "code": "8896",
        "tail": "7634",
        "state": "confirmed",
        "keys": called.search_key.split(),
        "ticket": None,
        "checked_in_at": None,
        "gift_at": None,
        **more,
    }
    return {"party": made["attendee"], **made}


def crowd(size: int, seed: int = 14) -> list[dict[str, Any]]:
    """That many people with the names and codes of a Ningbo crowd, in the order of the list."""
    chance = random.Random(seed)
    usual = [*SURNAMES[:12] * 4, *SURNAMES]
    codes = chance.sample(range(1000, 9999) if size < 100 else range(10_000, 99_999), size)
    people = [
        person(
            chance.choice(usual) + chance.choice(GIVEN),
            attendee=f"{place:032x}",
            code=str(codes[place]),
            tail=f"{chance.randrange(10_000):04}",
        )
        for place in range(size)
    ]
    return sorted(people, key=lambda one: (one["pinyin"], one["name"]))


def roster(people: list[dict[str, Any]], capacity: int = 60) -> dict[str, Any]:
    """The list as the server sends it."""
    return {"event": "small", "at": "2030-06-10T08:40:00+08:00", "capacity": capacity} | {
        "attendees": people
    }
