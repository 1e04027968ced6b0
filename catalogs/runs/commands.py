"""The commands of runs: `regulars catalogs runs|new|proof|approve|send-back|run|stop|cancel`."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from uuid import UUID

import click

from catalogs.opening import PERIOD, THEME, next_monday
from catalogs.runs.drafting import draft_run
from catalogs.runs.jobs import known_day, run_job
from catalogs.runs.leftovers import remove_stale_files
from catalogs.runs.lists import (
    RUN_SORTS,
    RunRow,
    find_run,
    job_of_run,
    list_runs,
    read_proof,
    read_run,
    run_audience,
)
from catalogs.runs.operations import (
    PROOF_JOB,
    RUN_JOB,
    approve_run,
    ask_for_proof,
    cancel_run,
    send_back,
    start_run,
)
from catalogs.runs.recipients import Audience
from catalogs.runs.run import CHANNELS, HOLD_OUT, SIZES, BadRun, Recipe
from catalogs.runs.standing_orders import approve_order
from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from core.job_runs import JobRunView, request_stop
from core.keyset import Ask
from core.progress import progress_bar
from sales.countries import country_of

OPERATOR: Final = "operator"
DAY = click.DateTime(["%Y-%m-%d"])
by = click.option("--by", "actor", default=OPERATOR, show_default=True, help="Who does it.")


def _row(row: RunRow) -> dict[str, Any]:
    return {
        "run": row.run_code,
        "name": row.name,
        "state": row.state,
        "standing": row.standing,
        "valid_from": row.valid_from,
        "valid_to": row.valid_to,
        "last_day": row.last_day,
        "theme": row.theme,
        "size": row.size,
        "channels": list(row.channels),
        "countries": list(row.countries),
        "hold_out": str(row.hold_out),
        "editions": row.editions,
        "made_by": row.made_by,
        "approved_by": row.approved_by,
    }


def _audience(found: Audience) -> dict[str, Any]:
    return {
        "wanted": found.wanted,
        "held_out": found.held_out,
        "left_out": dict(found.left_out),
        "made": found.made,
        "sent": found.sent,
        "dropped": found.dropped,
        "waiting": found.waiting,
    }


@click.command()
@json_option
@pass_workplace
@refusals_exit_2
def runs(workplace: Workplace, *, as_json: bool) -> None:
    """List the newest runs, their states, and how far they are."""
    with workplace.sessions() as session:
        page = list_runs(session, Ask(sort=RUN_SORTS[0], descending=True))
        shown = [
            _row(row) | {"copies": _audience(run_audience(session, run_id=row.catalog_run_id))}
            for row in page.rows
        ]
    if as_json:
        print_json({"runs": shown})
        return
    for one in shown:
        copies = one["copies"]
        click.echo(
            f"{one['run']:14} {one['state']:10} {one['valid_from']} - {one['last_day']}"
            f" {copies['made']:7} of {copies['wanted']} copies, {copies['sent']} sent  {one['name']}"
        )


@click.command()
@click.argument("name")
@click.option(
    "--group", "groups", multiple=True, help="A group's id; more than once, all groups if not given."
)
@click.option(
    "--country",
    "countries",
    multiple=True,
    help="Only for members whose store is there, as stores name it; more than once.",
)
@click.option("--theme", default=THEME, show_default=True)
@click.option("--size", type=click.Choice(SIZES), default="A4", show_default=True)
@click.option("--channel", "channels", type=click.Choice(CHANNELS), multiple=True, default=CHANNELS)
@click.option("--from", "since", type=DAY, help="The first day; the next Monday if not given.")
@click.option("--to", "until", type=DAY, help="The last day; two weeks later if not given.")
@click.option("--vouchers", "batches", multiple=True, help="A batch of vouchers; more than once.")
@click.option("--hold-out", default=str(HOLD_OUT), show_default=True, help="Which share gets no copy.")
@click.option("--first-part", type=click.IntRange(min=1), help="Stop after so many copies, to look at them.")
@click.option("--standing", is_flag=True, help="An order: the night makes a run of it for every period.")
@by
@json_option
@pass_workplace
@refusals_exit_2
def new(workplace: Workplace, /, *, actor: str, as_json: bool, **parts: Any) -> None:
    """Draft a run called NAME."""
    now = clock.now()
    day = known_day(workplace.sessions, now)
    try:
        hold_out = Decimal(parts["hold_out"])
    except InvalidOperation as error:
        raise BadRun("hold_out", "the hold-out is a share such as 0.1") from error
    first = parts["since"].date() if parts["since"] else next_monday(day)
    last = parts["until"].date() + timedelta(days=1) if parts["until"] else first + PERIOD
    recipe = Recipe(
        name=parts["name"],
        theme=parts["theme"],
        size=parts["size"],
        channels=tuple(dict.fromkeys(parts["channels"])),
        valid_from=first,
        valid_to=last,
        group_ids=tuple(dict.fromkeys(parts["groups"])),
        voucher_batches=tuple(parts["batches"]),
        hold_out=hold_out,
        first_part=parts["first_part"],
        countries=tuple(dict.fromkeys(filter(None, map(country_of, parts["countries"])))),
    )
    with workplace.sessions.begin() as session:
        run_id = draft_run(session, recipe, day=day, actor=actor, now=now, standing=parts["standing"])
    _say(workplace, run_id, as_json=as_json)


def _say(workplace: Workplace, run_id: UUID, *, as_json: bool) -> None:
    with workplace.sessions() as session:
        row = read_run(session, run_id=run_id)
        audience = run_audience(session, run_id=run_id)
    if as_json:
        print_json(_row(row) | {"copies": _audience(audience)})
    else:
        click.echo(
            f"run {row.run_code} is {row.state}: {audience.made} of {audience.wanted} copies made, "
            f"{audience.sent} sent, {audience.held_out} members held out"
        )


def do_job(
    workplace: Workplace, job: str, day: datetime, title: str, workers: int | None = None
) -> JobRunView:
    """Do a job of runs in this process, showing how far it is on the terminal; returns its run as it then is."""

    def show(_step: str) -> Any:
        return progress_bar(title)

    return run_job(
        workplace.sessions,
        data=workplace.data,
        job=job,
        business_day=day.date(),
        show=show,
        workers=workers,
    )


def check_job(view: JobRunView, context: click.Context) -> None:
    """Say what went wrong, and end with 1 where something did; to stop after a first part is not wrong."""
    if view.state not in {"completed", "stopped"}:
        errors: Iterable[str] = (step.error for step in view.steps if step.error)
        click.echo(f"{view.state}: {'; '.join(errors)}", err=True)
        context.exit(1)


@click.command()
@click.argument("run_code")
@by
@json_option
@click.pass_context
@pass_workplace
@refusals_exit_2
def proof(workplace: Workplace, context: click.Context, *, run_code: str, actor: str, as_json: bool) -> None:
    """Make ten sample copies of a run, chosen to differ."""
    now = clock.now()
    with workplace.sessions.begin() as session:
        run_id = find_run(session, run_code=run_code).catalog_run_id
        number = ask_for_proof(session, run_id=run_id, actor=actor, now=now)
    check_job(do_job(workplace, f"{PROOF_JOB}{run_id}.{number}", now, "Making a proof"), context)
    with workplace.sessions() as session:
        found = read_proof(session, run_id=run_id, number=number)
    copies = found.copies if found else ()
    if as_json:
        print_json(
            {
                "proof": number,
                "copies": [
                    {
                        "path": str(workplace.data / copy.path),
                        "language": copy.language,
                        "why": list(copy.why),
                    }
                    for copy in copies
                ],
            }
        )
        return
    for copy in copies:
        click.echo(f"{workplace.data / copy.path}  {copy.language}  {', '.join(copy.why)}")


@click.command()
@click.argument("run_code")
@click.option("--by", "actor", required=True, help="Who approves it: somebody else than who made it.")
@json_option
@pass_workplace
@refusals_exit_2
def approve(workplace: Workplace, *, run_code: str, actor: str, as_json: bool) -> None:
    """Approve a run as its newest proof shows it, or a standing order."""
    with workplace.sessions.begin() as session:
        run = find_run(session, run_code=run_code)
        way = approve_order if run.standing else approve_run
        way(session, run_id=run.catalog_run_id, actor=actor, now=clock.now())
    _say(workplace, run.catalog_run_id, as_json=as_json)


@click.command("send-back")
@click.argument("run_code")
@click.argument("comment")
@by
@json_option
@pass_workplace
@refusals_exit_2
def send_run_back(workplace: Workplace, *, run_code: str, comment: str, actor: str, as_json: bool) -> None:
    """Send a proofed run back to its maker, saying what to change."""
    with workplace.sessions.begin() as session:
        run_id = find_run(session, run_code=run_code).catalog_run_id
        send_back(session, run_id=run_id, comment=comment, actor=actor, now=clock.now())
    _say(workplace, run_id, as_json=as_json)


@click.command()
@click.argument("run_code")
@click.option(
    "--workers", type=click.IntRange(min=1), help="So many processes; one per processor by default."
)
@by
@json_option
@click.pass_context
@pass_workplace
@refusals_exit_2
def run(
    workplace: Workplace,
    context: click.Context,
    *,
    run_code: str,
    workers: int | None,
    actor: str,
    as_json: bool,
) -> None:
    """Make the copies of an approved run, or go on with one that was stopped or interrupted."""
    now = clock.now()
    with workplace.sessions.begin() as session:
        found = find_run(session, run_code=run_code)
        if found.state != "running":
            start_run(session, run_id=found.catalog_run_id, actor=actor, now=now)
    with workplace.sessions() as session:
        job = job_of_run(session, run_id=found.catalog_run_id)
    day = datetime.combine(job.business_day, now.timetz()) if job else now
    check_job(do_job(workplace, f"{RUN_JOB}{found.catalog_run_id}", day, "Making copies", workers), context)
    _say(workplace, found.catalog_run_id, as_json=as_json)


@click.command()
@click.argument("run_code")
@pass_workplace
@refusals_exit_2
def stop(workplace: Workplace, *, run_code: str) -> None:
    """Ask a run that is under way to stop; what is made stays."""
    with workplace.sessions.begin() as session:
        found = find_run(session, run_code=run_code)
        job = job_of_run(session, run_id=found.catalog_run_id)
        if job is not None:
            request_stop(session, run_id=job.run_id, now=clock.now())
    click.echo(f"run {run_code} stops")


@click.command()
@click.argument("run_code")
@click.argument("reason")
@by
@json_option
@pass_workplace
@refusals_exit_2
def cancel(workplace: Workplace, *, run_code: str, reason: str, actor: str, as_json: bool) -> None:
    """Cancel a run, or a standing order, for good."""
    with workplace.sessions.begin() as session:
        run_id = find_run(session, run_code=run_code).catalog_run_id
        cancel_run(session, run_id=run_id, reason=reason, actor=actor, now=clock.now())
        remove_stale_files(session, data=workplace.data)
    _say(workplace, run_id, as_json=as_json)


RUN_COMMANDS: Final[tuple[click.Command, ...]] = (
    runs,
    new,
    proof,
    approve,
    send_run_back,
    run,
    stop,
    cancel,
)
