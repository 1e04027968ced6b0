"""Judges one decision by the sales: whether it was carried out, since when, and what came of it."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from basket_analysis.assortment.decision_sales import DecisionSales, Window
from basket_analysis.assortment.effects import (
    BEFORE_WEEKS,
    Effect,
    began_to_sell,
    held,
    measure_effect,
    stopped_selling,
)
from basket_analysis.assortment.predictions import Prediction, prediction

PATIENCE = timedelta(weeks=13)
"""An accepted suggestion that was not carried out in so long a time is judged as not done."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision to be measured; `superseded` says that the store took it back or decided anew."""

    decision_id: int
    store_id: int
    kind: str
    article_id: int
    other_article_id: int | None
    decision: str
    decided_on: date
    shown: dict[str, Any]
    superseded: bool


def judge(decided: Decided, sales: DecisionSales, *, today: date) -> dict[str, Any]:
    """
    Return what can be said of a decision at the end of the business day `today`, as a row of decision_effect.

    A decision that was carried out is measured over the six weeks after that day was seen in the sales; one that
    was not, over the six weeks after it was taken: what happened without. Placing together leaves no trace
    in what is sold, so an accepted one counts as done the day after.
    """
    wanted = prediction(decided.kind, decided.shown)
    row: dict[str, Any] = {
        "decision_id": decided.decision_id,
        "business_day": today,
        "state": "waiting",
        "done": False,
        "effective_on": None,
        "due_on": None,
        "predicted": wanted.middle,
        "predicted_low": wanted.low,
        "predicted_high": wanted.high,
        "effect": None,
        "low": None,
        "high": None,
        "held": None,
        "comparisons": 0,
        "detail": {},
    }
    since = _since(decided, sales, today=today)
    done = since is not None
    if decided.superseded:
        return {**row, "state": "not_measurable", "done": done, "detail": {"why": "taken_back"}}
    window = Window(since or decided.decided_on + timedelta(days=1))
    row |= {"done": done, "effective_on": since, "due_on": window.due}
    patience = (
        PATIENCE if decided.decision == "accepted" and decided.kind in {"list", "delist"} else timedelta()
    )
    if today + timedelta(days=1) < max(window.due, window.first if done else window.first + patience):
        return row
    return {**row, **_measured(decided, sales, window, wanted, done=done)}


def _since(decided: Decided, sales: DecisionSales, *, today: date) -> date | None:
    """Return the day from which on the suggested thing (for keep: its opposite) was done; None while it was not."""
    if decided.kind == "place_together":
        return decided.decided_on + timedelta(days=1) if decided.decision == "accepted" else None
    days = sales.days_sold(decided.store_id, decided.article_id)
    if decided.kind == "list":
        return began_to_sell(days, decided=decided.decided_on)
    return stopped_selling(days, decided=decided.decided_on, today=today)


def _measured(
    decided: Decided, sales: DecisionSales, window: Window, wanted: Prediction, *, done: bool
) -> dict[str, Any]:
    """Return the effect, or why there is none."""
    if not sales.knows(decided.store_id):
        return _not_measurable("no_sales")
    placed = decided.kind == "place_together" and decided.other_article_id is not None
    article = decided.other_article_id if placed and decided.other_article_id else decided.article_id
    row = sales.row(decided.store_id)
    others = sales.comparable(window, store_id=decided.store_id, article_id=article)
    everything = sales.by_week(window, article_id=None)
    if not everything[row, :BEFORE_WEEKS].any() or not everything[row, BEFORE_WEEKS:].any():
        return _not_measurable("no_past" if not everything[row, :BEFORE_WEEKS].any() else "no_sales")
    values = sales.by_week(window, article_id=article, alone=placed)
    found = _effect(values, row, others)
    if found is None:
        return _not_measurable("few_comparisons") | {"comparisons": len(others)}
    level, name = ("article", None) if placed else sales.kind_of(article)
    whole = _effect(everything, row, others)
    detail: dict[str, Any] = {
        "level": level,
        "name": name,
        "before": round(found.before),
        "expected": round(found.expected),
        "after": round(found.after),
    }
    if whole is not None:
        detail["store"] = {"effect": round(whole.effect), "low": round(whole.low), "high": round(whole.high)}
    # What was not done can agree with no prediction: nothing at all was to be expected.
    agrees = held(found, wanted.middle, wanted.low, wanted.high) if done else found.low <= 0 <= found.high
    return {
        "state": "measured",
        "effect": round(found.effect),
        "low": round(found.low),
        "high": round(found.high),
        "held": agrees,
        "comparisons": found.comparisons,
        "detail": detail,
    }


def _effect(values: Any, row: int, others: list[int]) -> Effect | None:
    return measure_effect(
        values[row, :BEFORE_WEEKS],
        values[row, BEFORE_WEEKS:],
        values[others, :BEFORE_WEEKS],
        values[others, BEFORE_WEEKS:],
    )


def _not_measurable(why: str) -> dict[str, Any]:
    return {"state": "not_measurable", "detail": {"why": why}}
