"""What came of a store's decisions, in words: each one, and the record of how good the advice was."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from basket_analysis.assortment.effect_lists import EffectView, TrackRecord
from web import wording
from web.figures import interval
from web.words import date_text, money_estimate, ngettext
from web.words import gettext as _


@dataclass(frozen=True, slots=True)
class Result:
    """One decision as a reader sees it; what is measured comes with its interval, what is not says why."""

    effect: EffectView
    title: str
    answer: str
    reason: str
    decided: date
    foretold: str
    measured: str
    drawn: Markup | str


def results_of(effects: Sequence[EffectView]) -> list[Result]:
    """Return decisions in words, those with a result first."""
    ordered = sorted(effects, key=lambda one: one.state != "measured")
    bounds = (
        min((min(one.predicted_low, one.low or 0) for one in ordered), default=0),
        max((max(one.predicted_high, one.high or 0) for one in ordered), default=0),
    )
    return [
        Result(
            effect=one,
            title=title(one),
            answer=answer(one),
            reason=one.reason,
            decided=one.decided_at.date(),
            foretold=foretold(one),
            measured=measured(one),
            drawn=_drawn(one, bounds),
        )
        for one in ordered
    ]


def title(one: EffectView) -> str:
    """Return what was suggested."""
    kind, _icon = wording.suggestion_kind(one.kind)
    articles = f"{one.article} + {one.other}" if one.kind == "place_together" and one.other else one.article
    return f"{kind}: {articles}"


def answer(one: EffectView) -> str:
    """Return what the manager said, and whether the sales show that it was done."""
    if one.decision == "rejected":
        return _("Rejected")
    return _("Accepted and done") if one.done else _("Accepted")


def foretold(one: EffectView) -> str:
    """Return what doing it was expected to change a week; of what is kept, doing without."""
    found = _with_range(one.predicted, one.predicted_low, one.predicted_high, one.currency)
    return _("%(found)s without it", found=found) if one.kind == "keep" else found


def measured(one: EffectView) -> str:
    """Return what was measured, or why nothing is."""
    if one.effect is not None and one.low is not None and one.high is not None:
        found = _with_range(one.effect, one.low, one.high, one.currency)
        if one.held is None:
            return found
        verdict = _("as foretold") if one.held else _("other than foretold")
        return f"{found}: {verdict}"
    if one.state == "waiting":
        return (
            _("due on %(day)s", day=date_text(one.due_on))
            if one.due_on
            else _("waits for six weeks of sales")
        )
    return {
        "few_comparisons": _("not measurable: too few stores to compare with"),
        "no_sales": _("not measurable: not sold in those weeks"),
        "no_past": _("not measurable: too little was sold before"),
        "taken_back": _("taken back"),
    }.get(str(one.detail.get("why", "")), _("not measurable"))


def record_words(record: Sequence[TrackRecord]) -> str:
    """Return in one sentence how good the advice was; empty before anything was measured."""
    count, held = sum(one.measured for one in record), sum(one.held for one in record)
    if not count:
        return ""
    return ngettext(
        "%(held)s of %(num)s measured result was as foretold",
        "%(held)s of %(num)s measured results were as foretold",
        count,
        held=held,
    )


def record_rows(record: Sequence[TrackRecord]) -> list[tuple[str, str, str, str, str]]:
    """Return a line per kind of advice: what it is, answers, what is measured, foretold and found a week."""
    return [
        (
            wording.suggestion_kind(one.kind)[0],
            _("%(accepted)s accepted, %(rejected)s rejected", accepted=one.accepted, rejected=one.rejected),
            _("%(measured)s measured, %(held)s as foretold", measured=one.measured, held=one.held),
            money_estimate(one.predicted, one.currency) if one.measured else "",
            _with_range(one.effect, one.low, one.high, one.currency) if one.measured else "",
        )
        for one in record
    ]


def _with_range(value: int, low: int, high: int, currency: str) -> str:
    return _(
        "%(amount)s (%(low)s to %(high)s)",
        amount=money_estimate(value, currency),
        low=money_estimate(low, currency),
        high=money_estimate(high, currency),
    )


def _drawn(one: EffectView, bounds: tuple[int, int]) -> Markup | str:
    if one.effect is None or one.low is None or one.high is None:
        return ""
    return interval(one.low, one.effect, one.high, bounds=bounds, label=measured(one), width=150)
