"""Parsing names in any script and telephone numbers in any spelling."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pypinyin import lazy_pinyin

from eventreg.core.errors import FieldRefused
from eventreg.core.values import names, phones, readings


def refused_name(typed: str) -> str:
    """Why a name was refused."""
    with pytest.raises(FieldRefused) as refusal:
        names.parse(typed)
    return refusal.value.reason


@pytest.mark.parametrize(
    ("name", "reading"),
    [
        ("曾国藩", "zeng guo fan"),
        ("单雄信", "shan xiong xin"),
        ("仇英", "qiu ying"),
        ("解缙", "xie jin"),
        ("查良镛", "zha liang yong"),
        ("朴槿惠", "piao jin hui"),
        ("区少华", "ou shao hua"),
        ("盖新民", "ge xin min"),
        ("翟明德", "zhai ming de"),
        ("覃玉凤", "qin yu feng"),
        ("缪秋月", "miao qiu yue"),
        ("种师道", "chong shi dao"),
        ("任建平", "ren jian ping"),
        ("欧阳修", "ouyang xiu"),
        ("尉迟恭", "yuchi gong"),
        ("万俟卨", "moqi xie"),
        ("俞阿兴", "yu a xing"),
        ("王长江", "wang chang jiang"),
        ("李晟", "li sheng"),
        ("励定国", "li ding guo"),
    ],
)
def test_surnames_sort_as_they_are_read(name: str, reading: str) -> None:
    assert names.parse(name).sort_key.startswith(reading)
    assert names.parse(name).letter == reading[0].upper()


def test_the_search_key_has_the_reading_in_each_spelling_of_ü_and_the_initials() -> None:
    whole, parts = names.parse("吕秀兰").search_key.split("\n")
    assert whole.split() == ["吕秀兰", "lvxiulan", "luxiulan", "lyuxiulan", "lxl"]
    assert parts.split() == ["xiulan", "xl"]


@pytest.mark.parametrize(
    ("name", "typed", "keys"),
    [
        ("欧阳秀英", "ouyang xiuying", "欧阳秀英 ouyangxiuying oyxy oxy xiuying xy"),
        ("歐陽秀英", "ou yang xiu ying", "欧阳秀英 ouyangxiuying oyxy oxy xiuying xy"),
        ("乐嘉音", "le jiayin", "乐嘉音 lejiayin ljy jiayin jy"),
    ],
)
def test_a_reading_that_staff_typed_is_in_the_search_key(name: str, typed: str, keys: str) -> None:
    assert names.with_reading(names.parse(name), typed).search_key.split() == keys.split()


@pytest.mark.parametrize(
    "typed",
    [
        "阿卜杜拉·买买提",
        "Jean-Paul O'Neil",
        "محمد علي",
        "김영희",
        "Zoë",
        "𠮷野家",
        "=A1+1",
        "<script>alert(1)</script>",
        "{{x*7}}",
    ],
)
def test_a_name_in_any_script_is_accepted_and_kept_as_typed(typed: str) -> None:
    assert names.parse(f"  {typed} ").typed == typed


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("张桂芳", "张 桂 芳"),
        ("anna lin", "Anna  LIN"),
        ("Ａｎｎａ", "Anna"),
        ("阿卜·买", "阿卜•买"),
        ("阿卜・买", "阿卜·买"),
        ("张\u200b三", "张三"),
    ],
)
def test_two_spellings_of_one_name_are_equal_when_folded(one: str, other: str) -> None:
    assert names.parse(one).folded == names.parse(other).folded


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "name_missing"),
        ("   ", "name_missing"),
        ("\u200b\u200b", "name_missing"),
        ("12345", "name_digits"),
        ("１２ ３", "name_digits"),
        ("...", "name_letters"),
        ("·-'", "name_letters"),
        ("=1+1", "name_letters"),
        ("😀", "name_letters"),
        ("\u0301", "name_letters"),
        ("①", "name_digits"),
        ("…2", "name_letters"),
        ("张\x00三", "name_characters"),
        ("张\u202e三", "name_characters"),
        ("张\u2066三", "name_characters"),
        ("张\x1b[31m", "name_characters"),
        ("张\n三", "name_characters"),
        ("张\ud800", "name_characters"),
        ("张\ufffd", "name_characters"),
        ("张\ufffe", "name_characters"),
        ("x" * 41, "name_long"),
        ("e\u0301" * 41, "name_long"),
        ("a" + "\u0301" * 200, "name_long"),
    ],
)
def test_a_text_that_is_not_a_name_is_refused_with_the_reason(typed: str, reason: str) -> None:
    assert refused_name(typed) == reason


@given(st.text(st.characters(exclude_categories=["L"]), max_size=30))
def test_a_text_without_a_letter_is_refused(typed: str) -> None:
    assert refused_name(typed).startswith("name_")


@given(
    st.characters(categories=["L"]),
    st.text(
        st.characters(categories=["P", "S", "N", "Zs", "M"], exclude_characters="\ufffd"),
        max_size=9,
    ),
)
def test_one_letter_of_any_script_is_enough(letter: str, more: str) -> None:
    assert names.parse(f"{letter}{more}").typed.startswith(letter)


def test_a_name_may_have_forty_letters_with_accents() -> None:
    assert names.parse("e\u0301" * 40).typed == "e\u0301" * 40


def test_invisible_characters_are_removed_but_joiners_inside_words_stay() -> None:
    assert names.parse("نامه\u200cای").typed == "نامه\u200cای"
    assert names.parse("\u200d张\u200e三\ufeff").typed == "张三"


@given(st.text(max_size=60))
@example("T¨𠀀")  # without its space, the accent joins the T
def test_any_text_is_refused_or_parsed_to_the_same_name_each_time(typed: str) -> None:
    try:
        name = names.parse(typed)
    except FieldRefused:
        return
    assert names.fold(name.folded) == name.folded
    assert names.parse(name.typed).typed == name.typed


@pytest.mark.parametrize(
    ("typed", "number", "shown"),
    [
        ("13800138000", "+8613800138000", "138 0013 8000"),
        ("+86 138 0013 8000", "+8613800138000", "138 0013 8000"),
        ("0086-138-0013-8000", "+8613800138000", "138 0013 8000"),
        ("１３８００１３８０００", "+8613800138000", "138 0013 8000"),
        ("（138）0013 8000", "+8613800138000", "138 0013 8000"),
        ("0574-56116778", "+8657456116778", "0574 5611 6778"),
        ("56116778", "+8657456116778", "0574 5611 6778"),
        ("+86 574 5611 6778", "+8657456116778", "0574 5611 6778"),
        ("+44 20 7946 0018", "+442079460018", "+44 20 7946 0018"),
        ("400-820-8820", "+864008208820", "400 820 8820"),
    ],
)
def test_every_spelling_of_a_number_is_parsed_to_the_same_number(
    typed: str, number: str, shown: str
) -> None:
    phone = phones.parse(typed, "0574")
    assert (phone.number, phone.typed, phones.shown(phone.number)) == (number, typed, shown)


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "phone_missing"),
        ("1380013800", "phone_mobile_length"),
        ("138001380001", "phone_mobile_length"),
        ("12345678901", "phone_wrong"),
        ("hello", "phone_wrong"),
        ("9" * 10_000, "phone_wrong"),
        ("1\x0038", "phone_wrong"),
        ("+1 234", "phone_wrong"),
    ],
)
def test_a_text_that_is_not_a_number_is_refused_with_the_reason(typed: str, reason: str) -> None:
    with pytest.raises(FieldRefused) as refusal:
        phones.parse(typed, "0574")
    assert refusal.value.reason == reason


def test_a_fixed_line_is_refused_without_an_area_code() -> None:
    with pytest.raises(FieldRefused):
        phones.parse("56116778")


def test_a_masked_number_shows_only_its_ends() -> None:
    assert phones.masked("+8613800138000") == "138****8000"
    assert phones.masked("+442079460018") == "****0018"


@given(st.text(max_size=40))
def test_any_text_is_refused_or_parsed_to_the_same_number_each_time(typed: str) -> None:
    try:
        phone = phones.parse(typed, "0574")
    except FieldRefused:
        return
    assert phones.parse(phone.number).number == phone.number


def test_each_character_is_read_as_the_library_reads_it_among_others() -> None:
    every = [chr(c) for c in range(0x4E00, 0xA000)]
    for start in range(0, len(every), 5):
        some = "".join(every[start : start + 5])
        assert readings.of_given_name(some) == lazy_pinyin(some)
    assert readings.of_given_name("阿a-b·王") == lazy_pinyin("阿a-b·王")
