"""A server that is watched, and what a monitor asks it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.factories import House, toml

TOKEN = "the-word-of-the-monitor"
BALANCER = "192.0.2.10"


def with_monitor() -> Any:
    """A fixture: a server with a public name, a balancer on another machine, a monitor, a mail
    server, an event and staff."""

    @pytest.fixture
    def _watched(folder: Path, environment: dict[str, str]) -> Iterator[House]:
        house = House(
            folder,
            EVENTREG_PUBLIC_URL="https://register.example.org",
            EVENTREG_PROXY_ADDRESSES=f"127.0.0.0/8, ::1, {BALANCER}",
            EVENTREG_TRUSTED_PROXIES="1",
            EVENTREG_METRICS_TOKEN=TOKEN,
            EVENTREG_SMTP_URL="smtp://mail.example.org",
            **environment,
        )
        with house.app.app_context():
            house.apply(toml())
            house.hire()
            yield house
        house.close()

    return _watched


def ask(house: House, address: str, peer: str = "127.0.0.1", **headers: str) -> Any:
    """Ask from that address, by the name 127.0.0.1 unless another ``Host`` is given."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return house.client().get(
        address, headers={"Host": "127.0.0.1", **given}, environ_base={"REMOTE_ADDR": peer}
    )


def said(house: House, address: str = "/readyz", **headers: str) -> tuple[int, str]:
    """Status and text for a program on this machine."""
    answer = ask(house, address, **headers)
    return answer.status_code, answer.text


def figures(house: House) -> dict[str, float]:
    """All figures by their name and labels."""
    found = {}
    for family in text_string_to_metric_families(ask(house, "/metrics").text):
        for one in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(one.labels.items()))
            found[f"{one.name}{{{labels}}}"] = one.value
    return found
