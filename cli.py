"""The command line, `regulars`: every package's commands, loaded when they are called; help is in a book."""

import logging
import signal
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

import click

from core.errors import RegularsError

BOOK = Path(__file__).parent / "docs" / "command-line.md"
"""What `--help` says of every command, written by `python -m devtools.command_book`: a question loads no database."""

COMMANDS = {
    "adjustments": "loyalty.points_commands",
    "articles": "sales.commands",
    "assortment": "basket_analysis.commands",
    "barcodes": "sales.commands",
    "cards": "loyalty.card_commands",
    "cases": "contacts.commands",
    "catalogs": "catalogs.commands",
    "certify": "pos_api.commands",
    "company-prices": "loyalty.company.commands",
    "db": "core.commands",
    "decisions": "campaigns.commands",
    "demo": "demo.commands",
    "doctor": "core.commands",
    "evaluate": "basket_analysis.commands",
    "gift-cards": "rewards.gift_cards.commands",
    "groups": "basket_analysis.commands",
    "liability": "loyalty.points_commands",
    "mail": "contacts.commands",
    "members": "basket_analysis.standings.commands",
    "mine": "basket_analysis.commands",
    "night": "night",
    "offers": "pos_api.offer_commands",
    "people": "web.commands",
    "prices": "sales.shelf_commands",
    "programme": "loyalty.programme.commands",
    "receipts": "loyalty.commands",
    "referrals": "loyalty.referrals.commands",
    "rewards": "rewards.vouchers.commands",
    "sandbox": "pos_api.sandbox_commands",
    "signing-keys": "loyalty.commands",
    "stock": "sales.shelf_commands",
    "stores": "sales.commands",
    "tiers": "loyalty.tiers.commands",
    "tills": "sales.commands",
    "verify": "night",
    "vouchers": "rewards.vouchers.commands",
}
"""Where each command is: giving a till its key must not wait for the libraries that mine baskets."""

PARTS = {
    "offers": {
        "coupons": "basket_analysis.offers.coupon_commands",
        "rank": "basket_analysis.offers.rank_commands",
        "sensitive": "basket_analysis.offers.sensitive_commands",
    },
}
"""Sub-commands of rooms that the group's own room does not know; each module names its own in `parts`."""


class Gathered(click.Group):
    """A group with sub-commands of several rooms, each loaded when it is called."""

    def __init__(self, group: click.Group, parts: Mapping[str, str]) -> None:
        super().__init__(group.name, commands=group.commands, help=group.help)
        self._parts = parts

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in order."""
        return sorted({*super().list_commands(ctx), *self._parts})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a sub-command; None when there is none of this name."""
        if cmd_name not in self._parts:
            return super().get_command(ctx, cmd_name)
        parts: Sequence[click.Command] = import_module(self._parts[cmd_name]).parts
        return next(part for part in parts if part.name == cmd_name)


class House(click.Group):
    """The commands of all packages; each module names its own in `commands`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load a command; None when there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        commands: Sequence[click.Command] = import_module(COMMANDS[cmd_name]).commands
        command = next(command for command in commands if command.name == cmd_name)
        if cmd_name in PARTS and isinstance(command, click.Group):
            return Gathered(command, PARTS[cmd_name])
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what there is, each in its whole first sentence."""
        there = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, command.get_short_help_str(120)) for name, command in there if command]
            )


@click.group(cls=House)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="The data folder (REGULARS_DATA, or ./data).",
)
@click.version_option(package_name="regulars")
@click.pass_context
def regulars(context: click.Context, data: Path | None) -> None:
    """The loyalty-card CRM of retail chains. DATABASE_URL, if set, names the database."""
    context.obj = context.with_resource(import_module("core.commandline").opened_workplace(data))


def main(arguments: Sequence[str] | None = None) -> None:
    """
    Run one command and exit: 0 when done, 1 when what was done failed, 2 when the input was refused.

    Everything that is not the answer goes to stderr; a refusal is one line.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    page = help_pages().get(" ".join(["regulars", *words[:-1]])) if words[-1:] in ([], ["--help"]) else None
    if page:
        click.echo(page, err=not words)
        sys.exit(0 if words else 2)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("core").setLevel(logging.INFO)
    # An orderly end lets go of the database.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        code = regulars.main(words, prog_name="regulars", standalone_mode=False) or 0
    except click.exceptions.NoArgsIsHelpError as wish:
        click.echo(wish.format_message(), err=True)
        code = 2
    except click.ClickException as refusal:
        code = _refuse(refusal.format_message(), refusal.exit_code)
    except RegularsError as refusal:
        code = _refuse(str(refusal), 2)
    except click.Abort:
        code = _refuse("stopped", 130)
    sys.exit(code)


def help_pages() -> dict[str, str]:
    """Return what `--help` says by command, such as `regulars stores add`; nothing without the book."""
    if not BOOK.exists():
        return {}
    sections = BOOK.read_text(encoding="utf-8").split("\n## ")[1:]
    return {
        title: text.strip().removeprefix("```text\n").removesuffix("\n```")
        for title, _, text in (section.partition("\n") for section in sections)
    }


def _refuse(reason: str, code: int) -> int:
    click.echo(f"regulars: {' '.join(reason.split())}", err=True)
    return code


if __name__ == "__main__":
    main()
