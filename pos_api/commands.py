"""The tills' part of the command line."""

import click
from rich.console import Console

from core.commandline import json_option, print_json, refusals_exit_2
from pos_api.certification import Conversation, Verdict, certify
from pos_api.certification_rules import RULES
from sales.queries import is_sandbox_key


@click.command("certify")
@click.argument("url")
@click.argument("key")
@click.option(
    "--live", is_flag=True, help="Certify with a key that is not a sandbox's: members and receipts stay."
)
@json_option
@refusals_exit_2
def certify_till(url: str, key: str, live: bool, as_json: bool) -> None:  # noqa: FBT001 - click's way
    """
    Try every rule of the till contract at URL with the till KEY, and print pass or fail for each.

    Ends with exit code 1 when a rule is broken. Use a key of a sandbox (`regulars sandbox key`).
    """
    if not live and not is_sandbox_key(key):
        raise click.UsageError(
            "the key is not a sandbox's; what is tried would stay in the books (--live to do so)"
        )
    conversation = Conversation.begin(url, key)
    console = Console(stderr=False, highlight=False)
    verdicts: list[Verdict] = []
    for verdict in certify(conversation, RULES):
        verdicts.append(verdict)
        if not as_json:
            mark = "[green]pass[/green]" if verdict.broken is None else "[red]FAIL[/red]"
            console.print(f"{mark}  {verdict.code:<16} {verdict.promise}")
            if verdict.broken is not None:
                console.print(f"      {' ' * 16} {verdict.broken}", style="red", markup=False)
    passed = sum(verdict.broken is None for verdict in verdicts)
    if as_json:
        print_json({"url": url, "passed": passed, "rules": [verdict.as_json() for verdict in verdicts]})
    else:
        console.print(f"{passed} of {len(verdicts)} rules hold")
    if passed < len(verdicts):
        raise click.exceptions.Exit(1)


commands: tuple[click.Command, ...] = (certify_till,)
