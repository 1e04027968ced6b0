"""How copies leave the house, on the command line: `regulars catalogs handover`."""

from datetime import datetime
from pathlib import Path
from shutil import copyfile
from typing import Final
from uuid import UUID

import click

from catalogs.runs.commands import by, check_job, do_job
from catalogs.runs.handovers import (
    KINDS,
    HeardMeanwhile,
    NothingToHandOver,
    ask_for_handover,
    make_stale,
    take_handover,
)
from catalogs.runs.leftovers import remove_stale_files
from catalogs.runs.lists import HandoverRow, find_run, handovers_of, job_of_handover
from catalogs.runs.operations import HANDOVER_JOB
from core import clock
from core.commandline import Workplace, json_option, pass_workplace, print_json, refusals_exit_2
from core.whole_files import replacing


@click.command()
@click.argument("run_code")
@click.option("--kind", type=click.Choice(KINDS), required=True)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Where the file goes; without it, it is prepared only."
)
@by
@json_option
@click.pass_context
@pass_workplace
@refusals_exit_2
def handover(
    workplace: Workplace,
    context: click.Context,
    *,
    run_code: str,
    kind: str,
    out: Path | None,
    actor: str,
    as_json: bool,
) -> None:
    """
    Hand the copies of a run over that were not sent yet: one file for the printer, a ZIP, or by e-mail.

    One whose preparation was interrupted, stopped or failed is gone on with. With --out the file is taken, and its
    copies are sent from then on; where none waits any more, --out gets the file that was handed over last once
    more. E-mails wait in the outbox.
    """
    now = clock.now()
    if kind == "email":
        out = None
    with workplace.sessions() as session:
        run_id = find_run(session, run_code=run_code).catalog_run_id
    try:
        with workplace.sessions.begin() as session:
            handover_id = ask_for_handover(
                session, run_id=run_id, kind=kind, job=HANDOVER_JOB, actor=actor, now=now
            )
            job = job_of_handover(session, handover_id=handover_id)
    except NothingToHandOver:
        last = None if out is None else _handed_last(workplace, run_id, kind)
        if last is None:
            raise
        handover_id = last.handover_id
    else:
        day = datetime.combine(job.business_day, now.timetz()) if job else now
        check_job(do_job(workplace, f"{HANDOVER_JOB}{handover_id}", day, "Preparing"), context)
    if out is not None:
        _take(workplace, handover_id, out, actor=actor)
    _say(workplace, run_id, handover_id, out, as_json=as_json)


def _handed_last(workplace: Workplace, run_id: UUID, kind: str) -> HandoverRow | None:
    with workplace.sessions() as session:
        rows = handovers_of(session, run_id=run_id)
    return next((row for row in rows if row.kind == kind and row.state == "handed"), None)


def _take(workplace: Workplace, handover_id: UUID, out: Path, *, actor: str) -> None:
    """Take a file, and copy it with its manifest to where it is wanted; there it is whole or not at all."""
    try:
        with workplace.sessions.begin() as session:
            taken = take_handover(session, handover_id=handover_id, actor=actor, now=clock.now())
            path = workplace.data / (taken.path or "")
    except HeardMeanwhile:
        with workplace.sessions.begin() as session:
            make_stale(session, handover_id=handover_id)
            remove_stale_files(session, data=workplace.data)
        raise
    manifest = path.with_suffix(".csv")
    for source, target in ((manifest, out.with_suffix(".csv")), (path, out)):
        if source.exists():
            with replacing(target) as half:
                copyfile(source, half)


def _say(workplace: Workplace, run_id: UUID, handover_id: UUID, out: Path | None, *, as_json: bool) -> None:
    with workplace.sessions() as session:
        row = next(one for one in handovers_of(session, run_id=run_id) if one.handover_id == handover_id)
    if as_json:
        print_json(
            {
                "kind": row.kind,
                "state": row.state,
                "copies": row.copies,
                "remade": row.remade,
                "dropped": row.dropped,
                "path": str(out or (workplace.data / row.path if row.path else "")),
                "sha256": row.sha256.hex() if row.sha256 else None,
            }
        )
    else:
        click.echo(
            f"{row.kind} is {row.state}: {row.copies} copies, {row.remade} made again, {row.dropped} dropped"
        )


HANDOVER_COMMANDS: Final[tuple[click.Command, ...]] = (handover,)
