"""The container, without building it: script/try-container does that, which takes minutes."""

import re
from pathlib import Path

import pytest
import yaml

from tests.support.factories import ROOT

STEPS = re.sub(r"\\\n", "", (ROOT / "Containerfile").read_text())
FIRST, LAST = (f"FROM {part}" for part in STEPS.split("\nFROM ")[1:])
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
OURS = COMPOSE["eventreg"]


def steps(stage: str, name: str) -> list[str]:
    """The arguments of all steps of that name in a stage."""
    return re.findall(rf"^{name} (.*)$", stage, re.M)


def test_the_second_stage_holds_nothing_that_builds_or_fetches() -> None:
    assert FIRST.splitlines()[0].endswith(" AS libraries")
    assert "--require-hashes" in FIRST
    assert not re.search(
        r"\b(pip|venv|npm|git|curl|gcc)\b", " ".join(steps(LAST, "RUN")).replace(".venv", "")
    )


def test_nothing_that_is_not_named_gets_into_the_image() -> None:
    """A folder with instance/ must never be copied whole: it holds names and numbers."""
    copied = [word for line in steps(LAST, "COPY") for word in line.split()[:-1]]
    named = [word for word in copied if not word.startswith(("--from", "/opt"))]
    assert "." not in named and "./" not in named and "instance" not in named
    for one in named:
        assert (ROOT / one).exists(), one
    for needed in ("wsgi.py", "eventreg", "events", "migrations", "static", "templates"):
        assert needed in named


def test_it_runs_as_a_user_without_rights_and_writes_into_one_volume() -> None:
    assert steps(LAST, "USER") == ["10001"]
    assert steps(LAST, "VOLUME") == ["/var/lib/eventreg"]
    assert "EVENTREG_INSTANCE=/var/lib/eventreg" in LAST
    assert OURS["read_only"] is True
    assert OURS["volumes"] == ["data:/var/lib/eventreg"]
    assert OURS["cap_drop"] == ["ALL"]
    assert OURS["security_opt"] == ["no-new-privileges:true"]


def test_the_health_check_asks_a_host_that_is_always_ours() -> None:
    assert "HTTPConnection('127.0.0.1', 8000" in LAST and "'/livez'" in LAST


def test_the_network_that_may_tell_of_guests_is_that_of_the_proxy() -> None:
    networks = yaml.safe_load((ROOT / "compose.yaml").read_text())["networks"]
    front = networks["front"]["ipam"]["config"][0]["subnet"]
    assert OURS["environment"]["EVENTREG_PROXY_ADDRESSES"] == front
    assert COMPOSE["caddy"]["networks"] == ["front"]
    assert networks["back"]["internal"] is True
    for behind in ("postgres", "redis"):
        assert COMPOSE[behind]["networks"] == ["back"]
        assert "ports" not in COMPOSE[behind]
    assert "ports" not in OURS, "guests come by the proxy alone"


def test_no_secret_has_a_default() -> None:
    text = (ROOT / "compose.yaml").read_text()
    for secret in ("POSTGRES_PASSWORD", "EVENTREG_SECRET_KEY"):
        assert re.search(rf"\$\{{{secret}:\?\}}", text)
        assert not re.search(rf"\$\{{{secret}:?-", text)


@pytest.mark.parametrize("line", ["reverse_proxy", "request>uri delete", "handle_errors"])
def test_the_proxy_of_the_containers_is_the_documented_one(line: str) -> None:
    inside = (ROOT / "deploy" / "Caddyfile.container").read_text()
    documented = (ROOT / "docs" / "proxies" / "Caddyfile").read_text()
    assert line in inside and line in documented


def test_only_the_places_differ_between_the_two_files_of_caddy() -> None:
    def rules(path: Path) -> set[str]:
        text = re.sub(r"#.*", "", path.read_text())
        kept = re.sub(r"output file \S+ \{[^}]*\}", "output stdout", text)
        kept = kept.replace("127.0.0.1:8000", "eventreg:8000")
        kept = kept.replace("register.example.org", "{$DOMAIN}")
        return {line.strip() for line in kept.splitlines() if line.strip()}

    shipped = ROOT / "docs" / "proxies" / "Caddyfile"
    assert rules(shipped) == rules(ROOT / "deploy" / "Caddyfile.container")
