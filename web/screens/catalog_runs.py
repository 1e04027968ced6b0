"""Runs of catalogs: the list, a new one, and one run with its progress, its copies and how they leave the house."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalogs.opening import NothingServed
from catalogs.runs.drafting import ask_for_draft, draft_run
from catalogs.runs.handovers import (
    KINDS,
    HeardMeanwhile,
    NothingToHandOver,
    NotPrepared,
    ask_for_handover,
    make_stale,
    take_handover,
)
from catalogs.runs.leftovers import remove_stale_files
from catalogs.runs.lists import (
    RunRow,
    editions_in,
    handovers_of,
    job_of_draft,
    job_of_handover,
    job_of_proof,
    job_of_run,
    list_runs,
    read_proof,
    read_run,
    run_audience,
)
from catalogs.runs.operations import HANDOVER_JOB, NotNow, OwnRun, ask_for_proof, cancel_run, start_run
from catalogs.runs.recipients import audience_by_country
from catalogs.runs.run import BadRun
from catalogs.runs.standing_orders import approve_order
from core.clock import business_day
from core.errors import Conflict, NotFound
from core.job_runs import request_stop
from sales.models import Store
from web import scope
from web.catalogs.run_forms import bad_words, field_of, form_of_run, read_recipe
from web.catalogs.words import (
    channel_words,
    countries_words,
    handover_kind,
    handover_state,
    left_out_words,
    run_state,
)
from web.cells import badge
from web.export import respond
from web.groups.shown import groups_now
from web.notices import go
from web.state import now, state, transaction, viewer
from web.tables import Choice, Column, Empty, Filter, Table
from web.words import country_name, date_text, percent_text
from web.words import gettext as _

blueprint = Blueprint("catalog_runs", __name__, url_prefix="/catalogs/runs")


class HandoverFileMissing(NotFound):
    """The hand-over is there, but its file is not in the data folder."""


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List the runs, the newest first."""
    with transaction() as session:
        table = Table(
            name="catalog-runs",
            find=_("Name or code"),
            default_sort="-made_at",
            columns=_columns(),
            filters=(
                Filter(
                    key="state",
                    label=_("State"),
                    choices=tuple(
                        Choice(state, run_state(state)[0])
                        for state in (
                            "draft",
                            "proofed",
                            "approved",
                            "running",
                            "stopped",
                            "finished",
                            "cancelled",
                        )
                    ),
                ),
            ),
            fetch=lambda ask: list_runs(session, ask),
            href=lambda row: url_for("catalog_runs.show", run_id=row.catalog_run_id),
            in_panel=False,
            empty=Empty(
                _("No run yet"),
                _("A run makes a catalog for chosen groups: draft, proof, approval, copies, hand-over."),
                "book-open-text",
                _("New run"),
                url_for("catalog_runs.new"),
            ),
        )
        return respond("screens/catalog_runs.html", table)


@blueprint.get("/new")
def new() -> ResponseReturnValue:
    """Show the form of a new run."""
    return _form({})


@blueprint.post("/new")
def add() -> ResponseReturnValue:
    """Draft a run; its editions are planned by the scheduler's next look, those of an order by the night."""
    errors: dict[str, str] = {}
    with transaction() as session:
        recipe = read_recipe(session, errors)
    if recipe is not None:
        try:
            with transaction() as session:
                if "standing" in request.form:
                    day = business_day(now(), scope.read(session).timezone)
                    run_id = draft_run(
                        session, recipe, day=day, actor=viewer().login, now=now(), standing=True
                    )
                else:
                    run_id = ask_for_draft(session, recipe, actor=viewer().login, now=now())
        except BadRun as bad:
            errors[field_of(bad)] = bad_words(bad)
        except NothingServed:
            errors["group_ids"] = _("There are no shopper groups yet; the first night finds them.")
        else:
            return go(url_for("catalog_runs.show", run_id=run_id), _("Saved. Its pages are being planned."))
    return _form(errors), 422


@blueprint.get("/<uuid:run_id>")
def show(run_id: UUID) -> ResponseReturnValue:
    """Show a run: what it is to be, how far it is, and how it leaves the house; kept up to date while it moves."""
    with transaction() as session:
        found = _whole(session, run_id)
        part = request.headers.get("HX-Target") == "catalog-run"
        return render_template(
            "parts/catalog_run.html" if part else "screens/catalog_run.html", renewed=part, **found
        )


