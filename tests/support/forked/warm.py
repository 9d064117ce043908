"""Warms up the process from which others are forked: importing this module registers and cancels
once in a temporary app. Tables are then mapped and routes compiled, so that a fork starts at
once."""

import tempfile
from pathlib import Path

from eventreg.storage import checks
from tests.support.factories import House, toml

with tempfile.TemporaryDirectory() as _folder:
    _house = House(Path(_folder))
    with _house.app.app_context():
        checks.make_tables()
        _house.apply(toml(more="[waitlist]\nsize = 3"))
        _house.cancel(_house.register("张桂芳", "王建国"))
    _house.close()
