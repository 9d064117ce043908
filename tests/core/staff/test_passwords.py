"""Which passwords may be chosen: long enough, and hard to guess."""

import time
import unicodedata

import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from zxcvbn.matching import RANKED_DICTIONARIES

from eventreg.core.errors import FieldRefused, SignInFailed
from eventreg.core.staff import accounts, passwords
from eventreg.storage.session import transaction
from tests.support.factories import LONG_PASSWORD, House
from tests.support.pages import Page, fill, get, sign_in

SHORT = [
    "short",
    "14 characters!",
    "一二三四五",
    "宁波的夏天不冷",
    "password12345é",
    unicodedata.normalize("NFD", "é" * 14),
    "🙂" * 14,
]
LONG = ["x" * 257, "字" * 86, "tea at nine in ningbo " * 12]
GUESSABLE = [
    # repetitions
    "aaaaaaaaaaaaaaa",
    "abcabcabcabcabc",
    "一二三四五" * 3,
    "啊" * 15,
    " " * 15,
    "🙂" * 15,
    "\u200b" * 15,
    "é" * 20,
    "密码密码密码密码密码密码密码密",
    "a" * 256,
    "password" * 32,
    "desmond desmond desmond",
    # common passwords with additions
    "passwordpassword",
    "password12345678",
    "password123456é",
    "épassword1234567",
    "pássword1234567",
    "p@$$w0rdp@$$w0rd",
    "PASSWORD１２３４５６７",
    "drowssap12345678",
    "iloveyou123456789",
    "baseballfootball1",
    "sunshineprincess",
    "monkeydragonmaster",
    "letmein!letmein!",
    "ünïcödé pâsswörd",
    # keyboard runs, digits and dates
    "123456789012345",
    "qwertyuiopasdfgh",
    "1qaz2wsx3edc4rfv",
    "abcdefghijklmnop",
    "asdfghjkl;'asdfg",
    "2030-06-10 2030-06-10",
    "一二三四五六七八九十一二三四五",
    "13800138000138001",
    "甲乙丙丁戊己庚辛壬癸甲乙丙丁戊",
    # our words, the event's and the user's name
    "eventreg2030 lecture",
    "organiser-2030-06",
    "door-password-2030",
    "welcome to eventreg",
    "eventreg desk door staff",
    "Desmond2030!!!!!",
    "desmond@eventreg",
    "书法课书法课二〇三〇年六月十日",
    "Calligraphy class 2030",
    # well-known verses and wishes
    "床前明月光疑是地上霜举头望明月",
    "我爱你我爱你一生一世生日快乐",
]
GOOD = [
    LONG_PASSWORD,
    "tea at nine in ningbo",
    "x7Kq9 mLw2 pRt4",
    "我们七点半在老图书馆门口等您来",
    "八月桂花香满整条老街和小巷口了",
    "correct horse battery staple",
    "purple otters juggle teacups",
    "Die Katze schläft auf dem Ofen",
    "каждый вечер мы пьём чай",
    "wV4-tr9Q-zz1K-m0",
    "the kettle sings on tuesday mornings " * 6,
]
KNOWN = ("desmond", "书法课", "Calligraphy class")


def reason(password: str) -> str:
    """The reason why it is refused; empty if it may be chosen."""
    try:
        passwords.check(password, *KNOWN)
    except FieldRefused as refusal:
        return refusal.reason
    return ""


@pytest.mark.parametrize("password", SHORT)
def test_a_password_has_at_least_15_characters(password: str) -> None:
    assert reason(password) == "password_short"


@pytest.mark.parametrize("password", LONG)
def test_a_password_has_at_most_256_bytes(password: str) -> None:
    assert reason(password) == "password_long"


@pytest.mark.parametrize("password", GUESSABLE)
def test_a_guessable_password_is_refused(password: str) -> None:
    assert reason(password) == ("password_short" if len(password) < 15 else "password_guessable")


@pytest.mark.parametrize("password", GOOD)
def test_a_sentence_is_accepted(password: str) -> None:
    assert reason(password) == ""


def test_a_padded_common_password_is_refused() -> None:
    common = list(RANKED_DICTIONARIES["passwords"])[:3000]
    assert len(common) == 3000
    padded = [
        f"{word}é{'12345678901234'[: 14 - len(word)]}" for word in common[::60] if len(word) < 13
    ]
    assert len(padded) > 40
    assert {reason(password) for password in padded} == {"password_guessable"}


@pytest.mark.parametrize(
    "piece", ["4@8({[<369&#!1/|0$5+7%2", "ab", "1!|7+$5s", "a", "the", "4e8g3 "]
)
def test_judging_a_password_takes_less_than_two_seconds(piece: str) -> None:
    began = time.process_time()
    reason((piece * 256)[:256])
    assert time.process_time() - began < 2


def test_a_password_made_of_an_event_name_is_refused(small: House) -> None:
    with pytest.raises(FieldRefused), transaction() as session:
        member = accounts.by_name(session, "dora")
        accounts.set_password(
            session, member, "书法课在图书馆，书法课在图书馆", by=small.olga, now=small.now
        )
    with transaction() as session:
        member = accounts.by_name(session, "dora")
        accounts.set_password(session, member, LONG_PASSWORD, by=small.olga, now=small.now)


def test_composed_and_decomposed_accents_are_the_same_password() -> None:
    chosen = "Müller trägt grüne Röcke"
    taken_apart = unicodedata.normalize("NFD", chosen)
    assert taken_apart != chosen
    for stored in (passwords.hashed(chosen), passwords.hashed(taken_apart)):
        for typed in (chosen, taken_apart):
            passwords.verify(typed, stored)
    with pytest.raises(SignInFailed):
        passwords.verify(chosen.replace("ü", "u"), passwords.hashed(chosen))


@pytest.mark.parametrize(
    "old",
    ["一二三四五", "password12345é", unicodedata.normalize("NFD", "prêt à porter"), "x" * 256],
)
def test_a_password_set_under_older_rules_still_signs_in(small: House, old: str) -> None:
    with transaction() as session:
        quick = PasswordHasher(memory_cost=64, time_cost=1, parallelism=1)
        accounts.by_name(session, "dora").password_hash = quick.hash(old.encode())
    assert sign_in(small.client(), "dora", old).status_code == 303


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pages_ask_for_fifteen_characters(small: House, language: str) -> None:
    with transaction() as session:
        link = accounts.make_link(
            session, accounts.by_name(session, "dora"), by=small.olga, now=small.now
        )
    client: FlaskClient = small.client()
    page = get(client, f"/staff/welcome/{link}?lang={language}")
    (box,) = [attrs for attrs in page.having("minlength") if attrs["name"] == "password"]
    assert box["minlength"] == "15"
    assert {"zh": "至少 15 个字", "en": "At least 15 characters"}[language] in page.text
    refused = Page(fill(client, f"/staff/welcome/{link}", password="一二三四五一二三四五"))
    assert (refused.status, "15" in refused.text) == (422, True)
