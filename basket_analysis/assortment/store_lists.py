"""A store against the others, as its manager reads it: from the run that is served."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from basket_analysis.models import CategoryProfile, ServedRun, StoreCategory, StoreProfile
from core.errors import NotFound
from sales.models import Article, Store


class NoSuchCategory(NotFound):
    """The served run knows no such category in this store."""


@dataclass(frozen=True, slots=True)
class StoreGroup:
    """
    How much of a store's baskets members of one group make; `low` to `high` an 80 % interval.

    `elsewhere` is the share in the other stores, `revenue` in minor units a week, `z` how sure the
    difference is.
    """

    group_id: str
    households: int
    baskets: int
    revenue: int
    share: float
    low: float
    high: float
    elsewhere: float
    z: float


@dataclass(frozen=True, slots=True)
class CategoryHere:
    """
    A category in a store, in minor units a week: what it sells, and what it would as the others do.

    `gap` is the difference with an 80 % interval, `q` how likely it is none at all. `lately` and `before` are
    households of the last four weeks and the four before, None where too few.
    """

    category: str
    revenue: int
    baskets: int
    households: int
    expected: int
    gap: int
    low: int
    high: int
    q: float
    lately: int | None
    before: int | None
    lately_elsewhere: int
    before_elsewhere: int
    moved_q: float | None


@dataclass(frozen=True, slots=True)
class StoreRule:
    """Of `of_baskets` with the antecedent so many held the consequent too, where the others let expect `expected`."""

    antecedent: str
    consequent: str
    baskets: int
    of_baskets: int
    expected: float
    households: int
    others: int
    z: float
    q: float


@dataclass(frozen=True, slots=True)
class StoreView:
    """
    What the served run says of a store: baskets and revenue a week (minor units) are those of known members.

    `rules_tested` is how many of the chain's rules the store has enough baskets for.
    """

    weeks: int
    baskets: int
    households: int
    revenue: int
    groups: tuple[StoreGroup, ...]
    categories: tuple[CategoryHere, ...]
    rules_tested: int
    rules: tuple[StoreRule, ...]


@dataclass(frozen=True, slots=True)
class ArticleHere:
    """An article in a store; counts of people are None where they are too few to be shown."""

    revenue: int
    halo: int
    baskets: int
    households: int
    repeat: int | None
    exclusive: int | None
    transfer: float
    stocked: int

    @property
    def per_week(self) -> float:
        """Baskets with it per week in which it was sold."""
        return self.baskets / max(self.stocked, 1)


@dataclass(frozen=True, slots=True)
class ArticleView:
    """
    An article of a category in the chain, and in the store where enough people buy it there.

    `store_baskets` and `store_households` are all baskets and households of each of the `stores` that sell it,
    `buyers` its households in each; `substitute` is bought by `substitute_households` of its households at
    other times.
    """

    article_id: int
    sku: str
    name: str
    type: str | None
    baskets: int
    households: int
    repeat: int | None
    exclusive: int | None
    transfer: float
    stores: int
    store_baskets: int
    store_households: int
    buyers: int
    substitute: str | None
    substitute_sku: str | None
    substitute_households: int
    here: ArticleHere | None

    @property
    def per_thousand(self) -> float:
        """Of a thousand baskets of the stores that sell it so many hold it."""
        return 1000 * self.baskets / max(self.store_baskets, 1)

    @property
    def penetration(self) -> float:
        """Of a store's households so many buy it, on average where it is sold."""
        return self.buyers / max(self.store_households, 1)


@dataclass(frozen=True, slots=True)
class CategoryView:
    """A category of a store with its articles, those of most households first."""

    figures: CategoryHere
    store: StoreView
    chain_households: int
    chain_baskets: int
    articles: tuple[ArticleView, ...]


