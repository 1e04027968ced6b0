"""What people ask about groups and decide of a night's, on the command line: `groups why|quality|serve`."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

import click
from sqlalchemy.orm import Session

from basket_analysis.analysis_runs import serve_refused_run
from basket_analysis.groups.quality_lists import RunQualityView, quality_of_runs
from basket_analysis.groups.reasons import Fit, NoSuchMember, Why, why
from basket_analysis.groups.words import sentences
from core import clock
from core.audit import record_event
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from core.i18n import LANGUAGES
from customers.queries import CardNotFound, holder_of_card

ACTOR = "command line"

SHOWN = (
    ("agreement", "agree", "{:.3f}"),
    ("churn", "moved", "{:.2%}"),
    ("coverage", "placed", "{:.1%}"),
    ("rule_lift", "lift", "{:.2f}"),
    ("null_lift", "null", "{:.2f}"),
    ("confirmed", "confirmed", "{:.2f}"),
    ("explained_by_size", "by size", "{:.3f}"),
    ("themes", "themes", "{:,}"),
    ("smallest", "smallest", "{:,}"),
)


@click.command("why")
@click.argument("member_code", metavar="MEMBER")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)
@json_option
@pass_workplace
@refusals_exit_2
def why_member(workplace: Workplace, *, member_code: str, language: str, as_json: bool) -> None:
    """Say why MEMBER (a member code or a card) is in a group or in none, by counts; the look is recorded."""
    with workplace.sessions.begin() as session:
        answer = _answer(session, member_code)
        record_event(
            session,
            now=clock.now(),
            actor=ACTOR,
            action="member.view",
            subject_kind="member",
            subject_id=answer.member_code,
        )
    said = sentences(answer, language)
    if as_json:
        print_json({**_why_document(answer), "sentences": said})
        return
    if answer.kind == "theme" and answer.fit and answer.fit.group:
        click.echo(
            f"{answer.member_code}: {answer.fit.group.name_in(language)} ({answer.fit.group.group_id})"
        )
    for sentence in said:
        click.echo(sentence)


def _answer(session: Session, member: str) -> Why:
    try:
        return why(session, member_code=member)
    except NoSuchMember:
        try:
            holder = holder_of_card(session, member)
        except CardNotFound:
            holder = None
        if holder is None or holder.member_id is None:
            raise NoSuchMember(f"there is no member with the code or the card {member}") from None
        return why(session, member_id=holder.member_id)


def _why_document(answer: Why) -> dict[str, Any]:
    document = asdict(answer)
    for key, fit in (("fit", answer.fit), ("second", answer.second)):
        document[key] = _fit_document(fit)
    return document


def _fit_document(fit: Fit | None) -> dict[str, Any] | None:
    if fit is None:
        return None
    group = fit.group
    return {
        "group_id": group.group_id if group else None,
        "name": group.name if group else None,
        "strength": fit.strength,
    }


@click.command("quality")
@click.option(
    "--runs", type=click.IntRange(min=1), default=30, show_default=True, help="So many of the last runs."
)
@json_option
@pass_workplace
@refusals_exit_2
def show_quality(workplace: Workplace, *, runs: int, as_json: bool) -> None:
    """
    Show how good each run was, newest first, and which ones were not let through.

    agree: agreement with the run served before (adjusted Rand index, 1 is the same); moved: share of households that
    changed their group; placed: share with a theme, of those with enough baskets; lift: how often a group's rules
    hold in weeks kept aside, against chance, and null the same with members shuffled; confirmed: agreement with
    labels from earlier weeks; by size: how much mere basket size explains; smallest: members of the smallest group.
    """
    with workplace.sessions() as session:
        found = quality_of_runs(session, limit=runs)
    if as_json:
        print_json({"runs": [asdict(run) for run in found]})
        return
    if not found:
        click.echo("no run was measured yet: that comes with the first night", err=True)
        return
    click.echo("  ".join(["business day", "verdict  ", *(f"{title:>9}" for _key, title, _form in SHOWN)]))
    for run in found:
        click.echo(_run_words(run))


def _in_words(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _run_words(run: RunQualityView) -> str:
    cells = [
        f"{'-' if (value := run.figures.get(key)) is None else run.bounds.get(key, '') + form.format(value):>9}"
        for key, _title, form in SHOWN
    ]
    why_not = "; ".join(
        f"{reason['code']} {reason.get('bound', '')}{_in_words(reason['value'])}, limit {reason['limit']:.3f}"
        for reason in run.reasons
    )
    notes = [note for note, true in (("themes found anew", run.refitted), (why_not, bool(why_not))) if true]
    return "  ".join([f"{run.business_day}  ", f"{run.verdict:9}", *cells, *notes])


@click.command("serve")
@click.argument("day", metavar="DATE", type=click.DateTime(["%Y-%m-%d"]))
@click.option("--reason", required=True, help="Why they are taken as they are; kept in the audit trail.")
@json_option
@pass_workplace
@refusals_exit_2
def serve_refused(workplace: Workplace, *, day: datetime, reason: str, as_json: bool) -> None:
    """Let the groups of the night of DATE be used although they were refused."""
    with workplace.sessions.begin() as session:
        run_id = serve_refused_run(
            session, business_day=day.date(), reason=reason, actor=ACTOR, now=clock.now()
        )
    if as_json:
        print_json({"run_id": run_id, "business_day": day.date()})
    else:
        click.echo(f"the groups of {day:%Y-%m-%d} are served now")


of_groups: tuple[click.Command, ...] = (why_member, show_quality, serve_refused)
