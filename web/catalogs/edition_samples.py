"""What an edition looks like in one store: its shelf, its pages filled, and what could stand there instead."""

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from threading import Lock
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from basket_analysis.offers.sensitive_lists import read_sensitive
from catalogs.booklets import make_booklet
from catalogs.issues import Issue, Offer, Reader
from catalogs.layouts import Theme
from catalogs.motifs import Use
from catalogs.operations import EditionPlan, OpenEdition
from catalogs.pages import Booklet, ThemedPage
from catalogs.planning import kinds_of, make_issue
from catalogs.queries import Shop, categories_of, shops
from catalogs.shelves import for_group, read_shelves
from core.driver import driver_of
from sales.models import Article

STORES = 30
"""So many stores are there to look through, those with the most sales first."""
MOST_FOUND = 12
KEPT_SECONDS = 300.0
KEPT_SHELVES = 8

_BUSIEST = """
    select store.store_id, store.name, store.currency
    from store
    join (select store_id, count(*) as sold from receipt
          where business_date > %(day)s::date - 28 and business_date <= %(day)s group by store_id) as sales
        using (store_id)
    where %(countries)s::text[] = '{}' or store.country = any(%(countries)s)
    order by sales.sold desc, store.store_id limit %(stores)s
"""


_ARTICLES: Final = select(
    Article.article_id, Article.name, Article.sku, Article.department, Article.category, Article.type
)


@dataclass(frozen=True, slots=True)
class Sample:
    """An edition's pages as they are in one store; `filled` are the articles of each planned page that stand there."""

    shop: Shop
    shelf: Mapping[int, Offer]
    issue: Issue
    filled: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Named:
    """An article as the editor lists it, whether or not the store has it."""

    article_id: int
    name: str
    sku: str
    offer: Offer | None
    private: str | None = None
    """The topic that makes it too private to be planned for a group, None for all others."""


class ShelvesInMemory:
    """The last shelves that were looked at, for some minutes: whoever edits pages asks for the same one again and again."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Any, ...], tuple[float, Mapping[int, Offer]]] = {}
        self._lock = Lock()

    def read(
        self, session: Session, shop: Shop, *, day: date, valid_from: date, valid_to: date
    ) -> Mapping[int, Offer]:
        """Return the shelf of a shop for a period, at most some minutes old."""
        # Houses of a test or a sandbox are told apart by their address.
        key = (str(session.get_bind().engine.url), shop.store_id, day, valid_from, valid_to)
        with self._lock:
            kept = self._kept.get(key)
            if kept and kept[0] > time.monotonic() - KEPT_SECONDS:
                return kept[1]
        shelf = read_shelves(session, [shop], day=day, valid_from=valid_from, valid_to=valid_to)[
            shop.store_id
        ]
        with self._lock:
            self._kept.pop(key, None)
            while len(self._kept) >= KEPT_SHELVES:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = (time.monotonic(), shelf)
        return shelf


SHELVES = ShelvesInMemory()


def busiest_shops(session: Session, *, day: date, countries: Collection[str] = ()) -> list[Shop]:
    """Return the stores with the most receipts of four weeks, of `countries` where any are named, the busiest first."""
    rows = driver_of(session).execute(_BUSIEST, {"day": day, "stores": STORES, "countries": list(countries)})
    return [Shop(*row) for row in rows]


def sample_of(
    session: Session,
    edition: OpenEdition,
    plan: EditionPlan,
    *,
    theme: Theme,
    store_id: int,
    day: date,
) -> Sample:
    """Return the pages of `plan` in one store, each wanted article that it has not replaced as in a copy."""
    shop = shops(session, [store_id])[store_id]
    shelf = for_group(
        SHELVES.read(session, shop, day=day, valid_from=edition.valid_from, valid_to=edition.valid_to),
        plan.group_id,
    )
    issue = make_issue(
        plan,
        theme=theme,
        shop_name=shop.name,
        shelf=shelf,
        valid_from=edition.valid_from,
        valid_to=edition.valid_to,
        kinds=kinds_of(categories_of(session, {article for page in plan.pages for article in page.articles})),
    )
    pages = tuple(tuple(offer.article_id for offer in page.offers) for page in issue.pages)
    return Sample(shop, shelf, issue, pages)


def sample_booklet(sample: Sample, theme: Theme, *, reader: Reader) -> Booklet:
    """Return the cover and the group's pages of a copy for `reader`, without what is only for one member."""
    booklet = make_booklet(theme, sample.issue, reader, picks=(), news=())
    pages = tuple(
        page for number, page in enumerate(booklet.pages) if number == 0 or isinstance(page, ThemedPage)
    )
    return Booklet(booklet.language, booklet.title, booklet.colour, pages)


def named(session: Session, article_ids: Collection[int], shelf: Mapping[int, Offer]) -> dict[int, Named]:
    """Return how articles are called; those that were struck off the list are left out."""
    rows = session.execute(_ARTICLES.where(Article.article_id.in_(article_ids)))
    return {one.article_id: one for one in _named(session, rows, shelf)}


def alternatives(
    plan: EditionPlan,
    shelf: Mapping[int, Offer],
    *,
    placed: Collection[int],
    instead_of: Offer | None = None,
    count: int,
) -> list[Offer]:
    """
    Return what could stand on a page: of the group's ranking what the store has and no page shows yet.

    What is of the kind of `instead_of` comes first, the rest as the group ranks it.
    """
    taken = set(placed)
    fitting = [
        offer
        for article_id in plan.ranking
        if article_id not in taken and (offer := shelf.get(article_id)) is not None and _advertised(offer)
    ]
    if instead_of is not None:
        fitting.sort(key=lambda offer: offer.motif is not instead_of.motif)
    return fitting[:count]


def _advertised(offer: Offer) -> bool:
    return offer.price is not None and offer.motif.use is not Use.NEVER


def found(
    session: Session, words: str, shelf: Mapping[int, Offer], *, placed: Collection[int]
) -> list[Named]:
    """Return articles by name, SKU or GTIN, what the store has first."""
    wanted = words.strip()
    if not wanted:
        return []
    like = "%" + wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = session.execute(
        _ARTICLES.where(Article.name.ilike(like) | (Article.sku == wanted) | (Article.gtin == wanted))
        .order_by(Article.name, Article.article_id)
        .limit(200)
    )
    taken = set(placed)
    hits = [one for one in _named(session, rows, shelf) if one.article_id not in taken]
    return sorted(hits, key=lambda hit: hit.offer is None)[:MOST_FOUND]


def _named(session: Session, rows: Iterable[Any], shelf: Mapping[int, Offer]) -> list[Named]:
    words = read_sensitive(session)
    return [
        Named(
            row.article_id,
            row.name,
            row.sku,
            shelf.get(row.article_id),
            words.topic_of(row.department, row.category, row.type),
        )
        for row in rows
    ]
