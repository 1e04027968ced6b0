"""How good the analysis was, night by night: a small chart for each figure, with what it says as its title."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from basket_analysis.groups.quality import LIMITS
from basket_analysis.groups.quality_lists import RunQualityView
from web.charts import Axis, Chart, Scale, Series, line_options
from web.words import date_text, day_month, number_text, percent_text
from web.words import gettext as _

_FEWEST_NIGHTS: Final = 2


def quality_charts(runs: Sequence[RunQualityView]) -> list[Chart]:
    """Return the charts of `runs` (oldest first); figures known of fewer than two nights are left out."""
    makers = (_agreement, _churn, _coverage, _lift, _size, _likeness)
    return [chart for chart in (make(runs) for make in makers) if chart]


def _agreement(runs: Sequence[RunQualityView]) -> Chart | None:
    last = _last(runs, "agreement")
    return _chart(
        runs,
        key="agreement",
        title=_(
            "Groups agree with those of the night before by %(value)s; 1 would be the same",
            value=_number(last),
        ),
        note=_("Agreement of two nights' groups (adjusted Rand index)"),
        lines=(("agreement", _("Agreement"), "0"),),
        limit=lambda run: LIMITS.least_agreement_refitted if run.refitted else LIMITS.least_agreement,
        scale="number",
        write=_number,
        most=1,
    )


def _churn(runs: Sequence[RunQualityView]) -> Chart | None:
    last = _last_share(runs, "churn")
    title = (
        _("%(share)s of the households would have changed their group in the last night", share=last)
        if _is_refused(runs, "churn")
        else _("%(share)s of the households changed their group in the last night", share=last)
    )
    return _chart(
        runs,
        key="churn",
        title=title,
        note=_("Share of the households that both nights place"),
        lines=(("churn", _("Changed group"), "1"),),
        limit=lambda run: LIMITS.most_churn_refitted if run.refitted else LIMITS.most_churn,
        scale="percent",
        write=_share,
    )


def _coverage(runs: Sequence[RunQualityView]) -> Chart | None:
    last = _last_share(runs, "coverage")
    return _chart(
        runs,
        key="coverage",
        title=_("%(share)s of the households with enough baskets have a theme", share=last),
        note=_("The others live by no theme that is better than chance"),
        lines=(("coverage", _("Have a theme"), "2"),),
        limit=None,
        scale="percent",
        write=_share,
    )


def _lift(runs: Sequence[RunQualityView]) -> Chart | None:
    last, null = _last(runs, "rule_lift"), _last(runs, "null_lift")
    return _chart(
        runs,
        key="lift",
        title=_(
            "In weeks they were not made from, groups follow their rules %(lift)s times chance; shuffled, %(null)s times",
            lift=_number(last),
            null=_number(null),
        ),
        note=_(
            "How often a group's surest rules hold in weeks kept aside, against chance, and the same with members shuffled (about 1: no effect)"
        ),
        lines=(("rule_lift", _("Groups"), "0"), ("null_lift", _("Shuffled"), "rest")),
        limit=None,
        scale="number",
        write=_number,
    )


def _size(runs: Sequence[RunQualityView]) -> Chart | None:
    last = _last(runs, "explained_by_size")
    return _chart(
        runs,
        key="size",
        title=_("Mere basket size explains %(share)s of who is in which group", share=_share(last)),
        note=_("Less is better: groups should be about what is bought, not how much (η²)"),
        lines=(("explained_by_size", _("Explained by size"), "5"),),
        limit=lambda _run: LIMITS.most_explained,
        scale="percent",
        write=_share,
    )


def _likeness(runs: Sequence[RunQualityView]) -> Chart | None:
    last = _last(runs, "profile_match")
    return _chart(
        runs,
        key="likeness",
        title=_(
            "What groups buy now is like what made them by %(value)s; 1 would be the same",
            value=_number(last),
        ),
        note=_(
            "Likeness of profiles learnt tonight and of those in use; when it falls, themes are found anew"
        ),
        lines=(("profile_match", _("Likeness"), "6"),),
        limit=None,
        scale="number",
        write=_number,
        most=1,
    )


def _chart(
    runs: Sequence[RunQualityView],
    *,
    key: str,
    title: str,
    note: str,
    lines: Sequence[tuple[str, str, str]],
    limit: Callable[[RunQualityView], float] | None,
    scale: Scale,
    write: Callable[[float | None], str],
    most: float | None = None,
) -> Chart | None:
    known = [run for run in runs if run.figures.get(lines[0][0]) is not None]
    if len(known) < _FEWEST_NIGHTS:
        return None
    series = [
        Series(name, [run.figures.get(figure) for run in known], colour) for figure, name, colour in lines
    ]
    if limit is not None:
        series.append(Series(_("Limit"), [limit(run) for run in known], "7", dashed=True))
    options = line_options(
        [day_month(run.business_day) for run in known], series, Axis(scale), from_zero=False, most=most
    )
    options["yAxis"]["minInterval"] = 0.01
    options["grid"]["right"] = 150 if len(series) > 1 else 20
    # One night is a point, and a night that was refused stands out.
    for one in options["series"][: len(lines)]:
        one["showSymbol"] = True
        one["data"] = [_point(value, run) for value, run in zip(one["data"], known, strict=True)]
    for one, (figure, _name, _colour) in zip(options["series"], lines, strict=False):
        # A share of which only a bound is told is a bound under the pointer as well.
        one["said"] = [_bounded(run, figure, write) if figure in run.bounds else None for run in known]
    return Chart(
        key=key,
        title=title,
        note=note,
        options=options,
        head=(_("Night"), *(name for _figure, name, _colour in lines), _("Verdict")),
        rows=tuple(
            (
                date_text(run.business_day),
                *(_bounded(run, figure, write) for figure, _name, _colour in lines),
                verdict_words(run.verdict)[0],
            )
            for run in reversed(known)
        ),
        height="short",
    )


def _point(value: float | None, run: RunQualityView) -> Any:
    if run.state != "refused":
        return value
    return {"value": value, "symbol": "diamond", "symbolSize": 11, "itemStyle": {"color": "var(--bad)"}}


def verdict_words(verdict: str) -> tuple[str, str, str]:
    """Return words, meaning and icon of what was thought of a run."""
    return {
        "good": (_("Good"), "good", "circle-check"),
        "drifting": (_("Drifting"), "caution", "triangle-alert"),
        "refused": (_("Refused"), "bad", "octagon-alert"),
    }.get(verdict, (verdict, "", "circle"))


def _last(runs: Sequence[RunQualityView], figure: str) -> float | None:
    return next((run.figures[figure] for run in reversed(runs) if run.figures.get(figure) is not None), None)


def _is_refused(runs: Sequence[RunQualityView], figure: str) -> bool:
    """Return whether the last run of which `figure` is known was not let through."""
    return next((run.state for run in reversed(runs) if run.figures.get(figure) is not None), "") == "refused"


def _last_share(runs: Sequence[RunQualityView], figure: str) -> str:
    return next(
        (share_told(run, figure) for run in reversed(runs) if run.figures.get(figure) is not None),
        _share(None),
    )


def share_told(run: RunQualityView, figure: str) -> str:
    """Return a share in words; where few stand behind it, what it is below or above."""
    return _bounded(run, figure, _share)


def _bounded(run: RunQualityView, figure: str, write: Callable[[float | None], str]) -> str:
    sign = run.bounds.get(figure, "")
    # A space that does not break holds the sign to its figure.
    return f"{sign}\N{NO-BREAK SPACE}{write(run.figures.get(figure))}".lstrip()


def _number(value: float | None) -> str:
    return number_text(None if value is None else round(value, 2), 2)


def _share(value: float | None) -> str:
    return percent_text(value, 1)
