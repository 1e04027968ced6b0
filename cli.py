"""The command line, `regulars`: every package's commands, and the night."""

import logging
import signal
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import click
from sqlalchemy.exc import OperationalError

import basket_analysis.commands
import core.commands
import web.commands
from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from core.errors import RegularsError
from core.job_runs import JobRunView
from core.progress import progress_bar
from core.settings import Settings
from core.verification import verify as verify_checks
from night import CHECKS, run_night
from sales.business_days import chain_timezone, last_closed_day

PACKAGES = (core.commands, basket_analysis.commands, web.commands)


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


@click.group()
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


@regulars.command()
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
    }


@regulars.command()
@json_option
@click.pass_context
@pass_workplace
@refusals_exit_2
def verify(workplace: Workplace, context: click.Context, *, as_json: bool) -> None:
    """Check what must always hold; exits with 1 when something does not."""
    verdicts = verify_checks(workplace.sessions, CHECKS)
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


for package in PACKAGES:
    for command in package.commands:
        regulars.add_command(command)


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
