"""The commands about accounts: `staff add`, `list`, `disable`, `link` and `reset-factor`."""

import sys

import click
from flask import current_app
from flask.cli import AppGroup

from eventreg.app_clock import current_time
from eventreg.commands.refusing import refuse, refusing
from eventreg.core import audit
from eventreg.core.desk.check_in_list import plain
from eventreg.core.models.staff import Role
from eventreg.core.staff import accounts, credentials, passwords
from eventreg.storage.session import reading, transaction

staff_commands = AppGroup("staff", help="Accounts of organisers, desk and door.")


def _password(from_stdin: bool, username: str) -> str | None:
    if not from_stdin:
        return None
    return passwords.check(sys.stdin.readline().rstrip("\r\n"), username)


def _print_link(token: str) -> None:
    """Print the link alone on its line, so that a program can read it too."""
    click.echo(f"{current_app.extensions['settings'].public_url}/staff/welcome/{token}")


@staff_commands.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the password from standard input instead of making a link.",
)
@refusing
def add(name: str, role: str, password_stdin: bool) -> None:
    """Add the account NAME; without a password, print the one-time link to choose one.

    Example: flask --app wsgi staff add desmond --role desk
    """
    password = _password(password_stdin, name)
    now = current_time()
    with transaction() as session:
        member = accounts.add(session, name, Role(role), by=audit.SYSTEM, now=now)
        if password is not None:
            accounts.set_password(session, member, password, by=audit.SYSTEM, now=now)
            token = None
        else:
            token = accounts.make_link(session, member, by=audit.SYSTEM, now=now)
    if token:
        _print_link(token)
    else:
        click.echo(f"{plain(name)}: added as {role}")


@staff_commands.command("list")
@refusing
def list_staff() -> None:
    """List the accounts: name, role, state.

    Example: flask --app wsgi staff list
    """
    for member in accounts.all_members(reading()):
        active = "active" if member.password_hash else "waits for its link"
        state = "disabled" if member.disabled_at else active
        click.echo(f"{plain(member.username)}\t{member.role}\t{state}")


@staff_commands.command("disable")
@click.argument("name")
@refusing
def disable(name: str) -> None:
    """Disable the account NAME, even of the last organiser, and end its sessions and links at once.

    Example: flask --app wsgi staff disable desmond
    """
    now = current_time()
    with transaction() as session:
        accounts.force_disable(session, accounts.by_name(session, name), by=audit.SYSTEM, now=now)
    click.echo(f"{plain(name)}: disabled")


@staff_commands.command("link")
@click.argument("name", required=False)
@refusing
def link(name: str | None) -> None:
    """Print a new one-time link for NAME, to choose a new password; without NAME, for the first
    organiser. Earlier links no longer open.

    Example: flask --app wsgi staff link desmond
    """
    now = current_time()
    with transaction() as session:
        if name is None and accounts.has_organiser(session):
            refuse("There is an organiser already; name the account that needs a link.")
        member = accounts.by_name(session, name) if name else None
        if member and member.disabled_at:
            refuse(f"{plain(member.username)}: is disabled")
        token = accounts.make_link(session, member, by=audit.SYSTEM, now=now)
    _print_link(token)


@staff_commands.command("reset-factor")
@click.argument("name")
@refusing
def reset_factor(name: str) -> None:
    """Turn off the second factor of NAME, whose telephone and recovery codes are lost; the password
    stays.

    NAME is signed out everywhere, and is told at the next sign-in.

    Example: flask --app wsgi staff reset-factor olga
    """
    now = current_time()
    with transaction() as session:
        credentials.reset_factor(session, accounts.by_name(session, name), by=audit.SYSTEM, now=now)
    click.echo(f"{plain(name)}: has no second factor any more")
