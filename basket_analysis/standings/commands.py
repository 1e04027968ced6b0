"""The command `regulars members show`: one member's phase, value, group and history, as the served run sees them."""

from dataclasses import asdict
from typing import Any

import click

from basket_analysis.groups.lists import served_run
from basket_analysis.groups.reasons import why
from basket_analysis.groups.words import sentences
from basket_analysis.standings.words import phase_name, phase_reason, value_name, value_reason
from contacts.queries import ContactView, contacts_of_member
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from core.i18n import show_money
from core.money import Money
from customers.commands import members
from customers.standing_counts import StandingCount, standing_counts
from customers.standings import NoStanding, StandingView, standing_of_code

LANGUAGE = "en"


@members.command("show")
@click.argument("member_code", metavar="MEMBER")
@json_option
@pass_workplace
@refusals_exit_2
def show_member(workplace: Workplace, *, member_code: str, as_json: bool) -> None:
    """Show a MEMBER's phase and value class with the reasons, the shopper group, and the history of contacts."""
    with workplace.sessions() as session:
        run = served_run(session)
        if run is None:
            raise NoStanding("there are no phases before the first night")
        member_id, standing = standing_of_code(session, member_code=member_code, run_id=run.run_id)
        events = contacts_of_member(session, member_id=member_id, limit=30)
        group = why(session, member_id=member_id)
    if as_json:
        print_json(
            {
                "member_code": member_code,
                **_document(standing),
                "why": {"phase": phase_reason(standing, LANGUAGE), "value": value_reason(standing, LANGUAGE)},
                "contacts": [_event(event) for event in events],
            }
        )
        return
    click.echo(
        f"{phase_name(standing.phase, LANGUAGE)} since {standing.phase_since}: {phase_reason(standing, LANGUAGE)}"
    )
    click.echo(
        f"{value_name(standing.value_class, LANGUAGE)} since {standing.value_since}:"
        f" {value_reason(standing, LANGUAGE)}"
    )
    for words in _values(standing):
        click.echo(f"  {words}")
    for words in sentences(group, LANGUAGE):
        click.echo(words)
    for event in events:
        click.echo(f"{event.at:%Y-%m-%d %H:%M}  {event.channel:<9} {_event_words(event)}")


@members.command("phases")
@click.option("--group", "group_id", help="Of one shopper group only.")
@json_option
@pass_workplace
@refusals_exit_2
def show_phases(workplace: Workplace, *, group_id: str | None, as_json: bool) -> None:
    """Count members by phase and value class; nothing that shows fewer than ten people is said."""
    with workplace.sessions() as session:
        run = served_run(session)
        if run is None:
            raise NoStanding("there are no phases before the first night")
        counts = standing_counts(session, run_id=run.run_id, group_id=group_id)
    if as_json:
        print_json(
            {"business_day": run.business_day.isoformat(), "members": [asdict(count) for count in counts]}
        )
        return
    for line in _table(counts):
        click.echo(line)


def _table(counts: list[StandingCount]) -> list[str]:
    """Return the counts as a table, a phase each line."""
    classes = list(dict.fromkeys(count.value_class for count in counts))
    head = "".join(f"{value_name(value, LANGUAGE):>12}" for value in classes)
    lines = [f"{'':12}{head}"]
    for phase in dict.fromkeys(count.phase for count in counts):
        cells = [
            "few" if count.members is None else f"{count.members:,}"
            for count in counts
            if count.phase == phase
        ]
        lines.append(f"{phase_name(phase, LANGUAGE):12}" + "".join(f"{cell:>12}" for cell in cells))
    return lines


def _values(one: StandingView) -> list[str]:
    money = show_money(Money(one.financial, one.currency), LANGUAGE) if one.currency else "nothing"
    kind = "margin" if one.margin else "revenue"
    told = (
        f"profile {one.told_profile}, consents {one.told_consents}, answers {one.told_answers},"
        f" redemptions {one.told_redemptions}"
    )
    return [
        f"financial: {money} of {kind} expected in the next year, more than {one.financial_rank:.0%} of members",
        f"informational: {one.informational} of 100 ({told})",
        f"reference: {one.reference_value} people (brought {one.brought}, household {one.household})",
    ]


def _document(standing: StandingView) -> dict[str, Any]:
    document = asdict(standing)
    return {
        key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in document.items()
    }


def _event(event: ContactView) -> dict[str, Any]:
    return {
        "at": event.at.isoformat(),
        "channel": event.channel,
        "direction": event.direction,
        "kind": event.kind,
        "detail": event.detail,
    }


def _event_words(event: ContactView) -> str:
    detail = event.detail
    if "from" in detail and "to" in detail:
        return f"{event.kind.replace('_', ' ')}: {detail['from']} -> {detail['to']}"
    return f"{event.kind}: {', '.join(str(value) for value in detail.values() if value)}"


commands: tuple[click.Command, ...] = (members,)
"""The whole group, so that whoever reads its file has all of it."""
