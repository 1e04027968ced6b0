"""The command line, `regulars`: every package's commands, loaded when they are called."""

import logging
import signal
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

import click
from sqlalchemy.exc import OperationalError

from core.commandline import Workplace
from core.errors import RegularsError
from core.settings import Settings

COMMANDS = {
    "adjustments": "loyalty.points_commands",
    "articles": "sales.commands",
    "assortment": "basket_analysis.commands",
    "barcodes": "sales.commands",
    "cards": "loyalty.card_commands",
    "cases": "contacts.commands",
    "catalogs": "catalogs.commands",
    "certify": "pos_api.commands",
    "company-prices": "loyalty.company_commands",
    "db": "core.commands",
    "decisions": "campaigns.commands",
    "demo": "demo.commands",
    "doctor": "core.commands",
    "evaluate": "basket_analysis.commands",
    "gift-cards": "rewards.gift_card_commands",
    "groups": "basket_analysis.commands",
    "liability": "loyalty.points_commands",
    "mail": "contacts.commands",
    "members": "basket_analysis.member_commands",
    "mine": "basket_analysis.commands",
    "night": "night",
    "offers": "pos_api.offer_commands",
    "people": "web.commands",
    "prices": "sales.shelf_commands",
    "programme": "loyalty.programme_commands",
    "receipts": "loyalty.commands",
    "referrals": "loyalty.referral_commands",
    "rewards": "rewards.voucher_commands",
    "sandbox": "pos_api.sandbox_commands",
    "signing-keys": "loyalty.commands",
    "stock": "sales.shelf_commands",
    "stores": "sales.commands",
    "tiers": "loyalty.tier_commands",
    "tills": "sales.commands",
    "verify": "night",
    "vouchers": "rewards.voucher_commands",
}
"""Where each command is: giving a till its key must not wait for the libraries that mine baskets."""

HELP = {
    "adjustments": "Points that people give and take: how much of it needs a second person.",
    "articles": "Articles: what can be bought.",
    "assortment": "Assortment suggestions: of a STORE as the last night left them, or from a file of baskets.",
    "barcodes": "In-store barcodes, such as scales print: which digits are the article, which its weight or price.",
    "cards": "Cards: numbers that a till can scan.",
    "cases": "Cases: complaints, return disputes, grievances and questions of members.",
    "catalogs": "Catalogs: an edition per shopper group, a copy per member.",
    "certify": "Try every rule of the till contract at URL with the till KEY, and print pass or fail for each.",
    "company-prices": "Own prices of companies, as offers for their buyers.",
    "db": "The database: its schema, its state, and a shell.",
    "decisions": "Next best offers: what was told to whom, what came of it, and how much may be told.",
    "demo": "The demonstration: a chain with a year of baskets, to look at and to try things with.",
    "doctor": "Say what is missing here, and what mends it.",
    "evaluate": "Measure the analysis on weeks that it has not seen.",
    "gift-cards": "Gift cards: stored money apart from points.",
    "groups": "Shopper groups: found in a file of baskets, or as the last run left them.",
    "liability": "What the chain owes its members: outstanding points, their value, and what is expected to be spent.",
    "mail": "Mail to members: what waits in the outbox, and sending it.",
    "members": "Members: people and companies enrolled in the programme.",
    "mine": "Find what is often bought together in a file of baskets, or in the sales of the database.",
    "night": "Do what is done once for every business day; what is done already is not done again.",
    "offers": "Offers: what may be given to whom, under which condition.",
    "people": "People who work with Regulars in the browser.",
    "prices": "Prices: what articles cost in which period, in one store or in all.",
    "programme": "The programme's rules: versions with the day from which they hold.",
    "receipts": "Receipts: past ones from files; new ones come from tills.",
    "referrals": "Referrals: members bring members, and both are rewarded.",
    "rewards": "Rewards that points buy, and the stock of gifts.",
    "sandbox": "The sandbox: a database beside the house's, where tills can be tried and nothing counts.",
    "signing-keys": "Keys that sign what tills may let be spent offline; the first is made when it is needed.",
    "stock": "Stock: how much of what lies in which store.",
    "stores": "Stores: their currency and time zone decide amounts and business days.",
    "tiers": "Tiers: versions of them with the day from which they hold, and how members stand.",
    "tills": "Tills and their keys.",
    "verify": "Check what must always hold; exits with 1 when something does not.",
    "vouchers": "Vouchers: batches, and codes that are worth something once.",
}
"""What each is for, as its own help begins: telling what there is must not load all that there is."""

PARTS = {
    "offers": {
        "coupons": "basket_analysis.offer_coupon_commands",
        "rank": "basket_analysis.offer_rank_commands",
        "sensitive": "basket_analysis.offer_sensitive_commands",
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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write what there is, and load none of it."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(HELP.items()))


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
    settings = Settings.load()
    workplace = Workplace(data or settings.data, settings.database_url)
    context.obj = workplace
    context.call_on_close(workplace.close)


def main(arguments: Sequence[str] | None = None) -> None:
    """
    Run one command and exit: 0 when done, 1 when what was done failed, 2 when the input was refused.

    Everything that is not the answer goes to stderr; a refusal is one line.
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("core").setLevel(logging.INFO)
    # An orderly end lets go of the database.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        code = regulars.main(arguments, prog_name="regulars", standalone_mode=False) or 0
    except click.exceptions.NoArgsIsHelpError as wish:
        click.echo(wish.format_message(), err=True)
        code = 2
    except click.ClickException as refusal:
        code = _refuse(refusal.format_message(), 2)
    except RegularsError as refusal:
        code = _refuse(str(refusal), 2)
    except OperationalError as error:
        code = _refuse(f"the database does not answer: {error.orig}", 1)
    except click.Abort:
        code = _refuse("stopped", 130)
    sys.exit(code)


def _refuse(reason: str, code: int) -> int:
    click.echo(f"regulars: {' '.join(reason.split())}", err=True)
    return code


if __name__ == "__main__":
    main()
