"""Quality of the analysis over time: what each night's groups were worth, and which runs were not let through."""

from collections.abc import Sequence

from flask import Blueprint
from flask.typing import ResponseReturnValue

from basket_analysis.groups.quality_lists import RunQualityView, quality_of_runs
from core.keyset import Ask, Page
from web.cells import badge
from web.export import respond
from web.groups.quality_charts import quality_charts, share_told, verdict_words
from web.groups.shown import reason_words, warning
from web.state import transaction
from web.tables import Column, Empty, Table
from web.words import gettext as _

blueprint = Blueprint("analysis_quality", __name__, url_prefix="/groups/quality")


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show the quality of the last runs."""
    with transaction() as session:
        runs = quality_of_runs(session)
        warned = warning(session)
    table = Table(
        name="quality",
        default_sort="-night",
        columns=_columns(),
        fetch=lambda ask: _page(runs, ask),
        empty=Empty(
            _("No night has been judged yet"),
            _(
                "Each night measures its groups before anybody uses them: stable, meaningful, and not just about basket size. A night that falls short is not used."
            ),
            "shield-check",
            command="regulars night --date YYYY-MM-DD",
        ),
    )
    return respond(
        "screens/analysis_quality.html",
        table,
        charts=quality_charts(runs[::-1]),
        newest=runs[0] if runs else None,
        verdict=verdict_words(runs[0].verdict) if runs else None,
        why=[reason_words(reason) for reason in runs[0].reasons] if runs else [],
        warned=warned,
        runs=runs,
        share_told=share_told,
        turned_away=sum(1 for run in runs if run.state == "refused"),
    )


def _page(runs: Sequence[RunQualityView], ask: Ask) -> Page[RunQualityView]:
    rows = sorted(runs, key=lambda run: (run.business_day, run.run_id), reverse=ask.descending)
    return Page(tuple(rows), None, None, len(rows))


def _columns() -> tuple[Column[RunQualityView], ...]:
    return (
        Column(key="night", title=_("Night"), value=lambda run: run.business_day, kind="date", sort=True),
        Column(
            key="verdict",
            title=_("Verdict"),
            value=lambda run: verdict_words(run.verdict)[0],
            figure=lambda run: badge(*verdict_words(run.verdict)),
            second=lambda run: "; ".join(reason_words(reason) for reason in run.reasons) or None,
        ),
        Column(
            key="themes_found",
            title=_("Themes"),
            value=lambda run: _("found anew") if run.refitted else _("kept"),
        ),
        _figure("themes", _("Groups"), kind="number"),
        _figure("agreement", _("Agreement")),
        _figure("churn", _("Changed group"), kind="percent"),
        _figure("coverage", _("Have a theme"), kind="percent"),
        _figure("rule_lift", _("Rules in later weeks")),
        _figure("null_lift", _("Shuffled")),
        _figure("explained_by_size", _("Explained by size"), kind="percent"),
        _figure("profile_match", _("Likeness"), shown=False),
        _figure("confirmed", _("Confirmed by earlier weeks"), shown=False),
        _figure("eligible", _("Households with enough baskets"), kind="number", shown=False),
        _figure("compared", _("Households compared"), kind="number", shown=False),
    )


def _share(run: RunQualityView, key: str) -> str | None:
    return None if run.figures.get(key) is None else share_told(run, key)


def _figure(key: str, title: str, *, kind: str = "decimal", shown: bool = True) -> Column[RunQualityView]:
    return Column(
        key=key,
        title=title,
        value=lambda run: None if key in run.bounds else run.figures.get(key),
        figure=(lambda run: _share(run, key)) if kind == "percent" else None,
        kind="percent" if kind == "percent" else "number",
        digits={"percent": 1, "decimal": 2}.get(kind),
        shown=shown,
    )
