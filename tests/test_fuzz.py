"""Every route with whatever anybody could send, from somebody who is signed in: never a server error (promise P11)."""

import random
from collections import Counter
from datetime import timedelta

from werkzeug.routing import Rule

from tests.factories import PASSWORD, House, local, toml
from tests.pages import get, sign_in

REQUESTS = 1_500
NAMES = (
    "name phone companion-1 form_key version attendee anyway q source locale show confirmed waitlist split username password "
    "next kept done again state sort page lang read website csrf_token pinyin wish over outcome tries arrived gift rows "
    "act role code secret toml version date from list registration anyway starts ends capacity notice.zh"
).split()
VALUES = [
    "", "张三", "13800138000", "\x00", "a" * 5000, "-1", "0", "1", "2", "99999999999999999999", "yes", "<script>", "{{7*7}}",
    "\u202e", "é", "phone", "walk-in", "en", "form", "check", "'\"", "%s", "１３８００１３８０００", "+86",
    "../..", "😀" * 50, "1e9", "٣",
]  # fmt: skip
PLACES: dict[str, list[object]] = {
    "slug": ["small", "nothing", "%00"],
    "lang": ["zh", "en", "fr"],
    "registration_id": [1, 2, 999],
    "check_in_id": [1, 2, 999],
    "staff_id": [1, 2, 999],
    "token": ["x", "A" * 26],
    "filename": ["staff.css", "nothing"],
}


LEFT_OUT = {"staff.sign_out", "staff.do_sign_in", "desk.printed_pdf"}
"""Signing out ends the test; each PDF takes two seconds."""


def test_nothing_that_anybody_sends_is_a_server_error(house: House) -> None:
    dice = random.Random(2030)
    house.apply(toml(capacity=50))
    house.hire()
    house.register("张桂芳", "王建国")
    house.register("李四")
    house.now = local("2030-06-10 08:40")
    olga = house.client()
    sign_in(olga, "olga", PASSWORD)
    token = get(olga, "/staff/").form("/sign-out").fields["csrf_token"]
    rules = [rule for rule in house.app.url_map.iter_rules() if rule.endpoint not in LEFT_OUT]
    answered: Counter[int] = Counter()
    for number in range(REQUESTS):
        rule, sent = dice.choice(rules), {dice.choice(NAMES): dice.choice(VALUES) for _ in range(dice.randrange(9))}
        path, method = path_of(house, rule, dice), dice.choice(sorted(rule.methods or {"GET"}))
        if method == "POST":
            body = {"csrf_token": token, **sent} if dice.random() < 0.9 else sent
            answer = olga.post(path, data={name: value.encode("utf-8", "replace") for name, value in body.items()})
        else:
            short = {name: value for name, value in sent.items() if len(value) < 300}
            answer = olga.open(path, method=method, query_string=short)
        answer.close()
        answered[answer.status_code] += 1
        assert answer.status_code < 500, (method, path, sent)
        if number % 300 == 0:
            house.now += timedelta(minutes=5)
    assert answered.keys() >= {200, 303, 400, 404, 409, 422}, "every kind of answer was seen"


def path_of(house: House, rule: Rule, dice: random.Random) -> str:
    """An address of that route, mostly of something that exists."""
    chosen = {
        name: PLACES[name][0] if dice.random() < 0.7 else dice.choice(PLACES[name]) for name in sorted(rule.arguments)
    }
    with house.app.test_request_context():
        return house.app.url_for(rule.endpoint, **chosen)  # type: ignore[arg-type]
