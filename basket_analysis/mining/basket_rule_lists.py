"""The rules of a run as baskets in progress ask them: read once per run and process."""

from threading import Lock
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from basket_analysis.mining.basket_rules import BasketRules, FiledArticle, PairRule

_MOST_KEPT: Final = 2
"""The run that is served and the one before it: requests that began before the swap end with theirs."""

_KEPT: Final[dict[UUID, BasketRules]] = {}
_KEEPING: Final = Lock()

_SERVED = text("select run_id from served_run")

_PAIRS = text("""
    select level, antecedent[1], consequent[1], adjusted_lift
    from mined_rule
    where run_id = :run_id and level in ('article', 'type', 'category')
      and cardinality(antecedent) = 1 and cardinality(consequent) = 1 and adjusted_lift > 1
    order by rule_number
""")

_IDS = text("select sku, article_id from article where sku = any(:skus)")

_FILED = text("""
    select article.article_id, coalesce(type.number, 0)::integer - 1, coalesce(category.number, 0)::integer - 1
    from article
    left join unnest(cast(:types as text[])) with ordinality as type (name, number) on type.name = article.type
    left join unnest(cast(:categories as text[])) with ordinality as category (name, number)
      on category.name = article.category
    where type.number is not null or category.number is not null
""")


def basket_rules(session: Session, *, run_id: UUID | None = None) -> BasketRules:
    """
    Return the rules of `run_id`, or of the run that is served; without any run there are no ties.

    A run's rules never change, so they are read once. Whoever names the run asks the database nothing after that.
    Articles that were filed anew since are tied by what they were when their rules were read.
    """
    if run_id is None:
        run_id = session.scalar(_SERVED)
    if run_id is None:
        return BasketRules()
    kept = _KEPT.get(run_id)
    if kept is None:
        kept = _read(session, run_id)
        # Threads that read the same run at the same time keep equal ones: the last of them stays.
        with _KEEPING:
            while len(_KEPT) >= _MOST_KEPT and run_id not in _KEPT:
                del _KEPT[next(iter(_KEPT))]
            _KEPT[run_id] = kept
    return kept


def rules_in_memory(run_id: UUID) -> BasketRules | None:
    """Return the rules of a run if this process has read them already: for whoever may not wait."""
    return _KEPT.get(run_id)


def _read(session: Session, run_id: UUID) -> BasketRules:
    pairs: dict[str, list[tuple[str, str, float]]] = {"article": [], "type": [], "category": []}
    for level, one, other, adjusted_lift in session.execute(_PAIRS, {"run_id": run_id}):
        pairs[level].append((one, other, adjusted_lift))
    skus = _names(pairs["article"])
    ids = {row[0]: row[1] for row in session.execute(_IDS, {"skus": skus})} if skus else {}
    types, categories = _names(pairs["type"]), _names(pairs["category"])
    filed = session.execute(_FILED, {"types": types, "categories": categories}) if types or categories else ()
    return BasketRules(
        run_id,
        articles=_numbered(pairs["article"], ids),
        types=_numbered(pairs["type"], {name: number for number, name in enumerate(types)}),
        categories=_numbered(pairs["category"], {name: number for number, name in enumerate(categories)}),
        filed=[FiledArticle(*row) for row in filed],
    )


def _names(pairs: list[tuple[str, str, float]]) -> list[str]:
    return sorted({name for one, other, _lift in pairs for name in (one, other)})


def _numbered(pairs: list[tuple[str, str, float]], number_of: dict[str, int]) -> list[PairRule]:
    """Return the pairs by number; an article that is gone from the register has none."""
    return [
        PairRule(number_of[one], number_of[other], lift)
        for one, other, lift in pairs
        if one in number_of and other in number_of
    ]
