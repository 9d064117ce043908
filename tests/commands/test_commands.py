"""The commands: exit codes and output. A command that refuses changes nothing."""

import contextvars
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result

from eventreg.core import audit
from eventreg.core.event import events
from eventreg.core.organising import applying
from eventreg.core.staff import accounts
from eventreg.storage.session import reading, transaction
from tests.support.factories import LONG_PASSWORD, ROOT, SHIPPED, House, bare_environment, toml
from tests.support.pages import get

COMMANDS = [
    ["event", "check"],
    ["event", "apply"],
    ["event", "list"],
    ["event", "show"],
    ["staff", "add"],
    ["staff", "list"],
    ["staff", "disable"],
    ["staff", "link"],
    ["check-in-list"],
    ["move"],
]


def run(house: House, *words: str, typed: str | None = None) -> Result:
    """Run a command in the house."""
    result = contextvars.Context().run(
        house.app.test_cli_runner().invoke, args=list(words), input=typed
    )
    reading().rollback()
    return result


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A small event file on disk."""
    path = tmp_path / "small.toml"
    path.write_text(toml(), encoding="utf-8")
    return path


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_help_of_every_command_has_an_example(house: House, command: list[str]) -> None:
    result = run(house, *command, "--help")
    assert result.exit_code == 0
    assert "Example: flask --app wsgi " + " ".join(command) in result.output


def test_the_operators_guide_lists_every_command() -> None:
    guide = (ROOT / "docs" / "operator.md").read_text()
    for command in COMMANDS:
        assert f"`{' '.join(command)}" in guide, command


@pytest.mark.parametrize(
    "words",
    [
        ["event", "frobnicate"],
        ["event", "apply"],
        ["staff", "add", "x", "--role", "king"],
        ["check-in-list"],
    ],
)
def test_wrong_usage_ends_with_exit_code_2(house: House, words: list[str]) -> None:
    assert run(house, *words).exit_code == 2


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "words", [["event", "show"], ["check-in-list"], ["staff", "disable"], ["staff", "link"]]
)
def test_an_argument_that_is_not_utf_8_is_refused_in_one_line(
    house: House, words: list[str]
) -> None:
    refused = run(house, *words, os.fsdecode(b"a\xff"))
    assert (refused.exit_code, refused.stderr) == (1, "An argument is no text in UTF-8\n")


def test_an_event_file_is_checked_without_changing_anything(house: House) -> None:
    result = run(house, "event", "check", str(SHIPPED))
    assert result.exit_code == 0
    assert "50 seats" in result.output
    assert events.all_events(reading()) == []


def test_a_wrong_event_file_is_refused_with_every_mistake(house: House, file: Path) -> None:
    assert run(house, "event", "apply", str(file)).exit_code == 0
    file.write_text(toml(capacity=-1, head="colour = 1"), encoding="utf-8")
    for command in ("check", "apply"):
        result = run(house, "event", command, str(file))
        assert result.exit_code == 1
        assert f"{file}: capacity: " in result.stderr
        assert f"{file}: colour: is not a key of event files" in result.stderr
    assert house.seats().capacity == 3
    for other in ("nowhere.toml", str(file.parent)):
        missing = run(house, "event", "apply", other)
        assert missing.exit_code == 1
        assert "cannot be read" in missing.stderr


def test_an_event_file_that_is_not_text_is_refused(house: House, file: Path) -> None:
    file.write_bytes(b"\xff\xfe\x00")
    assert run(house, "event", "check", str(file)).exit_code == 1


def test_applying_prints_what_changes_and_how_many_seats_are_over(house: House, file: Path) -> None:
    assert "small: created. 0 of 3 seats taken" in run(house, "event", "apply", str(file)).output
    assert "small: unchanged" in run(house, "event", "apply", str(file)).output
    house.register("王一", "王二")
    file.write_text(toml(capacity=1), encoding="utf-8")
    changed = run(house, "event", "apply", str(file))
    assert "capacity: 3 -> 1" in changed.output
    assert "2 of 1 seats taken, over by 1" in changed.output


def test_a_forbidden_word_gives_a_warning_and_no_refusal(house: House, file: Path) -> None:
    file.write_text(toml().replace("Calligraphy class", "A miracle"), encoding="utf-8")
    result = run(house, "event", "apply", str(file))
    assert result.exit_code == 0
    assert "warning: " in result.stderr
    assert "'miracle'" in result.stderr


def test_a_second_event_with_other_facts_is_shown_and_listed(house: House, file: Path) -> None:
    run(house, "event", "apply", str(SHIPPED))
    file.write_text(toml().replace("2030-06-10", "2031-03-02"), encoding="utf-8")
    run(house, "event", "apply", str(file))
    page = get(house.client(), "/en/events/small")
    assert "Sunday, March 2, 2031" in page.text
    assert "3 seats left" in page.text
    assert "87654321" in page.text
    listed = run(house, "event", "list").output.splitlines()
    assert [line.split("\t")[0] for line in listed] == ["june-10-self-care", "small"]
    shown = run(house, "event", "show", "small").output
    assert "2031-03-02 09:00 Asia/Shanghai" in shown
    assert "图书馆" in shown
    missing = run(house, "event", "show", "nothing")
    assert (missing.exit_code, missing.stderr) == (1, "There is no such event. (nothing)\n")


def test_an_account_is_added_with_a_link_alone_on_its_line(house: House) -> None:
    result = run(house, "staff", "add", "desmond", "--role", "desk")
    assert result.exit_code == 0
    assert result.output.startswith("http://127.0.0.1:8000/staff/welcome/")
    assert len(result.output.splitlines()) == 1
    assert "desmond\tdesk\twaits for its link" in run(house, "staff", "list").output
    again = run(house, "staff", "add", "Desmond", "--role", "door")
    assert again.exit_code == 1
    assert "taken" in again.stderr


def test_an_account_is_added_with_a_password_from_standard_input(house: House) -> None:
    result = run(
        house,
        "staff",
        "add",
        "dora",
        "--role",
        "door",
        "--password-stdin",
        typed=f"{LONG_PASSWORD}\n",
    )
    assert (result.exit_code, result.output) == (0, "dora: added as door\n")
    assert accounts.verify(reading(), "dora", LONG_PASSWORD).username == "dora"
    weak = run(house, "staff", "add", "eve", "--role", "door", "--password-stdin", typed="short\n")
    assert weak.exit_code == 1
    assert "at least 15" in weak.stderr.lower()
    assert len(accounts.all_members(reading())) == 1


def test_links_are_made_and_accounts_are_disabled(house: House) -> None:
    first = run(house, "staff", "link")
    assert "/staff/welcome/" in first.output
    house.hire()
    assert run(house, "staff", "link").exit_code == 1
    assert run(house, "staff", "link", "dora").exit_code == 0
    assert run(house, "staff", "disable", "dora").output == "dora: disabled\n"
    assert run(house, "staff", "link", "dora").exit_code == 1
    assert "dora\tdoor\tdisabled" in run(house, "staff", "list").output
    assert run(house, "staff", "disable", "nobody").exit_code == 1


def test_the_check_in_list_is_printed_as_text_html_and_csv(house: House, tmp_path: Path) -> None:
    house.apply(toml())
    house.register("张桂芳", phone="13800138000")
    text = run(house, "check-in-list", "small").output
    assert "张桂芳" in text
    assert "8000" in text
    page = run(house, "check-in-list", "small", "--format", "html").output
    assert "<style>" in page
    assert "<link" not in page
    assert page.count("□") == 2 * 21
    target = tmp_path / "list.csv"
    assert (
        run(house, "check-in-list", "small", "--format", "csv", "--output", str(target)).exit_code
        == 0
    )
    assert target.read_bytes().startswith("\ufeffnumber,letter,name".encode())
    for words in (["nothing"], ["small", "--output", str(tmp_path / "no" / "where")]):
        refused = run(house, "check-in-list", *words)
        assert refused.exit_code == 1
        assert len(refused.stderr.splitlines()) == 1


def test_the_list_on_a_terminal_has_no_control_characters(house: House) -> None:
    house.apply(toml())
    with transaction() as session:
        made = house.event()
        applying.apply(session, events.definition(made), by=audit.SYSTEM, now=house.now)
    house.register("A\u0301nna", "=A1+1")
    text = run(house, "check-in-list", "small").output
    assert not any(ord(c) < 32 and c != "\n" for c in text)


def test_a_command_may_run_before_the_first_start(tmp_path: Path) -> None:
    flask = [sys.executable, "-m", "flask", "--app", "wsgi"]
    environment = bare_environment(EVENTREG_INSTANCE=str(tmp_path / "new"))

    def flask_says(*words: str) -> str:
        done = subprocess.run(
            [*flask, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    assert "created" in flask_says("event", "apply", str(SHIPPED))
    assert "1/2" in flask_says("check-in-list", "june-10-self-care")


def test_wrong_settings_stop_a_command_with_one_line_each(tmp_path: Path) -> None:
    environment = bare_environment(
        EVENTREG_INSTANCE=str(tmp_path),
        PORT="http",
        EVENTREG_RATE_LIMITS="maybe",
        EVENTREG_CLOCK="2030-06-10",
    )
    flask = [sys.executable, "-m", "flask", "--app", "wsgi", "event", "list"]
    done = subprocess.run(
        flask, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert sorted(line.split(":")[0] for line in lines) == [
        "EVENTREG_CLOCK",
        "EVENTREG_RATE_LIMITS",
        "PORT",
    ]
    assert not list(tmp_path.iterdir())