def _whole(session: Session, run_id: UUID) -> dict[str, Any]:
    run = read_run(session, run_id=run_id)
    job = job_of_run(session, run_id=run_id)
    draft_job = job_of_draft(session, run_id=run_id)
    proof = read_proof(session, run_id=run_id, number=run.proof)
    proof_job = job_of_proof(session, run_id=run_id, number=run.proof) if run.proof else None
    handovers = [
        (row, job_of_handover(session, handover_id=row.handover_id))
        for row in handovers_of(session, run_id=run_id)
    ]
    proving = _goes_on(proof_job)
    moving = (
        run.state == "running"
        or _goes_on(draft_job)
        or proving
        or any(_goes_on(handover) for _row, handover in handovers)
    )
    return {
        "run": run,
        "job": job,
        "draft_job": draft_job,
        "step": job.steps[0] if job and job.steps else None,
        "proof": proof,
        "proof_job": proof_job,
        "audience": run_audience(session, run_id=run_id),
        "by_country": audience_by_country(session, catalog_run_id=run_id) if run.counted_at else {},
        "country_name": country_name,
        "countries_words": countries_words,
        "editions": editions_in(session, run_id=run_id),
        "handovers": handovers,
        "groups": groups_now(session),
        "moving": moving,
        "proving": proving,
        "begun": job is not None and run.state == "running" and not job.stop_requested_at and job.alive,
        "mine": run.made_by == viewer().login,
        "currencies": _currencies(session, run.countries),
        "kinds": [(kind, handover_kind(kind)) for kind in KINDS],
        "run_state": run_state,
        "channel_words": channel_words,
        "handover_kind": handover_kind,
        "handover_state": handover_state,
        "left_out_words": left_out_words,
    }


def _currencies(session: Session, countries: Sequence[str]) -> list[str]:
    """Return what the stores of some countries sell in, of all where none is named."""
    statement = select(Store.currency).distinct().order_by(Store.currency)
    if countries:
        statement = statement.where(Store.country.in_(countries))
    return list(session.scalars(statement))


def _goes_on(job: Any) -> bool:
    return job is not None and (job.alive or job.state in {"waiting", "running"})


@blueprint.post("/<uuid:run_id>/proof")
def prove(run_id: UUID) -> ResponseReturnValue:
    """Ask for a proof."""
    return _done(
        run_id,
        lambda session: ask_for_proof(session, run_id=run_id, actor=viewer().login, now=now()),
        _("Ten sample copies are being made."),
    )


@blueprint.post("/<uuid:run_id>/approve-order")
def approve_standing(run_id: UUID) -> ResponseReturnValue:
    """Approve a standing order."""
    return _done(
        run_id,
        lambda session: approve_order(session, run_id=run_id, actor=viewer().login, now=now()),
        _("Approved. The night makes a catalog of it for every period."),
    )


@blueprint.post("/<uuid:run_id>/start")
def start(run_id: UUID) -> ResponseReturnValue:
    """Let an approved run begin, or a stopped one go on."""
    return _done(
        run_id,
        lambda session: start_run(session, run_id=run_id, actor=viewer().login, now=now()),
        _("It begins within some seconds."),
    )


@blueprint.post("/<uuid:run_id>/stop")
def stop(run_id: UUID) -> ResponseReturnValue:
    """Ask a run under way to stop; copies that are made stay made."""

    def ask(session: Session) -> None:
        job = job_of_run(session, run_id=run_id)
        if job is None:
            raise NotNow("it is not under way")
        request_stop(session, run_id=job.run_id, now=now())

    return _done(run_id, ask, _("It stops. What is made stays."))


@blueprint.post("/<uuid:run_id>/cancel")
def cancel(run_id: UUID) -> ResponseReturnValue:
    """Cancel a run for good."""
    reason = request.form.get("reason", "")
    if not reason.strip():
        return go(url_for("catalog_runs.show", run_id=run_id), _("Say why it is cancelled."), "bad")

    def end(session: Session) -> None:
        cancel_run(session, run_id=run_id, reason=reason, actor=viewer().login, now=now())
        remove_stale_files(session, data=state().data)

    return _done(run_id, end, _("Cancelled. Nothing more of it leaves the house."))


