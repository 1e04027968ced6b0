"""
The night: what is done for every business day once it is closed, in order; and what must always hold.

A composition of all rooms, for the composition roots only. The night of day D works with receipts whose
business date is D or earlier. Every step may run again.
"""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

import basket_analysis.assortment.effect_jobs
import basket_analysis.assortment.jobs
import basket_analysis.assortment.store_jobs
import basket_analysis.groups.jobs
import basket_analysis.groups.profile_jobs
import basket_analysis.groups.quality_jobs
import basket_analysis.jobs
import basket_analysis.offers.jobs
import basket_analysis.standings.jobs
import basket_analysis.verification
import campaigns.jobs
import campaigns.verification
import catalogs.ignored
import catalogs.jobs
import catalogs.verification
import contacts.verification
import loyalty.company.changes
import loyalty.expiry_mails
import loyalty.jobs
import loyalty.pickup_mails
import loyalty.referrals.queries
import loyalty.referrals.rewards
import loyalty.tiers.jobs
import loyalty.tiers.mails
import loyalty.verification
import pos_api.jobs
import rewards.jobs
import rewards.verification
import sales.jobs
import web.jobs
from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from core.database import Sessions
from core.errors import Conflict, Refused
from core.job_runs import JobRunView
from core.jobs import Job, Shift, Show, Step, run_once, show_nothing
from core.progress import progress_bar
from core.settings import Settings
from core.verification import Check, verify
from sales.business_days import begun_somewhere, chain_timezone, last_closed_day

CHECKS: tuple[Check, ...] = (
    *loyalty.verification.CHECKS,
    *rewards.verification.CHECKS,
    *basket_analysis.verification.CHECKS,
    *catalogs.verification.CHECKS,
    *campaigns.verification.CHECKS,
    *contacts.verification.CHECKS,
)
"""Every room's invariants; those that no row of the database can show are held by tests."""


class PromiseBroken(Conflict):
    """Something that must always hold does not."""


class DayNotBegun(Refused):
    """The night was asked for a day that lies in the future."""


def verify_house(shift: Shift) -> Mapping[str, Any]:
    """Check every invariant; raises PromiseBroken, which ends the night as failed for people to see."""
    verdicts = verify(shift.sessions, CHECKS)
    broken = [verdict for verdict in verdicts if not verdict.ok]
    if broken:
        raise PromiseBroken(
            "; ".join(
                f"{verdict.code} {verdict.promise}: {verdict.violations} violations" for verdict in broken
            )
        )
    return {"checks": [verdict.code for verdict in verdicts], "violations": 0}


def judge_members(shift: Shift) -> Mapping[str, Any]:
    """Judge members' phases and value classes; whom they brought is known to the programme's referrals."""
    return basket_analysis.standings.jobs.judge_members(
        shift, brought=loyalty.referrals.queries.people_brought
    )


def rank_offers(shift: Shift) -> Mapping[str, Any]:
    """Rank what each member may be offered; what their catalogs showed in vain weighs less."""
    return basket_analysis.offers.jobs.rank_offers(
        shift,
        ignored=lambda session, members, now: catalogs.ignored.ignored_articles(session, members, now=now),
    )


NIGHT = Job(
    "night",
    (
        Step("prepare_months", sales.jobs.prepare_months),
        Step("expire_reservations", loyalty.jobs.expire_reservations),
        Step("expire_points", loyalty.jobs.expire_points),
        Step("expire_vouchers", rewards.jobs.expire_vouchers),
        Step("warn_of_expiry", loyalty.jobs.warn_of_expiry),
        Step("tell_of_expiry", loyalty.expiry_mails.tell_of_expiry),
        Step("settle_tiers", loyalty.tiers.jobs.settle_tiers),
        Step("tell_of_tiers", loyalty.tiers.mails.tell_of_tiers),
        Step("tell_of_pickups", loyalty.pickup_mails.tell_of_pickups),
        Step("renew_company_prices", loyalty.company.changes.renew_company_prices),
        Step("reward_referrals", loyalty.referrals.rewards.reward_referrals),
        Step("mine_rules", basket_analysis.jobs.mine_rules),
        Step("form_groups", basket_analysis.groups.jobs.form_groups),
        Step("judge_members", judge_members),
        Step("measure_quality", basket_analysis.groups.quality_jobs.measure_quality),
        Step("rank_offers", rank_offers),
        Step("prepare_decisions", campaigns.jobs.prepare_decisions),
        Step("follow_decisions", campaigns.jobs.follow_decisions),
        Step("describe_groups", basket_analysis.groups.profile_jobs.describe_groups),
        Step("compare_stores", basket_analysis.assortment.store_jobs.compare_stores),
        Step("suggest_assortment", basket_analysis.assortment.jobs.suggest_assortment),
        Step("measure_decisions", basket_analysis.assortment.effect_jobs.measure_decisions),
        Step("make_catalogs", catalogs.jobs.due_catalogs),
        Step("sum_points", loyalty.jobs.sum_points),
        Step("keep_liability", loyalty.jobs.keep_liability),
        Step("clear_sessions", web.jobs.clear_sessions),
        Step("clear_answers", pos_api.jobs.clear_answers),
        Step("clear_quotes", loyalty.jobs.clear_quotes),
        Step("verify", verify_house),
    ),
)


