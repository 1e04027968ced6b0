"""The command group `regulars people`."""

import sys

import click

from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from core.i18n import LANGUAGES
from web.operations import add_person
from web.queries import all_people
from web.roles import ROLES


@click.group()
def people() -> None:
    """People who work with Regulars in the browser."""


@people.command("add")
@click.argument("login")
@click.option("--role", required=True, type=click.Choice(ROLES))
@click.option("--name", help="The name as colleagues know it; the login if left out.")
@click.option("--store", "store_code", help="Needed for a cashier and a store manager.")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of stdin.")
@json_option
@pass_workplace
@refusals_exit_2
def add(  # noqa: PLR0917 - click gives them by name
    workplace: Workplace,
    login: str,
    role: str,
    name: str | None,
    store_code: str | None,
    language: str,
    password_stdin: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Add somebody who may sign in; a generated password is printed once."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    with workplace.sessions.begin() as session:
        person, secret = add_person(
            session,
            login=login,
            role=role,
            name=name,
            store_code=store_code,
            password=password,
            language=language,
            actor="command line",
            now=clock.now(),
        )
        added = {"login": person.login, "role": person.role, "store_code": store_code}
    if as_json:
        print_json({**added, "password": secret})
        return
    click.echo(
        f"{added['login']} may sign in as {added['role']}" + (f" of {store_code}" if store_code else "")
    )
    if not password_stdin:
        click.echo(f"Password, shown only now: {secret}")


@people.command("list")
@json_option
@pass_workplace
@refusals_exit_2
def list_all(workplace: Workplace, as_json: bool) -> None:  # noqa: FBT001
    """Print everybody who may sign in."""
    with workplace.sessions.begin() as session:
        rows = all_people(session)
    if as_json:
        print_json(
            {
                "people": [
                    {
                        "login": row.login,
                        "name": row.name,
                        "role": row.role,
                        "store_code": row.store_code,
                        "disabled": row.disabled_at is not None,
                    }
                    for row in rows
                ]
            }
        )
        return
    for row in rows:
        state = "  (disabled)" if row.disabled_at else ""
        click.echo(f"{row.login:24} {row.role:16} {row.store_code or ''}{state}")


commands: tuple[click.Command, ...] = (people,)