def stores_compared(session: Session) -> list[tuple[str, str]]:
    """Return code and name of the stores that the served run compared, by code."""
    rows = session.execute(
        select(Store.store_code, Store.name)
        .join(StoreProfile, StoreProfile.store_id == Store.store_id)
        .join(ServedRun, ServedRun.run_id == StoreProfile.run_id)
        .order_by(Store.store_code)
    )
    return [(row.store_code, row.name) for row in rows]


def read_store(session: Session, *, store_id: int) -> StoreView | None:
    """Return what the served run says of a store; None where it has too few baskets or households, or nothing is served."""
    figures = session.scalar(
        select(StoreProfile.figures)
        .join(ServedRun, ServedRun.run_id == StoreProfile.run_id)
        .where(StoreProfile.store_id == store_id)
    )
    return _store(figures) if figures else None


def read_category(session: Session, *, store_id: int, category: str) -> CategoryView:
    """Return a category of a store with its articles; raises `NoSuchCategory`."""
    row = session.execute(
        select(StoreProfile.figures, StoreCategory.figures, CategoryProfile.figures)
        .join(ServedRun, ServedRun.run_id == StoreProfile.run_id)
        .join(
            StoreCategory,
            (StoreCategory.run_id == StoreProfile.run_id) & (StoreCategory.store_id == StoreProfile.store_id),
        )
        .outerjoin(
            CategoryProfile,
            (CategoryProfile.run_id == StoreProfile.run_id)
            & (CategoryProfile.category == StoreCategory.category),
        )
        .where(StoreProfile.store_id == store_id, StoreCategory.category == category)
    ).one_or_none()
    if row is None:
        raise NoSuchCategory(f"Nothing is known of the category {category} in this store")
    profile, figures, chain = row
    chain = chain or {"households": 0, "baskets": 0, "articles": []}
    articles = _articles(session, chain["articles"], figures.pop("articles"))
    return CategoryView(
        figures=CategoryHere(**figures),
        store=_store(profile),
        chain_households=chain["households"],
        chain_baskets=chain["baskets"],
        articles=tuple(articles),
    )


def _store(figures: dict[str, Any]) -> StoreView:
    return StoreView(
        weeks=figures["weeks"],
        baskets=figures["baskets"],
        households=figures["households"],
        revenue=figures["revenue"],
        groups=tuple(StoreGroup(**_named(one, group="group_id")) for one in figures["groups"]),
        categories=tuple(CategoryHere(**one) for one in figures["categories"]),
        rules_tested=figures["rules_tested"],
        rules=tuple(StoreRule(**{key: one[key] for key in StoreRule.__slots__}) for one in figures["rules"]),
    )


def _named(row: Mapping[str, Any], **names: str) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in row.items()}


def _articles(
    session: Session, chain: list[dict[str, Any]], here: list[dict[str, Any]]
) -> Iterable[ArticleView]:
    """Return the chain's articles with what the store knows of each, in their order."""
    local = {one["article_id"]: one for one in here}
    wanted = {one["article_id"] for one in chain} | {one["substitute_id"] for one in chain}
    masters = {
        row.article_id: row
        for row in session.execute(
            select(Article.article_id, Article.sku, Article.name, Article.type).where(
                Article.article_id.in_(wanted - {None})
            )
        )
    }
    for one in chain:
        article, other = masters.get(one["article_id"]), masters.get(one["substitute_id"])
        if article is None:
            continue
        found = local.get(one["article_id"])
        yield ArticleView(
            article_id=one["article_id"],
            sku=article.sku,
            name=article.name,
            type=article.type,
            baskets=one["baskets"],
            households=one["households"],
            repeat=one["repeat"],
            exclusive=one["exclusive"],
            transfer=one["transfer"],
            stores=one["stores"],
            store_baskets=one["store_baskets"],
            store_households=one["store_households"],
            buyers=one["buyers"],
            substitute=other.name if other else None,
            substitute_sku=other.sku if other else None,
            substitute_households=one["substitute_households"],
            here=ArticleHere(**{key: found[key] for key in ArticleHere.__slots__}) if found else None,
        )