def run_night(
    sessions: Sessions,
    *,
    data: Path,
    business_day: date,
    now: datetime,
    show: Show = show_nothing,
    wait: bool = True,
) -> JobRunView:
    """
    Run the night of `business_day` unless it is done, as `core.jobs.run_once` promises.

    Raises DayNotBegun: a future day's run would count as done when that day comes.
    """
    if not begun_somewhere(business_day, now):
        raise DayNotBegun(f"{business_day} has not begun anywhere yet")
    return run_once(NIGHT, sessions=sessions, data=data, business_day=business_day, show=show, wait=wait)


class DayType(click.ParamType[date]):
    """A day as ISO 8601 writes it."""

    name = "day"

    def convert(self, value: str | date, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the day; anything else is a usage error."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a day such as 2026-11-21", param, ctx)


@click.command()
@click.option(
    "--date", "day", type=DayType(), help="The business day that it closes; the last closed one if not given."
)
@json_option
@click.pass_context
@pass_workplace
@refusals_exit_2
def night(workplace: Workplace, context: click.Context, *, day: date | None, as_json: bool) -> None:
    """
    Do what is done once for every business day; what is done already is not done again.

    Exits with 1 when the run failed or was stopped; the next call goes on where it was.
    """
    now = clock.now()
    if day is None:
        settings = Settings.load()
        with workplace.sessions() as session:
            timezone = settings.night_timezone or chain_timezone(session)
        day = last_closed_day(now, hour=settings.night_hour, timezone=timezone)
    run = run_night(workplace.sessions, data=workplace.data, business_day=day, now=now, show=progress_bar)
    if as_json:
        print_json(_run_document(run))
    else:
        click.echo(f"night of {run.business_day}: {run.state}")
        for step in run.steps:
            click.echo(f"  {step.name:20} {step.state:10} {step.error or step.result or ''}")
        for notice in _notices(run):
            click.echo(f"  notice: {notice}", err=True)
    context.exit(0 if run.state == "completed" else 1)


def _run_document(run: JobRunView) -> dict[str, object]:
    steps = [
        {
            "name": step.name,
            "state": step.state,
            "seconds": None if step.duration is None else round(step.duration.total_seconds(), 3),
            "error": step.error,
            "result": step.result,
        }
        for step in run.steps
    ]
    return {
        "run_id": str(run.run_id),
        "state": run.state,
        "business_day": run.business_day.isoformat(),
        "attempts": run.attempts,
        "steps": steps,
        "notices": _notices(run),
    }


def _notices(run: JobRunView) -> list[str]:
    """Return what the steps say that people should know of, though the night went on."""
    return [str(step.result["notice"]) for step in run.steps if step.result and "notice" in step.result]


@click.command("verify")
@json_option
@click.pass_context
@pass_workplace
@refusals_exit_2
def verify_now(workplace: Workplace, context: click.Context, *, as_json: bool) -> None:
    """Check what must always hold; exits with 1 when something does not."""
    verdicts = verify(workplace.sessions, CHECKS)
    ok = all(verdict.ok for verdict in verdicts)
    if as_json:
        checks = [
            {
                "code": verdict.code,
                "ok": verdict.ok,
                "violations": verdict.violations,
                "promise": verdict.promise,
                "examples": list(verdict.examples),
            }
            for verdict in verdicts
        ]
        print_json({"ok": ok, "checks": checks})
    else:
        for verdict in verdicts:
            click.echo(f"{'ok    ' if verdict.ok else 'BROKEN'} {verdict.code}: {verdict.promise}")
            for example in verdict.examples:
                click.echo(f"       {example}")
    context.exit(0 if ok else 1)


commands: tuple[click.Command, ...] = (night, verify_now)
