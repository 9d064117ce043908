"""Warms up the process from which others are forked: importing this module does in a temporary app
what every server does at its start or for its first pages. Tables are then mapped, routes, pages
and queries compiled, and sentences read, so that a fork starts at once."""

import gc
import tempfile
from pathlib import Path

from eventreg.storage import checks
from eventreg.web.public import outage_page
from tests.support.factories import House, toml

with tempfile.TemporaryDirectory() as _folder:
    _house = House(Path(_folder))
    with _house.app.app_context():
        checks.make_tables()
        _house.apply(toml(more="[waitlist]\nsize = 3"))
        _house.hire()
        _house.cancel(_house.register("张桂芳", "王建国"))
        outage_page.write()
        for _name in _house.app.jinja_env.list_templates():
            _house.app.jinja_env.get_template(_name)
        _house.client().get("/zh/events/small/register")
        _house.signed_in("olga").get("/staff/events/small")
    _house.close()
gc.collect()
gc.freeze()  # a fork's collector would go through, and so copy, all that it shares
