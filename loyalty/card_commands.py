"""What the command group `regulars cards` can do besides: what needs to know points, receipts and stores."""

import click

from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from customers.card_changes import replace_card
from customers.commands import ACTOR, cards
from loyalty.handing_out import hand_out_cards
from loyalty.queries import has_entries
from sales.staff_cards import end_staff_card, register_staff_card, staff_cards


@cards.command("issue")
@click.argument("card_numbers", metavar="CARD…", nargs=-1, required=True)
@click.option("--member", "member_code", help="Hand them to the member with this code.")
@json_option
@pass_workplace
@refusals_exit_2
def cards_issue(
    workplace: Workplace, *, card_numbers: tuple[str, ...], member_code: str | None, as_json: bool
) -> None:
    """Hand out cards: each opens an account of its own, or joins that of the member with all it has earned."""
    with workplace.sessions.begin() as session:
        issued = hand_out_cards(
            session, card_numbers=card_numbers, member_code=member_code, now=clock.now(), actor=ACTOR
        )
    if as_json:
        print_json({"cards": [{"card_number": card.card_number, "state": card.state} for card in issued]})
        return
    for card in issued:
        click.echo(f"{card.card_number} {card.state}")


@cards.command("replace")
@click.argument("card_number", metavar="CARD")
@click.argument("new_card_number", metavar="NEW")
@click.option("--reason", required=True)
@pass_workplace
@refusals_exit_2
def cards_replace(workplace: Workplace, *, card_number: str, new_card_number: str, reason: str) -> None:
    """Put a new card in the place of a lost one: account, holder and history follow."""
    with workplace.sessions.begin() as session:
        replace_card(
            session,
            card_number=card_number,
            new_card_number=new_card_number,
            reason=reason,
            now=clock.now(),
            actor=ACTOR,
            has_history=lambda account_id: has_entries(session, account_id=account_id),
        )


@cards.group("staff")
def cards_staff() -> None:
    """Staff cards: they earn nothing on baskets that their operators ring themselves."""


@cards_staff.command("list")
@json_option
@pass_workplace
def staff_list(workplace: Workplace, *, as_json: bool) -> None:
    """Show the cards bound to operators."""
    with workplace.sessions.begin() as session:
        found = [row for row in staff_cards(session) if row.ended_at is None]
    if as_json:
        print_json(
            {
                "staff_cards": [
                    {
                        "id": row.staff_card_id,
                        "card_number": row.card_number,
                        "store_code": row.store_code,
                        "operator_code": row.operator_code,
                        "name": row.name,
                    }
                    for row in found
                ]
            }
        )
        return
    for row in found:
        click.echo(
            f"{row.staff_card_id}  {row.store_code}  {row.operator_code}  {row.card_number}  {row.name}"
        )


@cards_staff.command("add")
@click.argument("card_number", metavar="CARD")
@click.option("--store", "store_code", required=True)
@click.option("--operator", "operator_code", required=True, help="As the tills of the store send it.")
@click.option("--name", required=True)
@pass_workplace
@refusals_exit_2
def staff_add(
    workplace: Workplace, *, card_number: str, store_code: str, operator_code: str, name: str
) -> None:
    """Bind a card to an operator, from now on."""
    with workplace.sessions.begin() as session:
        register_staff_card(
            session,
            card_number=card_number,
            store_code=store_code,
            operator_code=operator_code,
            name=name,
            now=clock.now(),
            actor=ACTOR,
        )


@cards_staff.command("end")
@click.argument("staff_card_id", metavar="ID", type=int)
@pass_workplace
@refusals_exit_2
def staff_end(workplace: Workplace, *, staff_card_id: int) -> None:
    """Take a binding away, from now on."""
    with workplace.sessions.begin() as session:
        end_staff_card(session, staff_card_id=staff_card_id, now=clock.now(), actor=ACTOR)


commands: tuple[click.Command, ...] = (cards,)
