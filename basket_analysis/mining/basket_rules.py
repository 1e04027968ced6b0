"""
What goes with a basket in progress: the ties of size-adjusted rules, ready to be asked in microseconds.

The strength of a tie is the logarithm of its rule's adjusted lift: how many times more often two things lie in one
basket than by chance, among baskets of like size. Popularity times that many times is about the chance of the one
where the other is in the basket, so a strength may be added to the logarithm of any other chance.
"""

from array import array
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from math import log
from typing import Final
from uuid import UUID

Tie = tuple[float, int]
"""A strength, and the id of the article in the basket that it comes from."""

_NOWHERE: Final = -1


@dataclass(frozen=True, slots=True)
class PairRule:
    """Two things that a rule ties: ids of articles, or numbers of types or categories."""

    one: int
    other: int
    adjusted_lift: float


@dataclass(frozen=True, slots=True)
class FiledArticle:
    """The numbers of an article's type and category; -1 for one that no rule names."""

    article_id: int
    type_number: int
    category_number: int


@dataclass(frozen=True, slots=True)
class Ties:
    """What goes with the articles of one `basket`: the strongest ties to articles, types and categories, by their numbers."""

    basket: frozenset[int]
    by_article: Mapping[int, Tie]
    by_type: Mapping[int, Tie]
    by_category: Mapping[int, Tie]
    types: "array[int]"
    categories: "array[int]"

    def among(self, article_ids: Collection[int]) -> dict[int, Tie]:
        """Return which of the articles are tied to the basket, how strongly, and because of which of it; see `BasketRules.going_with`."""
        by_article, by_type, by_category = self.by_article, self.by_type, self.by_category
        if not (by_article or by_type or by_category):
            return {}
        types, categories = self.types, self.categories
        found: dict[int, Tie] = {}
        nothing: Tie = (0.0, _NOWHERE)
        end = len(types)
        for article_id in article_ids:
            if article_id in self.basket:
                continue
            best = by_article.get(article_id, nothing)
            if 0 <= article_id < end:
                tie = by_type.get(types[article_id], nothing)
                if tie[0] > best[0]:
                    best = tie
                tie = by_category.get(categories[article_id], nothing)
                if tie[0] > best[0]:
                    best = tie
            if best[0] > 0.0:
                found[article_id] = best
        return found


class BasketRules:
    """
    The ties of one run between articles, between types and between categories.

    Rules say nothing about directions here: what goes with tea goes with honey and the other way round. Ties of
    adjusted lift 1 and less are left out. `len` is the number of ties. Nothing changes after it is made, so threads
    may share it.
    """

    __slots__ = ("_articles", "_categories", "_category_of", "_type_of", "_types", "run_id")

    def __init__(
        self,
        run_id: UUID | None = None,
        *,
        articles: Iterable[PairRule] = (),
        types: Iterable[PairRule] = (),
        categories: Iterable[PairRule] = (),
        filed: Iterable[FiledArticle] = (),
    ) -> None:
        self.run_id = run_id
        self._articles = _neighbours(articles)
        self._types = _neighbours(types)
        self._categories = _neighbours(categories)
        known = list(filed)
        last = max((article.article_id for article in known), default=-1)
        self._type_of = array("i", [_NOWHERE]) * (last + 1)
        self._category_of = array("i", [_NOWHERE]) * (last + 1)
        for article in known:
            self._type_of[article.article_id] = article.type_number
            self._category_of[article.article_id] = article.category_number

    def __len__(self) -> int:
        """Return how many pairs are tied."""
        levels = (self._articles, self._types, self._categories)
        return sum(len(others) for level in levels for others in level.values()) // 2

    def going_with(self, article_ids: Collection[int], *, among: Collection[int]) -> dict[int, Tie]:
        """
        Return which of the articles `among` go with those in the basket, how strongly, and because of which of them.

        The best tie counts, of whichever article of the basket and at whichever level it is; of equal ones that of
        the article scanned first. Articles in the basket already are not among the answer.
        """
        return self.ties_with(article_ids).among(among)

    def ties_with(self, article_ids: Collection[int]) -> "Ties":
        """Return what goes with a basket, to be asked for several lists of articles."""
        return Ties(frozenset(article_ids), *self.ties_of(article_ids), self._type_of, self._category_of)

    def ties_of(self, article_ids: Collection[int]) -> tuple[dict[int, Tie], dict[int, Tie], dict[int, Tie]]:
        """Return the strongest ties of the articles in the basket: to articles, to types and to categories, by their numbers."""
        types, categories = self._type_of, self._category_of
        known = [article_id for article_id in article_ids if 0 <= article_id < len(types)]
        return (
            _strongest(self._articles, article_ids, article_ids),
            _strongest(self._types, [types[article_id] for article_id in known], known),
            _strongest(self._categories, [categories[article_id] for article_id in known], known),
        )

    @property
    def filed_numbers(self) -> tuple["array[int]", "array[int]"]:
        """The numbers of types and of categories by article id, -1 for what no rule names; not to be changed."""
        return self._type_of, self._category_of


def _neighbours(rules: Iterable[PairRule]) -> dict[int, tuple[tuple[int, float], ...]]:
    """Return what each thing is tied to, and how strongly."""
    strengths: dict[int, dict[int, float]] = {}
    for rule in rules:
        if rule.adjusted_lift > 1.0:
            strength = log(rule.adjusted_lift)
            strengths.setdefault(rule.one, {})[rule.other] = strength
            strengths.setdefault(rule.other, {})[rule.one] = strength
    return {thing: tuple(others.items()) for thing, others in strengths.items()}


def _strongest(
    neighbours: Mapping[int, tuple[tuple[int, float], ...]],
    things: Collection[int],
    article_ids: Collection[int],
) -> dict[int, Tie]:
    """Return the strongest tie to each thing that `things` in the basket are tied to; each stands for an article."""
    found: dict[int, Tie] = {}
    seen = set()
    for thing, article_id in zip(things, article_ids, strict=True):
        if thing in seen:
            continue
        seen.add(thing)
        for other, strength in neighbours.get(thing, ()):
            if other not in found or strength > found[other][0]:
                found[other] = (strength, article_id)
    return found
