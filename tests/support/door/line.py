"""The pages about people who walk in, wait at the door, or came late."""

from flask.testing import FlaskClient

from tests.support.pages import get

DOOR = "/door/small"


def walk_line(door: FlaskClient) -> None:
    """Open all of them, with somebody in each place, and release seats."""
    for number in range(4):
        form = get(door, f"{DOOR}/walk-ins").form("/walk-ins")
        answer = door.post(form.action, data={**form.fields, "name": f"吴{number}号"})
        get(door, answer.headers["Location"])
    for path in ("walk-ins", "waiting", "release"):
        get(door, f"{DOOR}/{path}")
    form = get(door, f"{DOOR}/release").form("/release")
    get(door, door.post(form.action, data=form.fields).headers["Location"])
