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
    """Return what the manager said and, once it is measured, what the sales show to have been done."""
    accepted = one.decision == "accepted"
    if one.kind == "keep" and (one.done or one.state == "measured"):
        if one.done:
            return _("Accepted, yet given up") if accepted else _("Rejected and given up")
        return _("Accepted and kept") if accepted else _("Rejected, yet kept")
    if one.done:
        return _("Accepted and done") if accepted else _("Rejected, yet done")
    if accepted:
        return _("Accepted, not done") if one.state == "measured" else _("Accepted")
    return _("Rejected")


def foretold(one: EffectView) -> str:
    """Return what doing it was expected to change a week; of what is kept, doing without."""
    found = _with_range(one.predicted, one.predicted_low, one.predicted_high, one.currency)
    return _("%(found)s without it", found=found) if one.kind == "keep" else found


def measured(one: EffectView) -> str:
    """Return what was measured, or why nothing is."""
    if one.effect is not None and one.low is not None and one.high is not None:
        found = _with_range(one.effect, one.low, one.high, one.currency)
        return found if one.held is None else f"{found}: {_verdict(one, chance=one.low <= 0 <= one.high)}"
    if one.state == "waiting":
        if one.due_on and not one.done and one.decision == "accepted" and one.kind in {"list", "delist"}:
            return _("the sales do not show it yet")
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


def _verdict(one: EffectView, *, chance: bool) -> str:
    """Return whether it came as foretold; where nothing was changed, nothing should have moved."""
    if not one.done:
        return (
            _("nothing was changed, and sales stayed")
            if one.held
            else _("nothing was changed, yet sales moved")
        )
    if not one.held:
        return _("other than foretold")
    return _("as foretold, but chance may be all of it") if chance else _("as foretold")


def record_words(record: Sequence[TrackRecord]) -> str:
    """Return in a line how good the advice was; empty before anything was measured."""
    changed, held = sum(one.measured for one in record), sum(one.held for one in record)
    stayed, still = sum(one.without for one in record), sum(one.without_held for one in record)
    told = []
    if changed:
        told.append(
            ngettext(
                "%(held)s of %(num)s measured change was as foretold",
                "%(held)s of %(num)s measured changes were as foretold",
                changed,
                held=held,
            )
        )
    if stayed:
        told.append(
            ngettext(
                "sales stayed in %(held)s of %(num)s case without a change",
                "sales stayed in %(held)s of %(num)s cases without a change",
                stayed,
                held=still,
            )
        )
    return "; ".join(told)


@dataclass(frozen=True, slots=True)
class RecordRow:
    """The record of one kind of advice: its answers, and what is measured where the shelf changed and where not."""

    kind: str
    answers: str
    open: str
    changed: str
    changed_money: str
    stayed: str
    stayed_money: str


def record_rows(record: Sequence[TrackRecord]) -> list[RecordRow]:
    """Return a row per kind of advice; what there is nothing to say of is empty."""
    return [
        RecordRow(
            kind=wording.suggestion_kind(one.kind)[0],
            answers=_(
                "%(accepted)s accepted, %(rejected)s rejected", accepted=one.accepted, rejected=one.rejected
            ),
            open=_open(one),
            changed=_("%(held)s of %(measured)s as foretold", held=one.held, measured=one.measured)
            if one.measured
            else "",
            changed_money=_(
                "foretold %(foretold)s, measured %(measured)s a week",
                foretold=money_estimate(one.predicted, one.currency),
                measured=_with_range(one.effect, one.low, one.high, one.currency),
            )
            if one.measured
            else "",
            stayed=_("%(held)s of %(measured)s without change", held=one.without_held, measured=one.without)
            if one.without
            else "",
            stayed_money=_(
                "measured %(measured)s a week",
                measured=_with_range(one.without_effect, one.without_low, one.without_high, one.currency),
            )
            if one.without
            else "",
        )
        for one in record
    ]


def _open(one: TrackRecord) -> str:
    told = []
    if one.waiting:
        told.append(ngettext("%(num)s waits", "%(num)s wait", one.waiting))
    if one.not_measurable:
        told.append(ngettext("%(num)s not measurable", "%(num)s not measurable", one.not_measurable))
    return ", ".join(told)


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
