"""The names of doors, in the language of the page."""

from eventreg.core.door import devices
from eventreg.web.language import say


def shown(name: str) -> str:
    """The name of a door as it is shown; in the language of the page if nobody chose it."""
    number = devices.default_number(name)
    return say("door_name", number=number) if number else name
