"""What the whole chain bought lately, as arrays: the ranking of members who have no habits yet. Pure."""

from collections.abc import Collection, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from basket_analysis.baskets import Int64s
from basket_analysis.mining.basket_rules import BasketRules

Doubles = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Popularity:
    """
    The articles that members bought lately, rising by id, and the share of members who did.

    `buyers` are the members who bought each, of `members` in all; `category_of` files articles.
    """

    def __init__(
        self, buyers: Mapping[int, int], *, members: int, category_of: Mapping[int, str | None]
    ) -> None:
        self.articles: Int64s = np.array(sorted(buyers), np.int64)
        self.shares: Doubles = np.array([buyers[article] for article in sorted(buyers)]) / max(members, 1)
        names = [category_of.get(article) for article in self.articles.tolist()]
        self._category_number = {name: number for number, name in enumerate(dict.fromkeys(names))}
        self._categories = np.array([self._category_number[name] for name in names], np.int64)
        self._spread: dict[int, tuple[Mapping[int, float], Doubles]] = {}

    def spread(self, values: Mapping[int, float]) -> Doubles:
        """Return what `values`, which stay as they are, say of each article; 1 where they say nothing."""
        kept = self._spread.get(id(values))
        if kept is None or kept[0] is not values:
            kept = self._spread[id(values)] = (values, self._placed(values, missing=1.0))
        return kept[1]

    def placed(self, values: Mapping[int, float]) -> Doubles:
        """Return what `values` say of each article; 0 where they say nothing."""
        return self._placed(values, missing=0.0)

    def of(self, articles: Collection[int]) -> Flags:
        """Return which of the articles these are."""
        found = np.zeros(len(self.articles), np.bool_)
        found[self._places(articles)[0]] = True
        return found

    def of_categories(self, names: Iterable[str]) -> Flags:
        """Return which articles are filed under these categories."""
        numbers = [self._category_number[name] for name in names if name in self._category_number]
        return np.isin(self._categories, numbers)

    def ties(self, rules: BasketRules, basket: Collection[int]) -> Doubles:
        """Return how strongly each article goes with those in `basket`, as `BasketRules.going_with` says; 0 where it does not."""
        by_article, by_type, by_category = rules.ties_of(basket)
        strengths = self.placed({article: tie[0] for article, tie in by_article.items()})
        for of_article, ties in zip(rules.filed_numbers, (by_type, by_category), strict=True):
            numbers = np.full(len(self.articles), -1, np.int64)
            known = self.articles < len(of_article)
            numbers[known] = np.frombuffer(of_article, np.dtype("i"))[self.articles[known]]
            of_number = np.zeros(max(int(numbers.max(initial=-1)), max(ties, default=-1)) + 2)
            for number, tie in ties.items():
                of_number[number] = tie[0]  # the last place, which no number has, stands for none
            strengths = np.maximum(strengths, of_number[numbers])
        strengths[self.of(basket)] = 0.0
        return strengths

    def _placed(self, values: Mapping[int, float], *, missing: float) -> Doubles:
        found = np.full(len(self.articles), missing)
        places, known = self._places(values)
        found[places] = np.fromiter(values.values(), np.float64, len(values))[known]
        return found

    def _places(self, articles: Collection[int]) -> tuple[Int64s, Flags]:
        """Return the places of those of `articles` that there are, and which ones these are."""
        wanted = np.fromiter(articles, np.int64, len(articles))
        places = np.searchsorted(self.articles, wanted)
        known = np.zeros(len(wanted), np.bool_)
        inside = places < len(self.articles)
        known[inside] = self.articles[places[inside]] == wanted[inside]
        return places[known], known
