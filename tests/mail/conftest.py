"""A mail server, and a house that sends its mails there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.factories import House, toml
from tests.support.postbox import Postbox, open_postbox
from tests.support.servers import free_port

FOOT = '[site]\nshort_name = { zh = "社区书法", en = "Calligraphy in town" }\n'


@pytest.fixture
def post() -> Iterator[tuple[Postbox, int]]:
    """A running mail server and its port."""
    port = free_port()
    box, controller = open_postbox(port)
    yield box, port
    controller.stop()


@pytest.fixture
def box(post: tuple[Postbox, int]) -> Postbox:
    """The mails that the mail server has received."""
    return post[0]


@pytest.fixture
def house(folder: Path, environment: dict[str, str], post: tuple[Postbox, int]) -> Iterator[House]:
    """A house with a mail server and an event of two seats."""
    given = {
        "EVENTREG_SMTP_URL": f"smtp://127.0.0.1:{post[1]}",
        "EVENTREG_PUBLIC_URL": "https://lecture.example.org",
    }
    made = House(folder, **{**given, **environment})
    with made.app.app_context():
        made.apply(toml(capacity=2, more=FOOT))
        yield made
    made.close()
