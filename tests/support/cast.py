"""Events in every state that a guest can meet, all at Monday, June 10, 2030, 8:00 in Ningbo. They
have the facts of the shipped file, on other days."""

import re
from pathlib import Path

from flask_migrate import upgrade

from eventreg.web import addresses
from tests.support.factories import SHIPPED, House, local

MORNING = "2030-06-10T08:00:00+08:00"
TODAY, PAST, SOON = "2030-06-10", "2030-06-03", "2030-06-17"
_WAITING = "[waitlist]\nopen = true\nsize = 5\n"
_MOVED = 'zh = "改到 6 月 17 日，地点不变。", en = "Moved to June 17, same place."'
_CANCELLED = 'zh = "讲师病了，这次取消。", en = "The speaker is ill, so this one is cancelled."'
_REPLACED = (
    'zh = "换一位治疗师来讲，时间地点不变。", '
    'en = "Another therapist will speak; time and place stay."'
)


def derived(
    slug: str, day: str = SOON, capacity: int = 50, more: str = "", window: str = "", hours: int = 0
) -> str:
    """The shipped event file with another slug, day and capacity, and ``hours`` later."""
    text = SHIPPED.read_text(encoding="utf-8")
    text = text.replace('slug = "june-10-self-care"', f'slug = "{slug}"').replace(
        "capacity = 50", f"capacity = {capacity}"
    )
    text = text.replace("2030-06-10", day).replace(
        "[registration]\n", f"[registration]\n{window}\n"
    )
    programme, rest = text.split("[phone_line]")
    if hours:
        programme = re.sub(
            r"(?<!\d)(\d\d):(\d\d):00", lambda m: f"{int(m[1]) + hours:02}:{m[2]}:00", programme
        )
    return f"{programme}[phone_line]{rest}\n{more}"


FILES = {
    "not-yet-open": derived("not-yet-open", window="opens_at = 2030-06-12T09:00:00"),
    "open": derived("open"),
    "few": derived("few", capacity=5),
    "one": derived("one", capacity=3),
    "split": derived("split", capacity=1),
    "full-waiting": derived("full-waiting", capacity=2, more=_WAITING),
    "full": derived("full", capacity=2, more="[waitlist]\nopen = false\n"),
    "closed": derived("closed", window="closes_at = 2030-06-09T12:00:00"),
    "june-10-self-care": derived("june-10-self-care", TODAY),
    "day-phone": derived(
        "day-phone",
        TODAY,
        more='[day_phone]\nnumber = "13905740000"\nfrom = 07:30:00\nuntil = 09:30:00\n',
    ).replace("closes_at = 09:00:00", "closes_at = 09:00:00\nrelease_at = 09:10:00"),
    "running": derived("running", TODAY, hours=-2),
    "over": derived("over", PAST),
    "moved": derived("moved", more=f'[notice]\nkind = "moved"\ntext = {{ {_MOVED} }}\n'),
    "cancelled": derived(
        "cancelled", more=f'[notice]\nkind = "cancelled"\ntext = {{ {_CANCELLED} }}\n'
    ),
    "replaced": derived(
        "replaced", more=f'[notice]\nkind = "speaker-replaced"\ntext = {{ {_REPLACED} }}\n'
    ),
}
_GUESTS = {"few": 2, "one": 2, "full-waiting": 2, "full": 2}


def prepare(folder: Path) -> dict[str, str]:
    """Fill an instance folder with all these events and their registrations. Returns the paths of
    the tickets by name."""
    house = House(folder)
    house.now = local("2030-06-01 10:00")
    with house.app.app_context():
        if not (folder / "eventreg.sqlite3").exists():
            upgrade()
        for text in FILES.values():
            house.apply(text)
        paths = _registered(house)
    house.close()
    return paths


def _registered(house: House) -> dict[str, str]:
    for slug, people in _GUESTS.items():
        for place in range(people):
            house.register(f"张桂{'芳兰英'[place]}", slug=slug)
    made = {
        "ticket": house.register("张桂芳", slug="open", phone="138 0013 8000"),
        "couple": house.register("张桂芳", "王建国", slug="open", phone="138 0013 8001"),
        "split": house.register(
            "李翠花", "黄志明", slug="split", phone="138 0013 8002", split=True
        ),
        "waitlisted": house.register(
            "李翠花", slug="full-waiting", phone="138 0013 8003", waitlist=True
        ),
        "cancelled": house.register("陈美康", slug="open", phone="138 0013 8004"),
        "ended": house.register("陈美康", slug="over", phone="138 0013 8005"),
    }
    house.cancel(made["cancelled"])
    return {name: addresses.ticket(one) for name, one in made.items()}
