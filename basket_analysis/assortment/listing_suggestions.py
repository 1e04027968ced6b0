"""The night's listing suggestions: the learnt ranking of candidates, with the evidence that cards give for each."""

from collections.abc import Iterator

import numpy as np

from basket_analysis.assortment.listing import Candidate, ListingRanker
from basket_analysis.assortment.listing_intervals import TAIL
from basket_analysis.assortment.store_baskets import StoreBaskets
from basket_analysis.assortment.suggestions import Assortment, Suggested
from basket_analysis.distinct import distinct

LOOKED_AT = 5
"""So many times as many candidates are looked at as are suggested: some are bought by too few people."""

LATELY_WEEKS = 13
"""A store counts as selling an article when it did in so many weeks."""


class ListingSuggestions:
    """
    What stores that have never sold an article would gain with it, ranked by what the chain's past shows.

    `assortment` is fitted on the cards of the same stores and articles that `baskets` hold all sales of.
    """

    def __init__(self, assortment: Assortment, baskets: StoreBaskets) -> None:
        settings = assortment.settings
        self._assortment = assortment
        self._ranker = ListingRanker(min_store_baskets=settings.min_store_baskets).fit(baskets)
        self._ranked = {int(store) for store in map(baskets.stores.index, self._ranker.stores_)}
        self._stores = baskets.stores
        self._place = {sku: number for number, sku in enumerate(baskets.items)}
        self._penetrations: dict[int, float] = {}
        weeks = baskets.weeks or 0
        lately = baskets.between(max(0, weeks - LATELY_WEEKS), weeks).by_store.tocsc()
        self._sellers = [
            lately.indices[first:last]
            for first, last in zip(lately.indptr[:-1], lately.indptr[1:], strict=True)
        ]

    @property
    def learnt(self) -> bool:
        """Whether the ranking was learnt from the chain's past, or the past was too short."""
        return self._ranker.learnt_

    def suggest(self, store: int) -> list[Suggested]:
        """Return the articles that `store` might list, best first; none for a store with too few baskets."""
        if store not in self._ranked or not self._assortment.eligible_[store]:
            return []
        settings = self._assortment.settings
        found: list[Suggested] = []
        for candidate in self._ranker.rank(self._stores[store], top=LOOKED_AT * settings.per_kind):
            if len(found) == settings.per_kind:
                break
            found += self._suggested(store, candidate, rank=len(found) + 1)
        return found

    def _suggested(self, store: int, candidate: Candidate, *, rank: int) -> Iterator[Suggested]:
        """Yield the suggestion, if enough people bought the article and it would bring anything."""
        audience, settings = self._assortment.audience_, self._assortment.settings
        article = self._place[candidate.item]
        buyers = audience.buyers(article)
        sellers = self._sellers[article]
        worth = candidate.worth
        if worth is None or worth.per_week < 1 or len(buyers) < settings.min_households or not len(sellers):
            return
        similar = np.intersect1d(sellers, self._assortment.similar(store))
        own = self._shown(len(np.intersect1d(buyers, audience.households(store), assume_unique=True)))
        yield Suggested(
            store=store,
            kind="list",
            rank=rank,
            article=article,
            other=None,
            value_per_week=worth.per_week,
            # What is shown holds whether anything is sold or not: where nothing is in a case of ten, nothing is its lower end.
            low=0 if worth.unsold >= TAIL else worth.low,
            high=worth.high,
            households=len(buyers),
            baskets=len(self._assortment.baskets_with(article)),
            group=audience.group(article),
            evidence={
                "stores": len(similar),
                "chain_stores": len(sellers),
                "penetration": self._penetration(article),
                "own_households": own,
                "per_thousand_baskets": round(worth.rate),
                "transfer": round(worth.caught, 4),
                "groups": audience.served(store, buyers),
                "weeks": self._assortment.table_.weeks,
            },
        )

    def _penetration(self, article: int) -> float:
        """Return the share of the households that shop where the article is sold which buy it."""
        if article not in self._penetrations:
            audience = self._assortment.audience_
            reached = distinct(
                np.concatenate([audience.households(int(store)) for store in self._sellers[article]])
            )
            share = len(audience.buyers(article)) / max(1, len(reached))
            self._penetrations[article] = round(min(1.0, share), 4)
        return self._penetrations[article]

    def _shown(self, people: int) -> int | None:
        return people if people >= self._assortment.settings.min_people else None
