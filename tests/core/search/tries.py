"""Eighty tries to find somebody: what was typed, and who was meant."""

PEOPLE = (
    "张桂芳 王建国 王秀英 曾秀英 单玉兰 仇国强 陈美康 李翠花 黄志明 吴桂珍 胡阿根 欧阳秀英 周月仙 "
    "徐宝娣 朱根娣 邬阿毛 竺小妹 励定国 忻惠珍 俞阿兴 毛菊英 沈玉珍 林福根 何美凤 郑阿彩 谢国平 "
    "冯秀珍 董志强 史桂花 戴阿宝 翟明德 解春梅 查文斌 覃玉凤 朴顺姬 区少华 盖新民 缪秋月 任建平 "
    "乐国华 尹素芬 诸葛明 司马玉华 尉迟敏 万俟雪琴 上官文俊 令狐冲之 长孙兰 歐陽淑芬 劉鳳儀 "
    "吕秀兰 陆小明 女丽华 徐英 谢永强 王雪 张三 李茜 蒋岳飞 阿卜杜拉·买买提 Margaret·Johnson "
    "Anna_O'Neil"
).split()

LIKE_THE_ISSUE = {
    # Surnames of two characters, by initials.
    "oyxy": "欧阳秀英",
    "zgm": "诸葛明",
    "smyh": "司马玉华",
    "ycm": "尉迟敏",
    "mqxq": "万俟雪琴",
    "sgwj": "上官文俊",
    "oyx": "欧阳秀英",
    # The given name alone.
    "xiuying": "王秀英",
    "xy": "王秀英",
    "秀英": "曾秀英",
    "guifang": "张桂芳",
    "gf": "张桂芳",
    "玉兰": "单玉兰",
    "yuhua": "司马玉华",
    # Traditional characters, on either side.
    "欧陽": "欧阳秀英",
    "歐陽秀英": "欧阳秀英",
    "諸葛": "诸葛明",
    "陳美康": "陈美康",
    "欧阳淑芬": "歐陽淑芬",
    "刘凤仪": "劉鳳儀",
    # Other readings of the surname.
    "chou": "仇国强",
    "chouguoqiang": "仇国强",
    "dan": "单玉兰",
    "ceng xiuying": "曾秀英",
    "qu shaohua": "区少华",
    "weichi": "尉迟敏",
    # ü
    "lv": "吕秀兰",
    "lü": "吕秀兰",
    "lu xiulan": "吕秀兰",
    "lyuxiulan": "吕秀兰",
    "xvying": "徐英",
    # One wrong letter.
    "zhangguifamg": "张桂芳",
    "wangjiangguo": "王建国",
    "xiuyign": "王秀英",
    "ouyangxiuyin": "欧阳秀英",
    # A number, and a name with it.
    "张 5678": "张桂芳",
    "张5678": "张桂芳",
    "zgf 5678": "张桂芳",
    "5678": "张桂芳",
    "CODE": "张桂芳",
}

OUR_OWN = {
    # As a volunteer types what is said.
    "wang jg": "王建国",
    "wangjg": "王建国",
    "wjianguo": "王建国",
    "王jg": "王建国",
    "王 建国": "王建国",
    "建国 王": "王建国",
    "ZHANG Gui-fang": "张桂芳",
    "Guifang Zhang": "张桂芳",
    "ｚｇｆ": "张桂芳",
    "尾号 5678": "张桂芳",
    "5678 桂芳": "张桂芳",
    "芳 5678": "张桂芳",
    "138 0000 5678": "张桂芳",
    "CODE 张": "张桂芳",
    # Written as it sounds.
    "王秀瑛": "王秀英",
    "秀莹": "王秀英",
    "张桂方": "张桂芳",
    "余阿兴": "俞阿兴",
    "黄建国": "王建国",
    "wu agen": "胡阿根",
    "张贵芳": "张桂芳",
    # Readings of given names and of surnames that few people know.
    "li xi": "李茜",
    "lx": "李茜",
    "le guohua": "乐国华",
    "wansi": "万俟雪琴",
    "changsun": "长孙兰",
    "tan": "覃玉凤",
    # Traditional, mixed and half-typed.
    "張桂芳": "张桂芳",
    "葛明": "诸葛明",
    "ouyangs": "歐陽淑芬",
    "lfy": "劉鳳儀",
    "sima yh": "司马玉华",
    "刘鳳": "劉鳳儀",
    # Names that are not Chinese.
    "johnson": "Margaret·Johnson",
    "mj": "Margaret·Johnson",
    "margret johnson": "Margaret·Johnson",
    "neil": "Anna O'Neil",
    "oneil anna": "Anna O'Neil",
    "买买提": "阿卜杜拉·买买提",
    "阿卜杜拉买买提": "阿卜杜拉·买买提",
}