@blueprint.post("/<uuid:run_id>/handovers")
def hand_over(run_id: UUID) -> ResponseReturnValue:
    """Ask for the copies that were not sent yet to be handed over."""
    kind = request.form.get("kind", "")
    if kind not in KINDS:
        return go(url_for("catalog_runs.show", run_id=run_id), _("Choose how they leave."), "bad")
    return _done(
        run_id,
        lambda session: ask_for_handover(
            session, run_id=run_id, kind=kind, job=HANDOVER_JOB, actor=viewer().login, now=now()
        ),
        _("Every copy is looked at again, then it is prepared."),
    )


@blueprint.post("/<uuid:run_id>/handovers/<uuid:handover_id>")
def take(run_id: UUID, handover_id: UUID) -> ResponseReturnValue:
    """Hand a prepared file over: from now on its copies are sent."""
    back = url_for("catalog_runs.show", run_id=run_id)
    try:
        with transaction() as session:
            taken = take_handover(session, handover_id=handover_id, actor=viewer().login, now=now())
            path = state().data / (taken.path or "")
    except HeardMeanwhile:
        with transaction() as session:
            make_stale(session, handover_id=handover_id)
            remove_stale_files(session, data=state().data)
        return go(
            back,
            _("Members refused, objected or withdrew since it was prepared. Prepare it again."),
            "caution",
        )
    except NotPrepared:
        return go(back, _("It is not ready to be handed over."), "caution")
    if not path.is_file():
        raise HandoverFileMissing("The file of this hand-over is not in the data folder")
    return send_file(path, as_attachment=True, download_name=path.name)


@blueprint.get("/<uuid:run_id>/handovers/<uuid:handover_id>/manifest.csv")
def manifest(run_id: UUID, handover_id: UUID) -> ResponseReturnValue:
    """Send the table that says which pages of the printer's file are whose copy."""
    with transaction() as session:
        row = next(
            (one for one in handovers_of(session, run_id=run_id) if one.handover_id == handover_id), None
        )
    path = (state().data / row.path).with_suffix(".csv") if row and row.path else None
    if row is None or row.state != "handed" or path is None or not path.is_file():
        raise HandoverFileMissing("There is no manifest of this hand-over")
    return send_file(path, as_attachment=True, download_name=path.name, mimetype="text/csv")


def _form(errors: Mapping[str, str]) -> str:
    with transaction() as session:
        return render_template("screens/catalog_run_new.html", **form_of_run(session, errors))


def _done(run_id: UUID, work: Callable[[Session], Any], words: str) -> ResponseReturnValue:
    back = url_for("catalog_runs.show", run_id=run_id)
    try:
        with transaction() as session:
            work(session)
    except OwnRun:
        return go(back, _("Somebody else approves what you made."), "bad")
    except NothingToHandOver:
        return go(back, _("No copy waits to leave by this way."), "caution")
    except Conflict:
        return go(back, _("That cannot be done with it now."), "caution")
    return go(back, words)


def _columns() -> tuple[Column[RunRow], ...]:
    return (
        Column(
            key="name",
            title=_("Run"),
            value=lambda row: row.name,
            second=lambda row: row.run_code,
            sort=True,
        ),
        Column(
            key="state",
            title=_("State"),
            value=lambda row: run_state(row.state)[0],
            figure=lambda row: (
                badge(_("Standing order"), "accent", "refresh-cw")
                if row.standing and row.state == "approved"
                else badge(*run_state(row.state))
            ),
        ),
        Column(
            key="valid_from",
            title=_("Valid"),
            value=lambda row: row.valid_from,
            kind="date",
            figure=lambda row: (
                f"{date_text(row.valid_from, 'short')} \N{EN DASH} "
                f"{date_text(row.valid_to - timedelta(days=1), 'short')}"
            ),
            sort=True,
        ),
        Column(key="editions", title=_("Editions"), value=lambda row: row.editions, kind="number"),
        Column(
            key="countries",
            title=_("Countries"),
            value=lambda row: countries_words(row.countries) or _("All countries"),
        ),
        Column(key="channels", title=_("Goes out by"), value=lambda row: channel_words(row.channels)),
        Column(
            key="hold_out",
            title=_("Held out"),
            value=lambda row: float(row.hold_out),
            kind="number",
            figure=lambda row: percent_text(float(row.hold_out)),
        ),
        Column(key="made_by", title=_("Made by"), value=lambda row: row.made_by),
        Column(key="approved_by", title=_("Approved by"), value=lambda row: row.approved_by),
        Column(
            key="made_at",
            title=_("Made"),
            value=lambda row: row.made_at,
            kind="moment",
            sort=True,
            shown=False,
        ),
    )
