"""Assortment suggestions of one store as its manager works with them: the list, one with evidence, the decision."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, and_, case, func, insert, select
from sqlalchemy.orm import Session, aliased

from basket_analysis.models import ServedRun, Suggestion, SuggestionDecision
from core.audit import record_event
from core.errors import NotFound, Refused
from core.keyset import Ask, Page, read_page
from sales.models import Article, Store

SUGGESTION_SORTS: Final = ("rank", "value_per_week", "households", "baskets", "article")


KINDS: Final = ("list", "delist", "keep", "place_together")
"""The order in which kinds are shown."""


class NoSuchSuggestion(NotFound):
    """The served run has no such suggestion for this store."""


class ReasonMissing(Refused):
    """A decision needs a reason."""


@dataclass(frozen=True, slots=True)
class SuggestionView:
    """
    One suggestion; money in minor units of the store's currency, per week, with its interval.

    `decision` is the newest one that the store took about the same articles, in whatever run.
    """

    suggestion_id: UUID
    store_id: int
    store_code: str
    store_name: str
    currency: str
    timezone: str
    kind: str
    rank: int
    article: str
    sku: str | None
    category: str | None
    other: str | None
    other_sku: str | None
    value_per_week: int
    low: int
    high: int
    households: int
    baskets: int
    group_id: str | None
    evidence: dict[str, Any]
    decision: str | None
    reason: str | None
    decided_by: str | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class SubstituteView:
    """
    An article of the same type that buyers of another one take at other times, and rarely with it.

    It would catch `share` of what is caught at all: `catches` minor units per week. `households` bought both
    in the store; `adjusted_lift` says how often baskets hold both, 1 being chance.
    """

    article: str
    sku: str
    share: float
    catches: int
    households: int
    adjusted_lift: float


def list_suggestions(session: Session, ask: Ask, *, store_id: int) -> Page[SuggestionView]:
    """Return a page of a store's suggestions; filters kind, state (open, accepted, rejected), group, category."""
    statement = _suggestions().where(Suggestion.store_id == store_id)
    if kind := ask.filters.get("kind"):
        statement = statement.where(Suggestion.kind == kind)
    if category := ask.filters.get("category"):
        of_category = select(Article.article_id).where(Article.category == category)
        statement = statement.where(Suggestion.article_id.in_(of_category))
    if group_id := ask.filters.get("group"):
        statement = statement.where(Suggestion.group_id == group_id)
    if state := ask.filters.get("state"):
        decision = _decision()
        statement = statement.where(decision.is_(None) if state == "open" else decision == state)
    if ask.words:
        article = select(Article.article_id).where(Article.name.icontains(ask.words, autoescape=True))
        statement = statement.where(Suggestion.article_id.in_(article))
    page = read_page(
        session,
        statement,
        ask=ask,
        sorts=SUGGESTION_SORTS,
        key="suggestion_id",
        count=True,
        filled=SUGGESTION_SORTS,
    )
    return Page(tuple(_view(row) for row in page.rows), page.following, page.previous, page.total)


def all_suggestions(session: Session, *, store_id: int, kind: str | None = None) -> list[SuggestionView]:
    """Return all suggestions of a store, by kind (list, delist, keep, place together) and rank."""
    statement = _suggestions().where(Suggestion.store_id == store_id)
    if kind:
        statement = statement.where(Suggestion.kind == kind)
    order = case({name: number for number, name in enumerate(KINDS)}, value=Suggestion.kind)
    return [_view(row) for row in session.execute(statement.order_by(order, Suggestion.rank))]


def read_suggestion(session: Session, *, suggestion_id: UUID, store_id: int | None = None) -> SuggestionView:
    """Return one suggestion; raises `NoSuchSuggestion`, also for another store's when `store_id` is given."""
    row = session.execute(_suggestions().where(Suggestion.suggestion_id == suggestion_id)).one_or_none()
    if row is None or store_id not in {None, row.store_id}:
        raise NoSuchSuggestion("There is no such suggestion")
    return _view(row)


def substitutes_of(session: Session, suggestion: SuggestionView) -> list[SubstituteView]:
    """Return what would catch most of what an article takes, the most first; fewer than ten people are never shown."""
    told = {one["article"]: one for one in suggestion.evidence.get("substitutes") or []}
    named = {
        row.article_id: row
        for row in session.execute(
            select(Article.article_id, Article.name, Article.sku).where(Article.article_id.in_(told))
        )
    }
    return [
        SubstituteView(
            article=named[article_id].name,
            sku=named[article_id].sku,
            share=one["share"],
            catches=one["catches"],
            households=one["households"],
            adjusted_lift=one["adjusted_lift"],
        )
        for article_id, one in told.items()
        if article_id in named
    ]


def suggestion_bounds(session: Session, *, store_id: int) -> dict[str, tuple[int, int]]:
    """
    Return the lowest and the highest money per week that a store's suggestions of each kind reach with their intervals.

    What is kept is worth many times what is listed or delisted: on one scale nothing could be seen of those.
    """
    rows = session.execute(
        select(Suggestion.kind, func.min(Suggestion.low), func.max(Suggestion.high))
        .join(ServedRun, ServedRun.run_id == Suggestion.run_id)
        .where(Suggestion.store_id == store_id)
        .group_by(Suggestion.kind)
    )
    return {kind: (low, high) for kind, low, high in rows}


