"""What came of decisions, for one store's page and as the record of how good the advice was."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import sqrt
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from basket_analysis.assortment.predictions import prediction
from basket_analysis.assortment.suggestion_lists import KINDS
from basket_analysis.models import DecisionEffect, SuggestionDecision
from sales.models import Article, Store


@dataclass(frozen=True, slots=True)
class EffectView:
    """
    A decision and what came of it; money in minor units per week of the store's `currency`.

    `predicted` and `effect` are the change of revenue by doing what was suggested (for keep: by doing without),
    less being negative, among articles of its kind. `done` says that the sales show it was; `state` is waiting, measured or
    not_measurable, and then `detail` says `why`. Of what was not done the effect is what happened without.
    """

    decision_id: int
    store_id: int
    currency: str
    kind: str
    article: str
    sku: str | None
    category: str | None
    other: str | None
    other_sku: str | None
    decision: str
    reason: str
    decided_by: str
    decided_at: datetime
    state: str
    done: bool
    effective_on: date | None
    due_on: date | None
    predicted: int
    predicted_low: int
    predicted_high: int
    effect: int | None
    low: int | None
    high: int | None
    held: bool | None
    comparisons: int
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """
    How good the advice of one kind was, in one currency.

    Of `measured` decisions that were carried out: sums per week of what was predicted and of what came, the latter
    with its 80 % interval, and how many predictions the measurement agreed with (`held`). `without` counts
    measured decisions that were not carried out, whose effect should be none, and `without_held` those whose
    interval says so.
    """

    kind: str
    currency: str
    accepted: int
    rejected: int
    waiting: int
    not_measurable: int
    measured: int
    held: int
    predicted: int
    effect: int
    low: int
    high: int
    without: int
    without_held: int
    without_effect: int
    without_low: int
    without_high: int


def effects_of_store(session: Session, store_id: int) -> list[EffectView]:
    """Return every decision of a store that was not taken back before anything was measured, the newest first."""
    return _effects(session, store_id)


def track_record(session: Session, store_id: int | None = None) -> list[TrackRecord]:
    """Return the record of the advice to one store, or to the chain, by kind and currency."""
    found = _effects(session, store_id)
    keys = sorted({(KINDS.index(view.kind), view.currency) for view in found})
    return [
        _record(
            KINDS[kind],
            currency,
            [view for view in found if (KINDS.index(view.kind), view.currency) == (kind, currency)],
        )
        for kind, currency in keys
    ]


def _effects(session: Session, store_id: int | None) -> list[EffectView]:
    article, other, later = aliased(Article), aliased(Article), aliased(SuggestionDecision)
    taken_back = (
        select(later.decision_id)
        .where(
            later.store_id == SuggestionDecision.store_id,
            later.kind == SuggestionDecision.kind,
            later.article_id.is_not_distinct_from(SuggestionDecision.article_id),
            later.other_article_id.is_not_distinct_from(SuggestionDecision.other_article_id),
            later.decision_id > SuggestionDecision.decision_id,
        )
        .exists()
    )
    statement = (
        select(
            SuggestionDecision,
            DecisionEffect,
            Store.currency,
            article.name.label("article"),
            article.sku.label("sku"),
            article.category.label("category"),
            other.name.label("other"),
            other.sku.label("other_sku"),
        )
        .join(Store, Store.store_id == SuggestionDecision.store_id)
        .outerjoin(DecisionEffect, DecisionEffect.decision_id == SuggestionDecision.decision_id)
        .outerjoin(article, article.article_id == SuggestionDecision.article_id)
        .outerjoin(other, other.article_id == SuggestionDecision.other_article_id)
        .where(SuggestionDecision.decision != "undone", (DecisionEffect.state == "measured") | ~taken_back)
        .order_by(SuggestionDecision.decision_id.desc())
    )
    if store_id is not None:
        statement = statement.where(SuggestionDecision.store_id == store_id)
    return [_view(row) for row in session.execute(statement)]


def _view(row: Any) -> EffectView:
    decision, effect = row.SuggestionDecision, row.DecisionEffect
    wanted = prediction(decision.kind, decision.shown)
    return EffectView(
        decision_id=decision.decision_id,
        store_id=decision.store_id,
        currency=row.currency,
        kind=decision.kind,
        article=row.article or "",
        sku=row.sku,
        category=row.category,
        other=row.other,
        other_sku=row.other_sku,
        decision=decision.decision,
        reason=decision.reason,
        decided_by=decision.decided_by,
        decided_at=decision.decided_at,
        state=effect.state if effect else "waiting",
        done=bool(effect and effect.done),
        effective_on=effect.effective_on if effect else None,
        due_on=effect.due_on if effect else None,
        predicted=wanted.middle,
        predicted_low=wanted.low,
        predicted_high=wanted.high,
        effect=effect.effect if effect else None,
        low=effect.low if effect else None,
        high=effect.high if effect else None,
        held=effect.held if effect else None,
        comparisons=effect.comparisons if effect else 0,
        detail=effect.detail if effect else {},
    )


def _record(kind: str, currency: str, views: Sequence[EffectView]) -> TrackRecord:
    done = [view for view in views if view.state == "measured" and view.done]
    without = [view for view in views if view.state == "measured" and not view.done]
    effect, low, high = _sum(done)
    without_effect, without_low, without_high = _sum(without)
    return TrackRecord(
        kind=kind,
        currency=currency,
        accepted=sum(view.decision == "accepted" for view in views),
        rejected=sum(view.decision == "rejected" for view in views),
        waiting=sum(view.state == "waiting" for view in views),
        not_measurable=sum(view.state == "not_measurable" for view in views),
        measured=len(done),
        held=sum(bool(view.held) for view in done),
        predicted=sum(view.predicted for view in done),
        effect=effect,
        low=low,
        high=high,
        without=len(without),
        without_held=sum(bool(view.held) for view in without),
        without_effect=without_effect,
        without_low=without_low,
        without_high=without_high,
    )


def _sum(views: Sequence[EffectView]) -> tuple[int, int, int]:
    """Return the sum of effects and its 80 % interval, as of errors that know nothing of each other."""
    total = sum(view.effect or 0 for view in views)
    below = sqrt(sum(((view.effect or 0) - (view.low or 0)) ** 2 for view in views))
    above = sqrt(sum(((view.high or 0) - (view.effect or 0)) ** 2 for view in views))
    return total, round(total - below), round(total + above)
