"""The command groups `regulars liability` and `regulars adjustments`."""

from typing import Any

import click

from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from core.i18n import show_money, show_number, show_percent
from core.money import Money
from loyalty.adjustment_lists import waiting_adjustments
from loyalty.adjustments import LIMIT, limit_of, set_limit
from loyalty.liability.estimate import Evidence, Liability, sums_by_month
from loyalty.liability.reports import Report, liability_now, read_report, report_days
from loyalty.programme.versions import programmes
from sales.business_days import chain_timezone
from sales.store_lists import store_codes

ACTOR = "command line"
ADJUSTING = ("desk", "marketing")


@click.group()
def liability() -> None:
    """What the chain owes its members: outstanding points, their value, and what is expected to be spent."""


@liability.command("show")
@click.option(
    "--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="As a night kept it; of now if not given."
)
@json_option
@pass_workplace
@refusals_exit_2
def liability_show(workplace: Workplace, *, day: Any, as_json: bool) -> None:
    """Show what is owed by store and month of expiry, this moment or as the night of a day kept it."""
    moment = clock.now()
    with workplace.sessions.begin() as session:
        if day is not None:
            report = read_report(session, business_day=day.date())
        else:
            today = clock.business_day(moment, chain_timezone(session))
            programme = programmes(session).on(today)
            report = Report(today, moment, liability_now(session, programme=programme, now=moment))
        codes = store_codes(session)
    if as_json:
        print_json(_document(report, codes))
        return
    _tell(report)


@liability.command("days")
@json_option
@pass_workplace
@refusals_exit_2
def liability_days(workplace: Workplace, *, as_json: bool) -> None:
    """List the days for which a night kept what was owed."""
    with workplace.sessions.begin() as session:
        days = report_days(session)
    if as_json:
        print_json({"days": [day.isoformat() for day in days]})
        return
    for day in days:
        click.echo(day.isoformat())


def _document(report: Report, codes: dict[int, str]) -> dict[str, Any]:
    evidence = report.liability.evidence
    return {
        "business_day": report.business_day.isoformat(),
        "taken_at": report.taken_at.isoformat(),
        "points": report.liability.points,
        "redemption": _rates(evidence),
        "lines": [
            {
                "store_code": codes.get(line.store_id) if line.store_id else None,
                "month": line.month and f"{line.month:%Y-%m}",
                "points": line.points,
                "currency": line.currency,
                "value_amount": line.value_amount,
                "expected_amount": line.expected_amount,
            }
            for line in report.liability.lines
        ],
    }


def _rates(evidence: Evidence) -> dict[str, Any]:
    return {
        "rate": str(evidence.overall),
        "estimated": evidence.enough,
        "low": evidence.low,
        "high": evidence.high,
        "accounts": evidence.accounts,
        "lots": evidence.lots,
        "points_spent": evidence.spent,
        "points_expired": evidence.expired,
        "by_months_left": [
            {"months_left": fate.months_left, "rate": str(evidence.rate(fate.months_left))}
            for fate in evidence.fates
        ],
    }


def _tell(report: Report) -> None:
    owed: Liability = report.liability
    click.echo(f"{show_number(owed.points, 'en')} points are outstanding")
    for currency in dict.fromkeys(line.currency for line in owed.lines):
        for line in sums_by_month(owed.lines, currency):
            month = f"{line.month:%Y-%m}" if line.month else "never"
            worth = show_money(Money(line.value_amount, currency), "en")
            expected = show_money(Money(line.expected_amount, currency), "en")
            click.echo(f"  {month:8} {line.points:>14,} points  {worth:>20}  {expected:>20} expected")
    evidence = owed.evidence
    if evidence.enough:
        click.echo(
            f"{show_percent(evidence.overall, 'en', digits=1)} of the points that ended had been spent "
            f"({evidence.accounts:,} accounts, {evidence.lots:,} lots)"
        )
    else:
        accounts = "1 account" if evidence.accounts == 1 else f"{evidence.accounts} accounts"
        click.echo(
            f"Points of {accounts} have ended: too few to tell a rate, so all are expected to be spent"
        )


@click.group()
def adjustments() -> None:
    """Points that people give and take: how much of it needs a second person."""


@adjustments.command("limits")
@json_option
@pass_workplace
@refusals_exit_2
def adjustments_limits(workplace: Workplace, *, as_json: bool) -> None:
    """Show the points that each role adjusts on an account in a day alone, and how many requests wait."""
    with workplace.sessions.begin() as session:
        limits = {role: limit_of(session, role=role) for role in ADJUSTING}
        waiting = waiting_adjustments(session)
    if as_json:
        print_json({"limits": limits, "usual": LIMIT, "waiting": waiting})
        return
    for role, points in limits.items():
        click.echo(f"{role:12} {points:,} points")
    click.echo(f"{waiting:,} requests wait for a second person")


@adjustments.command("limit")
@click.argument("role", type=click.Choice(ADJUSTING))
@click.argument("points", type=click.IntRange(min=0))
@json_option
@pass_workplace
@refusals_exit_2
def adjustments_limit(workplace: Workplace, *, role: str, points: int, as_json: bool) -> None:
    """Let ROLE adjust up to POINTS a day on an account alone from now on; 0 means never alone."""
    with workplace.sessions.begin() as session:
        set_limit(session, role=role, points=points, actor=ACTOR, now=clock.now())
    if as_json:
        print_json({"role": role, "points": points})
    else:
        click.echo(f"{role} adjusts up to {points:,} points alone")


commands: tuple[click.Command, ...] = (liability, adjustments)
