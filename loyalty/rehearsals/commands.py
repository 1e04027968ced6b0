"""The command `regulars offers rehearse`."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from core.errors import Refused
from core.progress import progress_bar
from core.tabular import is_file
from loyalty.rehearsals.plans import (
    Plan,
    ask_for_rehearsal,
    beside_now,
    newest_open,
    stores_for,
    usual_period,
)
from loyalty.rehearsals.rehearsing import STEP, Rehearsing, do_days, run_rehearsal
from rewards.codec import read_document
from rewards.offer_commands import ACTOR, offers, read_file
from rewards.offer_queries import choice_of, live_offers
from rewards.rehearsals.operations import check_rehearsal
from rewards.rehearsals.queries import find_rehearsal

DAY = click.DateTime(["%Y-%m-%d"])


class MixedSubjects(Refused):
    """A rehearsal is either of offers by code or of one file."""


@offers.command("rehearse")
@click.argument("subjects", nargs=-1, required=True, metavar="CODE...|FILE")
@click.option(
    "--version", type=int, help="Which version of a single CODE; its newest draft, else the live one."
)
@click.option("--from", "since", type=DAY, help="First business date; eight weeks back if not given.")
@click.option("--to", "until", type=DAY, help="Last business date; the last one with baskets if not given.")
@click.option("--store", "stores", multiple=True, help="Only these stores; may be given more than once.")
@click.option("--currency", help="Only stores with this currency.")
@click.option("--by", "actor", default=ACTOR, show_default=True, help="Who asks for it.")
@json_option
@click.pass_context
@pass_workplace
@refusals_exit_2
def rehearse(
    workplace: Workplace,
    context: click.Context,
    *,
    subjects: tuple[str, ...],
    version: int | None,
    since: datetime | None,
    until: datetime | None,
    stores: tuple[str, ...],
    currency: str | None,
    actor: str,
    as_json: bool,
) -> None:
    """
    Show what offers would have given on past baskets, beside those that are live.

    What is rehearsed by CODE is kept, and may then be approved; a FILE is rehearsed without writing anything.
    Ctrl-C stops it; a kept one goes on from the jobs page. Exit code 1 where it did not come to its end.
    """
    now = clock.now()
    with workplace.sessions() as session:
        store_ids = stores_for(session, codes=stores, currency=currency)
        first_day, following_day = _period(usual_period(session, now=now), since, until)
    if any(is_file(Path(subject)) for subject in subjects):
        if len(subjects) > 1:
            raise MixedSubjects("rehearse one file, or offers by their codes")
        found = _of_file(workplace, Path(subjects[0]), first_day, following_day, store_ids)
    else:
        with workplace.sessions.begin() as session:
            rehearsal_id = ask_for_rehearsal(
                session,
                offers=[newest_open(session, code, version) for code in dict.fromkeys(subjects)],
                first_day=first_day,
                following_day=following_day,
                store_ids=store_ids,
                actor=actor,
                now=now,
            )
        run = run_rehearsal(
            workplace.sessions,
            data=workplace.data,
            rehearsal_id=rehearsal_id,
            business_day=now.date(),
            show=progress_bar,
        )
        if run.state != "completed":
            click.echo(f"rehearsal {rehearsal_id} {run.state}: {run.steps[0].error or ''}", err=True)
            context.exit(1)
        found = _kept(workplace, rehearsal_id)
    if as_json:
        print_json(found)
    else:
        _tell(found)


def _period(usual: tuple[date, date], since: datetime | None, until: datetime | None) -> tuple[date, date]:
    """Return the period, half-open; one that is given half begins or ends as usual, or is as long."""
    length = usual[1] - usual[0]
    if until is None:
        return (since.date() if since else usual[0]), usual[1]
    following = until.date() + timedelta(days=1)
    return (since.date() if since else following - length), following


def _kept(workplace: Workplace, rehearsal_id: UUID) -> dict[str, Any]:
    with workplace.sessions() as session:
        view = find_rehearsal(session, rehearsal_id=rehearsal_id)
    return {
        "rehearsal_id": str(rehearsal_id),
        "together": view.results,
        "offers": [
            {"offer_code": one.offer_code, "version": one.version, **(one.results or {})}
            for one in view.offers
        ],
    }


def _of_file(
    workplace: Workplace, file: Path, first_day: date, following_day: date, store_ids: Sequence[int]
) -> dict[str, Any]:
    document, now = read_document(read_file(file)), clock.now()
    check_rehearsal(
        [offer.code for offer in document.offers], first_day=first_day, following_day=following_day
    )
    with workplace.sessions() as session:
        plan = Plan(
            rehearsed=document.offers,
            live=beside_now(live_offers(session), document.offers, now=now),
            choice=document.choice or choice_of(session),
            first_day=first_day,
            following_day=following_day,
            store_ids=tuple(store_ids),
            asked_at=now,
        )
        under_way = Rehearsing(session, plan)
    with progress_bar(STEP) as report:
        do_days(workplace.sessions, under_way, report=report)
    whole, by_offer = under_way.results()
    return {
        "rehearsal_id": None,
        "together": whole,
        "offers": [
            {"offer_code": offer.code, "version": None, **by_offer[offer.code]} for offer in plan.rehearsed
        ],
    }


def _tell(found: Mapping[str, Any]) -> None:
    whole = found["together"]
    click.echo(
        f"{whole['all_baskets']:,} baskets from {whole['first_day']} to {whole['last_day']}, "
        f"amounts in minor units of {whole['currency']}"
    )
    for one in found["offers"]:
        click.echo(_line(one["offer_code"], one))
        if one["budget"]["ended_on"]:
            after = one["budget"]["ended_after_days"]
            click.echo(f"  its budget ends on {one['budget']['ended_on']}, day {after}")
        for other in one["beside"][:5]:
            click.echo(f"  with {other['offer_code']} on {other['baskets']:,} baskets")
        margin = one["margin"]
        click.echo(
            f"  margin below zero: {margin['below_after']:,} baskets (before {margin['below_before']:,}), "
            f"cost unknown: {margin['unknown']:,}"
        )
    if len(found["offers"]) > 1:
        click.echo(_line("together", whole))
    click.echo(f"costs {whole['cost']:,} more than the live offers alone")


def _line(name: str, one: Mapping[str, Any]) -> str:
    return (
        f"{name}: {one['baskets']:,} baskets, {one['times']:,} times, discount {one['discount']:,}, "
        f"points {one['points']:,}, worth {one['worth']:,} beside"
    )


commands: tuple[click.Command, ...] = (offers,)