def counts_by_kind(session: Session, *, store_id: int) -> dict[str, int]:
    """Return how many suggestions of each kind a store has that nobody has decided."""
    rows = session.execute(
        select(Suggestion.kind, func.count())
        .join(ServedRun, ServedRun.run_id == Suggestion.run_id)
        .where(Suggestion.store_id == store_id, _decision().is_(None))
        .group_by(Suggestion.kind)
    )
    return {row.kind: row[1] for row in rows}


def stores_with_suggestions(session: Session) -> list[tuple[str, str]]:
    """Return code and name of the stores that have suggestions, by code."""
    rows = session.execute(
        select(Store.store_code, Store.name)
        .where(
            Store.store_id.in_(
                select(Suggestion.store_id).join(ServedRun, ServedRun.run_id == Suggestion.run_id).distinct()
            )
        )
        .order_by(Store.store_code)
    )
    return [(row.store_code, row.name) for row in rows]


def decide(
    session: Session,
    *,
    suggestion_id: UUID,
    store_id: int,
    decision: str,
    reason: str,
    actor: str,
    now: datetime,
) -> None:
    """
    Keep that a manager accepted or rejected a suggestion, why, and what they were shown.

    Raises `NoSuchSuggestion`, `ReasonMissing`.
    """
    found = session.get(Suggestion, suggestion_id)
    if found is None or found.store_id != store_id:
        raise NoSuchSuggestion("There is no such suggestion")
    if not reason.strip():
        raise ReasonMissing("Say why")
    _keep_decision(session, found, decision=decision, reason=reason.strip(), actor=actor, now=now)
    record_event(
        session,
        now=now,
        actor=actor,
        action=f"suggestion.{decision}",
        subject_kind="suggestion",
        subject_id=str(suggestion_id),
        detail={"reason": reason.strip()},
    )


def _shown(suggestion: Suggestion) -> dict[str, Any]:
    return {
        "run_id": str(suggestion.run_id),
        "suggestion_id": str(suggestion.suggestion_id),
        "value_per_week": suggestion.value_per_week,
        "low": suggestion.low,
        "high": suggestion.high,
        "households": suggestion.households,
        "baskets": suggestion.baskets,
        "evidence": suggestion.evidence,
    }


def undo_decision(session: Session, *, suggestion_id: UUID, store_id: int, actor: str, now: datetime) -> None:
    """
    Take back what a store decided about a suggestion's articles; the decision stays in the record.

    Nothing happens where nothing is decided. Raises `NoSuchSuggestion`.
    """
    found = session.get(Suggestion, suggestion_id)
    if found is None or found.store_id != store_id:
        raise NoSuchSuggestion("There is no such suggestion")
    if session.scalar(select(_decision()).where(Suggestion.suggestion_id == suggestion_id)) is None:
        return
    _keep_decision(session, found, decision="undone", reason="", actor=actor, now=now)
    record_event(
        session,
        now=now,
        actor=actor,
        action="suggestion.undo",
        subject_kind="suggestion",
        subject_id=str(suggestion_id),
    )


def _keep_decision(
    session: Session, found: Suggestion, *, decision: str, reason: str, actor: str, now: datetime
) -> None:
    session.execute(
        insert(SuggestionDecision).values(
            store_id=found.store_id,
            kind=found.kind,
            article_id=found.article_id,
            other_article_id=found.other_article_id,
            decision=decision,
            reason=reason,
            decided_by=actor,
            decided_at=now,
            shown=_shown(found),
        )
    )


def _newest(column: Any) -> Any:
    """Return what stands in `column` of the newest decision about a suggestion's articles; NULL when it was undone."""
    return (
        select(case((SuggestionDecision.decision != "undone", column)))
        .where(
            and_(
                SuggestionDecision.store_id == Suggestion.store_id,
                SuggestionDecision.kind == Suggestion.kind,
                SuggestionDecision.article_id.is_not_distinct_from(Suggestion.article_id),
                SuggestionDecision.other_article_id.is_not_distinct_from(Suggestion.other_article_id),
            )
        )
        .order_by(SuggestionDecision.decision_id.desc())
        .limit(1)
        .correlate(Suggestion)
        .scalar_subquery()
    )


def _decision() -> Any:
    return _newest(SuggestionDecision.decision)


def _suggestions() -> Select[*tuple[Any, ...]]:
    article, other = aliased(Article), aliased(Article)
    return (
        select(
            Suggestion.suggestion_id,
            Suggestion.store_id,
            Store.store_code,
            Store.name.label("store_name"),
            Store.currency,
            Store.timezone,
            Suggestion.kind,
            Suggestion.rank,
            func.coalesce(article.name, "").label("article"),
            article.sku.label("sku"),
            article.category.label("category"),
            other.name.label("other"),
            other.sku.label("other_sku"),
            Suggestion.value_per_week,
            Suggestion.low,
            Suggestion.high,
            Suggestion.households,
            Suggestion.baskets,
            Suggestion.group_id,
            Suggestion.evidence,
            _decision().label("decision"),
            _newest(SuggestionDecision.reason).label("reason"),
            _newest(SuggestionDecision.decided_by).label("decided_by"),
            _newest(SuggestionDecision.decided_at).label("decided_at"),
        )
        .join(ServedRun, ServedRun.run_id == Suggestion.run_id)
        .join(Store, Store.store_id == Suggestion.store_id)
        .outerjoin(article, article.article_id == Suggestion.article_id)
        .outerjoin(other, other.article_id == Suggestion.other_article_id)
    )


def _view(row: Any) -> SuggestionView:
    return SuggestionView(*row[:24])
