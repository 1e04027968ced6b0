"""Jobs: the nights, their steps, how far they got, and what can be asked of them."""

from datetime import datetime
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from core.errors import Conflict
from core.job_runs import JobRunView, latest_runs, read_run, request_run, request_stop
from core.keyset import Ask, Page
from web import wording
from web.cells import badge
from web.export import respond
from web.figures import bar
from web.job_words import step_figures
from web.notices import go
from web.state import now, transaction
from web.tables import Choice, Column, Empty, Filter, Table
from web.words import duration_text
from web.words import gettext as _

blueprint = Blueprint("jobs", __name__, url_prefix="/jobs")
_MOST = 1000


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """List the runs, the newest first."""
    with transaction() as session:
        runs = latest_runs(session, limit=_MOST)
        table = Table(
            name="jobs",
            default_sort="-business_day",
            columns=_columns(),
            filters=(
                Filter(
                    key="state",
                    label=_("State"),
                    choices=tuple(
                        Choice(state, wording.job_state(state)[0])
                        for state in ("waiting", "running", "completed", "failed", "stopped")
                    ),
                ),
            ),
            fetch=lambda ask: _page(runs, ask),
            href=lambda run: url_for("jobs.show", run_id=run.run_id),
            in_panel=False,
            empty=Empty(
                _("No night has run yet"),
                _(
                    "Every night the baskets of the day are mined, groups formed and suggestions made. Start one by hand:"
                ),
                "activity",
                command="regulars night --date YYYY-MM-DD",
            ),
        )
        return respond("screens/jobs.html", table, live=any(run.alive for run in runs))


@blueprint.get("/<uuid:run_id>")
def show(run_id: UUID) -> ResponseReturnValue:
    """Show one run with its steps; while it runs the page keeps itself up to date."""
    with transaction() as session:
        run = read_run(session, run_id=run_id)
    part = request.headers.get("HX-Target") == "run"
    template = "parts/job_run.html" if part else "screens/job.html"
    return render_template(
        template, run=run, seconds=seconds_of(run.started_at, run.finished_at), step_figures=step_figures
    )


@blueprint.post("/<uuid:run_id>/stop")
def stop(run_id: UUID) -> ResponseReturnValue:
    """Ask a run to stop; what its finished steps did stays."""
    try:
        with transaction() as session:
            request_stop(session, run_id=run_id, now=now())
    except Conflict:
        return go(url_for("jobs.show", run_id=run_id), _("It had ended already."), "caution")
    return go(
        url_for("jobs.show", run_id=run_id),
        _("It stops at the end of what it is doing. Finished steps stay done."),
    )


@blueprint.post("/<uuid:run_id>/resume")
def resume(run_id: UUID) -> ResponseReturnValue:
    """Ask for a failed or stopped run to go on where it ended."""
    try:
        with transaction() as session:
            run = read_run(session, run_id=run_id)
            request_run(session, job=run.job, business_day=run.business_day)
    except Conflict:
        return go(url_for("jobs.show", run_id=run_id), _("It is completed already."), "caution")
    return go(url_for("jobs.show", run_id=run_id), _("The scheduler takes it up within a minute."))


def seconds_of(started_at: datetime | None, finished_at: datetime | None) -> float | None:
    """Return how long something took, or takes by now."""
    if started_at is None:
        return None
    return max(0.0, ((finished_at or now()) - started_at).total_seconds())


def _page(runs: list[JobRunView], ask: Ask) -> Page[JobRunView]:
    wanted = ask.filters.get("state")
    rows = [run for run in runs if wanted in {None, run.state}]
    if ask.sort == "seconds":
        rows.sort(key=lambda run: seconds_of(run.started_at, run.finished_at) or 0, reverse=ask.descending)
    else:
        rows.sort(key=lambda run: (run.business_day, run.job), reverse=ask.descending)
    return Page(tuple(rows), None, None, len(rows))


def _columns() -> tuple[Column[JobRunView], ...]:
    return (
        Column(
            key="business_day",
            title=_("Business day"),
            value=lambda run: run.business_day,
            kind="date",
            second=lambda run: wording.job_name(run.job),
            sort=True,
        ),
        Column(key="job", title=_("Job"), value=lambda run: run.job, shown=False),
        Column(
            key="state", title=_("State"), value=lambda run: wording.job_state(run.state)[0], figure=_state
        ),
        Column(key="steps", title=_("Steps done"), value=_done, figure=_progress),
        Column(key="attempts", title=_("Attempts"), value=lambda run: run.attempts, kind="number"),
        Column(key="started_at", title=_("Started"), value=lambda run: run.started_at, kind="moment"),
        Column(
            key="seconds",
            title=_("Took"),
            value=lambda run: seconds_of(run.started_at, run.finished_at),
            figure=lambda run: duration_text(seconds_of(run.started_at, run.finished_at)),
            sort=True,
        ),
    )


def _done(run: JobRunView) -> str:
    return f"{sum(step.state == 'completed' for step in run.steps)}/{len(run.steps)}"


def _progress(run: JobRunView) -> Markup:
    done = sum(step.state == "completed" for step in run.steps)
    return bar(done, len(run.steps) or 1, label=_done(run), width=72) + Markup(
        ' <span class="soft number">{}</span>'
    ).format(_done(run))


def _state(run: JobRunView) -> Markup:
    words, meaning, icon = wording.job_state(run.state)
    if run.state == "running" and not run.alive:
        return badge(_("Interrupted"), "caution", "pause")
    return badge(words, meaning, icon)
