"""The columns of lists: what an import can take from a file, and what the columns of a file are
taken for. Heads of our own exports are known in both languages, and those of other programs."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache

from eventreg.core.errors import ColumnsUnclear
from eventreg.core.importing.import_file import Table
from eventreg.core.values.normal_form import normalize
from eventreg.i18n import LANGUAGES, sentence


class Column(StrEnum):
    """What a column of a file holds. The sentence ``head_…`` names it."""

    NAME = "name"
    SURNAME = "surname"
    GIVEN = "given"
    PHONE = "phone"
    COMPANION = "companion"
    CONTACT = "contact"
    EMAIL = "email"
    READING = "reading"
    WISHES = "wishes"
    STATE = "state"
    PARTY = "party"
    """The same text in two rows: these people are one party."""
    PLACE = "place"
    """Who comes first in the party."""
    LEFT_OUT = "left_out"
    """Nothing in it is imported."""


EXPORTED = (
    "name",
    "reading",
    "phone",
    "contact",
    "code",
    "party",
    "place",
    "source",
    "state",
    "wishes",
    "registered_at",
    "arrived_at",
    "gift_at",
)
"""The columns of an export, in their order. The sentence ``head_…`` is the head of each."""


@dataclass(frozen=True)
class Listed:
    """The table of a file, and what each of its columns holds; ``None`` if that is undecided."""

    table: Table
    columns: Sequence[Column | None]


@dataclass(frozen=True)
class ColumnProblem:
    """Why columns cannot be imported so: the key and the values of a sentence."""

    reason: str
    count: int = 0
    column: Column | None = None


_LABELS = {
    Column.NAME: ("name_label", "name_column"),
    Column.PHONE: ("phone_label", "phone_column"),
    Column.COMPANION: ("companion_label",),
    Column.CONTACT: ("contact_label",),
    Column.EMAIL: ("email_label",),
    Column.READING: ("pinyin_label",),
    Column.WISHES: ("wishes_label",),
    Column.STATE: ("state_column",),
}
"""The labels of our own pages for each column, besides ``head_…``."""

_HEADS = {
    Column.NAME: """name 姓名 名字 名称 参加人 参加人姓名 参加者 参加者姓名 参与人姓名 报名人
        报名人姓名 真实姓名 学员姓名 老人姓名 客人 客人姓名
        fullname attendee attendeename attendeenamefullname
        participant participantname guest guestname yourname""",
    Column.SURNAME: """姓 姓氏 surname lastname familyname attendeenamefamilyname
        attendeenamelastname attendeelastname""",
    Column.GIVEN: """名 givenname firstname forename attendeenamegivenname attendeenamefirstname
        attendeefirstname""",
    Column.PHONE: """phone phonenumber phoneno telephone telephonenumber telephoneno tel telno
        mobile mobilephone mobilenumber mobileno mobilephonenumber cell cellphone cellphonenumber
        contactnumber contactphone contactphonenumber attendeephone attendeephonenumber 电话 电话号
        手机 手机号 手机号码 联系电话 电话号码 联系手机 联系手机号 联系号码 联系方式 联系电话号码
        移动电话 固定电话 座机 家庭电话 手机电话 本人电话 本人手机 报名电话""",
    Column.COMPANION: """companion 同行 同行人 同行人姓名 同行者 同行者姓名 同来的人 同伴 同伴姓名
        陪同人 陪同人姓名 陪同 guestof plusone""",
    Column.CONTACT: "contact contactperson contactname 联系人 联系人姓名 代报人 代报名人",
    Column.EMAIL: """email emailaddress mail mailaddress attendeeemail 邮箱 电子邮箱 电子邮件
        邮件 邮箱地址""",
    Column.READING: "reading pinyin 拼音 姓名拼音",
    Column.WISHES: "wishes 需要 特殊需要",
    Column.STATE: "state status orderstatus 状态 报名状态 订单状态",
    Column.PARTY: "party",
    Column.PLACE: "place",
    Column.LEFT_OUT: """code source registeredat arrivedat giftat letter phonetail withnumbers no id
        number 号 序号 编号 行号
        提交答卷时间 所用时间 来源 来源详情 来自ip ip ip地址 总分 得分 答题时间 作答时间
        开始答题时间 结束答题时间 答题时长 开始时间 结束时间 用户类型 用户id 答题人id
        地理位置国家和地区 地理位置省 地理位置市 自定义字段 答卷编号
        提交时间 提交日期 更新时间 修改时间 创建时间 填写时间 填写时长 提交人 填写设备 操作系统
        浏览器 扩展属性 微信昵称 微信openid 微信性别 微信头像 微信国家 微信省市 openid unionid
        填写ip 提交ip 填写地区 timestamp starttime completiontime 时间戳记
        ordercode orderdate ordertime ordertotal positionid product variation price taxrate taxrule
        taxvalue voucher vouchercode pseudonymizationid ticketsecret secret seat seatid seatname
        seatzone seatrow seatnumber blocked validfrom validuntil followupdate company address
        zipcode city country vatid saleschannel orderlocale invoiceaddressname
        invoiceaddressnamegivenname invoiceaddressnamefamilyname invoiceaddressnamefullname
        checkedin checkedout automaticallycheckedin paid requiresspecialattention eventslug
        eventname currency startdate enddate
        order paymenttype paymentmode ticketname ticketid ticketprice tickettype taxid
        totalamount discountcode accesscode virtualeventcheckintimes""",
}
"""Heads as ``_folded`` makes them: ours, of Excel lists, of the WeChat forms 问卷星, 腾讯问卷 and
金数据, and of pretix and Eventyay. What is left out says nothing that a registration keeps."""
_BRACKETS = re.compile(r"[(\[【<].*?[)\]】>]")
_BEFORE = re.compile(r"^(q?\d+[.、:)_\s]|[a-z][、.)])+\s*")
_POLITE = re.compile(r"^(请填写|请输入|请留下|请问|您的|你的)+(?=.)")
_MOST_ABOVE = 5
"""Rows that a title and the lines below it may take."""
_PARTS = re.compile(r"[/|\s]+")
_MOBILE = re.compile(r"(\+?86)?1[3-9]\d{9}")
_GAPS = re.compile(r"[\s\-()]")


def _folded(head: str) -> str:
    """The head without what forms put around it: 1、您的姓名（必填）* becomes 姓名."""
    plain = normalize("NFKC", head).casefold().strip()
    plain = _BEFORE.sub("", _BRACKETS.sub("", plain) or plain)
    return _POLITE.sub("", "".join(c for c in plain if c.isalnum()))


@cache
def _known() -> dict[str, Column]:
    """The column of each known head. Our own labels come last, so that they win."""
    known = {head: column for column, heads in _HEADS.items() for head in heads.split()}
    ours = {column: (f"head_{column}", *_LABELS.get(column, ())) for column in Column}
    ours[Column.LEFT_OUT] += tuple(
        f"head_{name}" for name in EXPORTED if name not in Column.__members__.values()
    )
    for column, keys in ours.items():
        for key in keys:
            for language in LANGUAGES:
                known[_folded(sentence(language, key))] = column
    return known


def _known_as(head: str) -> Column | None:
    """What a head says; ``None`` if it is not known. 姓名/Name says the same twice."""
    whole = _known().get(_folded(head))
    parts = {_known().get(_folded(part)) for part in _PARTS.split(head) if part}
    return whole or (parts.pop() if len(parts) == 1 else None)


def below_title(table: Table) -> Table:
    """The table with its heads, if a title stands above them: one of the first rows has the head of
    a name, and the row above has no head that is known."""
    if any(_known_as(head) for head in table.heads):
        return table
    for place, row in enumerate(table.rows[:_MOST_ABOVE]):
        if Column.NAME in [_known_as(cell) for cell in row.cells]:
            heads = [*row.cells, *[""] * (len(table.heads) - len(row.cells))]
            rows, count = table.rows[place + 1 :], table.count - place - 1
            return replace(table, heads=heads, head_number=row.number, rows=rows, count=count)
    return table


def guess(table: Table) -> list[Column | None]:
    """What each column of the file is taken for; ``None`` where the clerk has to say it.

    No two columns are taken for the same. The parts of a name are left out beside the whole name,
    and a column without a cell is left out.
    """
    found = [_known_as(head) for head in table.heads]
    parts = {Column.SURNAME, Column.GIVEN} if Column.NAME in found else set()
    # "Party" and "place" alone can mean anything; our own exports have both.
    ours = {Column.PARTY, Column.PLACE}
    found = [None if column in ours and not ours <= set(found) else column for column in found]
    guessed: list[Column | None] = []
    for place, column in enumerate(found):
        cells = [row.cells[place] for row in table.rows if place < len(row.cells)]
        taken: Column | None = column
        if not any(cells):
            taken = column if column not in guessed else Column.LEFT_OUT
            taken = taken or Column.LEFT_OUT
        elif column in parts:
            taken = Column.LEFT_OUT
        elif column is Column.LEFT_OUT:
            taken = None if Column.PHONE not in found and _has_mobile(cells) else column
        elif column in guessed:
            taken = None
        guessed.append(taken)
    return guessed


def _has_mobile(cells: Sequence[str]) -> bool:
    """Whether a cell is a mobile number, which must not be left out unseen."""
    return any(_MOBILE.fullmatch(_GAPS.sub("", cell)) for cell in cells)


def problems(columns: Sequence[Column | None]) -> list[ColumnProblem]:
    """Why these columns cannot be imported so: one is undecided, two are the same, or none holds
    the name."""
    found = []
    undecided = sum(column is None for column in columns)
    if undecided:
        found.append(ColumnProblem("import_undecided", undecided))
    for column, count in Counter(columns).items():
        if column and column is not Column.LEFT_OUT and count > 1:
            found.append(ColumnProblem("import_column_twice", count, column))
    parts = {Column.SURNAME, Column.GIVEN} & set(columns)
    if Column.NAME in columns and parts:
        found.append(ColumnProblem("import_name_and_parts"))
    elif Column.NAME not in columns and len(parts) < 2:
        found.append(ColumnProblem("import_no_name"))
    return found


def require_clear(columns: Sequence[Column | None]) -> Sequence[Column]:
    """The columns, if they can be imported so. Refuses with ``ColumnsUnclear`` otherwise."""
    if problems(columns):
        raise ColumnsUnclear
    return [column for column in columns if column]
