"""What the last night found, on the command line: `groups list`, `groups show` and `assortment STORE`."""

from dataclasses import asdict
from itertools import groupby
from operator import attrgetter
from typing import Any

import click
from sqlalchemy.orm import Session

from basket_analysis.assortment.suggestion_lists import (
    KINDS,
    SubstituteView,
    SuggestionView,
    all_suggestions,
    substitutes_of,
)
from basket_analysis.groups.lists import (
    GroupView,
    NoSuchGroup,
    RuleView,
    RunView,
    group_of_run,
    groups_of_run,
    rules_of_group,
    served_run,
)
from basket_analysis.groups.quality_lists import refused_since_served
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from core.i18n import show_money
from core.money import Money
from sales.queries import store_of_code

EVERY = 1_000_000
"""More rules than a group has."""
ABOUT = {
    "none": "They have baskets enough, but no theme describes them better than chance.",
    "new": "They have fewer than ten baskets; they get a group when there is enough to tell.",
}
MEANING = {
    "list": "List: about so much more revenue a week",
    "delist": "Delist: its place becomes free, and about so much revenue a week would be lost",
    "keep": "Keep: without it about so much revenue a week would be lost",
    "place_together": "Place together: about so much more revenue a week",
}
WHERE = {
    "list": "{households:,} households buy it in other stores, in {baskets:,} baskets",
    "delist": "{households:,} households buy it in the whole chain, here in {baskets:,} baskets",
    "keep": "{households:,} households buy it here, in {baskets:,} baskets",
    "place_together": "{households:,} households take both in similar stores, in {baskets:,} baskets",
}


@click.command("list")
@json_option
@pass_workplace
@refusals_exit_2
def list_groups(workplace: Workplace, *, as_json: bool) -> None:
    """List the shopper groups that are served now."""
    with workplace.sessions() as session:
        run = served_run(session)
        groups = groups_of_run(session, run_id=run.run_id) if run else []
        refused = refused_since_served(session)
    if as_json:
        print_json(
            {
                "business_day": run.business_day if run else None,
                "groups": [_group_document(group) for group in groups],
            }
        )
        return
    if run:
        click.echo(f"found in the night of {run.business_day}; `regulars groups show ID` tells more of one")
    for group in groups:
        click.echo(f"{group.group_id:>5}  {_people(group):>7} members  {group.name}")
    if refused:
        click.echo(
            f"the groups of {refused.business_day} were refused: `regulars groups quality` says why", err=True
        )
    if not groups:
        click.echo("no groups yet: they come with the first night (regulars night --date D)", err=True)


@click.command("show")
@click.argument("group_id")
@click.option(
    "--rules", "most", type=click.IntRange(min=0), default=20, show_default=True, help="Print so many."
)
@json_option
@pass_workplace
@refusals_exit_2
def show_group(workplace: Workplace, *, group_id: str, most: int, as_json: bool) -> None:
    """
    Show one group with the rules that define it, the surest first; `groups list` has the ids.

    With --json all of its rules.
    """
    with workplace.sessions() as session:
        run = _served(session)
        try:
            group = group_of_run(session, run_id=run.run_id, group_id=group_id)
        except NoSuchGroup:
            raise NoSuchGroup(f"there is no group {group_id}: `regulars groups list` has them") from None
        rules = rules_of_group(session, run_id=run.run_id, group_id=group_id, limit=EVERY)
    if as_json:
        print_json({**_group_document(group), "rules": [asdict(rule) for rule in rules]})
        return
    click.echo(f"{group.name}: {_people(group)} members")
    if about := ABOUT.get(group.kind):
        click.echo(about)
    for rule in rules[:most]:
        click.echo(f"  {_rule_words(rule)}")
    if len(rules) > most:
        click.echo(f"and {len(rules) - most:,} more rules (--rules {len(rules)})")


def _served(session: Session) -> RunView:
    run = served_run(session)
    if run is None:
        raise NoSuchGroup("there are no groups before the first night")
    return run


def _group_document(group: GroupView) -> dict[str, Any]:
    """Return a group; of fewer than ten members only that there is one."""
    document = asdict(group)
    if group.told_members is None:
        document |= {"members": None, "baskets": None}
    return {key: document[key] for key in ("group_id", "kind", "name", "items", "members", "baskets", "kept")}


def _people(group: GroupView) -> str:
    return "few" if group.told_members is None else f"{group.told_members:,}"


def _rule_words(rule: RuleView) -> str:
    first, second = " + ".join(rule.antecedent), " + ".join(rule.consequent)
    return (
        f"{first} with {second}: {rule.adjusted_lift:.1f} times more often than by chance"
        f" ({rule.count:,} baskets, {rule.households:,} households)"
    )


@click.command("show")
@click.argument("store_code", metavar="STORE")
@click.option("--kind", type=click.Choice(KINDS), help="Only suggestions of this kind.")
@json_option
@pass_workplace
@refusals_exit_2
def show_assortment(workplace: Workplace, *, store_code: str, kind: str | None, as_json: bool) -> None:
    """Show what a store might list, delist, keep or place together, with the evidence; by kind, then rank."""
    with workplace.sessions() as session:
        store = store_of_code(session, store_code)
        rows = all_suggestions(session, store_id=store.store_id, kind=kind)
        substitutes = {row.suggestion_id: substitutes_of(session, row) for row in rows}
    if as_json:
        documents = [_suggestion_document(row, substitutes[row.suggestion_id]) for row in rows]
        print_json({"store_code": store_code, "suggestions": documents})
        return
    for of_kind, found in groupby(rows, key=attrgetter("kind")):
        click.echo(f"{MEANING[of_kind]}, in four cases of five within the interval")
        for row in found:
            click.echo(f"  {_suggestion_words(row)}")
            for one in substitutes[row.suggestion_id]:
                catches = show_money(Money(one.catches, row.currency), "en")
                click.echo(f"{'':16}{one.article} would catch {catches} of it")
    if not rows:
        what = f"suggestions to {kind.replace('_', ' ')}" if kind else "suggestions"
        click.echo(f"no {what} for {store_code}: a store needs 500 baskets with card in a year", err=True)


def _suggestion_document(row: SuggestionView, substitutes: list[SubstituteView]) -> dict[str, Any]:
    document = asdict(row)
    document["evidence"] = {**row.evidence, "substitutes": [asdict(one) for one in substitutes]}
    shown = (
        "suggestion_id", "kind", "rank", "article", "sku", "other", "other_sku", "currency", "value_per_week", "low",
        "high", "households", "baskets", "group_id", "evidence", "decision", "reason",
    )  # fmt: skip
    return {key: document[key] for key in shown}


def _suggestion_words(row: SuggestionView) -> str:
    value, low, high = (
        show_money(Money(amount, row.currency), "en") for amount in (row.value_per_week, row.low, row.high)
    )
    articles = f"{row.article} with {row.other}" if row.kind == "place_together" else row.article
    where = WHERE[row.kind].format(households=row.households, baskets=row.baskets)
    return f"{value:>10} ({low} to {high})  {articles}  [{where}]"
