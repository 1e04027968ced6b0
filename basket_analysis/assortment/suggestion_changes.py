"""What is new in a store's suggestions since the run before: for the manager who read that one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from basket_analysis.assortment.suggestion_lists import SuggestionView, all_suggestions
from basket_analysis.models import AnalysisRun, ServedRun, Suggestion
from sales.models import Article, Store


@dataclass(frozen=True, slots=True)
class GoneSuggestion:
    """A suggestion of the run before that is not made any more."""

    kind: str
    article: str
    sku: str | None
    other: str | None
    category: str | None
    currency: str
    value_per_week: int


@dataclass(frozen=True, slots=True)
class MovedSuggestion:
    """A suggestion whose money was outside its present interval in the run before."""

    view: SuggestionView
    before: int


@dataclass(frozen=True, slots=True)
class SuggestionChanges:
    """The changes since the completed run of `previous_day`; None, and nothing, when there was none."""

    previous_day: date | None
    new: Sequence[SuggestionView]
    gone: Sequence[GoneSuggestion]
    moved: Sequence[MovedSuggestion]


def changes_since_last_run(session: Session, store_id: int) -> SuggestionChanges:
    """
    Return which suggestions of a store came, went, and changed their value since the run before the served one.

    A suggestion is the same one when kind and articles are; which article would substitute it may change.
    """
    previous = _previous(session)
    if previous is None:
        return SuggestionChanges(None, (), (), ())
    before = {_key(row): row for row in _of_run(session, previous.run_id, store_id)}
    now = all_suggestions(session, store_id=store_id)
    keys = {_key_of(view): view for view in now}
    return SuggestionChanges(
        previous_day=previous.business_day,
        new=[view for key, view in keys.items() if key not in before],
        gone=[
            GoneSuggestion(
                row.kind, row.article, row.sku, row.other, row.category, row.currency, row.value_per_week
            )
            for key, row in before.items()
            if key not in keys
        ],
        moved=[
            MovedSuggestion(view, before[key].value_per_week)
            for key, view in keys.items()
            if key in before and not view.low <= before[key].value_per_week <= view.high
        ],
    )


def _previous(session: Session) -> Any:
    """Return the newest completed run before the served one that made suggestions."""
    served = aliased(AnalysisRun)
    return session.execute(
        select(AnalysisRun.run_id, AnalysisRun.business_day)
        .join(ServedRun, ServedRun.run_id != AnalysisRun.run_id)
        .join(served, served.run_id == ServedRun.run_id)
        .where(
            AnalysisRun.state == "completed",
            AnalysisRun.business_day <= served.business_day,
            AnalysisRun.started_at < served.started_at,
            select(Suggestion.suggestion_id).where(Suggestion.run_id == AnalysisRun.run_id).exists(),
        )
        .order_by(AnalysisRun.business_day.desc(), AnalysisRun.started_at.desc())
        .limit(1)
    ).one_or_none()


def _of_run(session: Session, run_id: Any, store_id: int) -> list[Any]:
    article, other = aliased(Article), aliased(Article)
    rows = session.execute(
        select(
            Suggestion.kind,
            Suggestion.value_per_week,
            article.name.label("article"),
            article.sku.label("sku"),
            article.category.label("category"),
            other.name.label("other"),
            other.sku.label("other_sku"),
            Store.currency,
        )
        .join(Store, Store.store_id == Suggestion.store_id)
        .join(article, article.article_id == Suggestion.article_id)
        .outerjoin(other, other.article_id == Suggestion.other_article_id)
        .where(Suggestion.run_id == run_id, Suggestion.store_id == store_id)
        .order_by(Suggestion.kind, Suggestion.rank)
    )
    return list(rows)


def _key(row: Any) -> tuple[str, str | None, str | None]:
    return row.kind, row.sku, row.other_sku if row.kind == "place_together" else None


def _key_of(view: SuggestionView) -> tuple[str, str | None, str | None]:
    return view.kind, view.sku, view.other_sku if view.kind == "place_together" else None
