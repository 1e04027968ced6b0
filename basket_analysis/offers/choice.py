"""
From a member's ranking to what may really be offered: without what is private or refused, with a reason each. Pure.

Members with very few baskets have no habits to rank by: what their group buys, and rules from the little they bought,
rank for them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from typing import Final, NamedTuple

import numpy as np

from basket_analysis.mining.basket_rules import BasketRules, Ties
from basket_analysis.offers.popularity import Popularity
from basket_analysis.offers.reasons import Reason

OFTEN: Final = 3
"""From so many baskets on a member "often" buys an article."""

REGULAR: Final = 4
"""From so many on there is a rhythm by which it can be time again."""

LESS_PER_TIME: Final = log(0.5)
"""What was shown in vain counts half for each time; scores are logarithms of odds."""

TOLD_BY: Final = 40
"""So many of a member's own articles, the ones bought most lately, are asked what goes with them."""

GROUP_TASTE: Final = 1.3
"""What a group buys so many times more than all members is a reason."""

FEW_BASKETS: Final = 4
"""Members with fewer are ranked by rules; from here on trees find clearly more of what is bought next, and no less that is new."""


class Habit(NamedTuple):
    """What a member did with one article so far: baskets, days since the last, the mean pause where there is one."""

    baskets: int
    since: float
    gap: float | None
    recency: float

    @property
    def overdue(self) -> bool:
        """Whether by the member's own rhythm it is time again; not for what seems to have been given up."""
        return self.baskets >= REGULAR and self.gap is not None and 1 <= self.since / max(self.gap, 1) <= 3


@dataclass(frozen=True, slots=True)
class GroupTaste:
    """What a group buys: members who bought each article lately, and how many times more often than all members do."""

    buyers: Mapping[int, int] = field(default_factory=dict)
    times: Mapping[int, float] = field(default_factory=dict)
    about: Sequence[str] = ()
    """The categories that the group is about, the best tied first; empty for members without a theme."""


@dataclass(frozen=True, slots=True)
class Audience:
    """One member, as far as offers go."""

    habits: Mapping[int, Habit]
    own_categories: Collection[str]
    taste: GroupTaste
    closed: Collection[int] = ()
    """Articles not to be offered: refused, quieted by an open case, brought back."""
    closed_categories: Collection[str] = ()
    """Categories that were refused or are quieted: nothing of them is offered, nor are they named."""
    ignored: Mapping[int, int] = field(default_factory=dict)
    """How often an article was shown in vain."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A list as it is kept."""

    article_ids: list[int]
    scores: list[float]
    reasons: list[Reason]


class Chooser:
    """Makes lists of what the rules and the words of one chain allow."""

    def __init__(
        self, rules: BasketRules, category_of: Mapping[int, str | None], sensitive: Collection[int]
    ) -> None:
        self._rules = rules
        self._category_of = category_of
        self._sensitive = frozenset(sensitive)
        self._private = {category_of.get(article) for article in self._sensitive}

    def choose(
        self,
        ranking: Sequence[tuple[int, float]],
        audience: Audience,
        *,
        count: int,
        ties: Ties | None = None,
    ) -> Chosen:
        """Return the best `count` of `ranking` (articles with scores) that may be offered; `ties` saves looking at the audience again."""
        may = set(self._open([article for article, _ in ranking], audience))
        weighed = [
            (score + LESS_PER_TIME * audience.ignored.get(article, 0), article)
            for article, score in ranking
            if article in may
        ]
        weighed.sort(key=lambda one: (-one[0], one[1]))
        best = weighed[:count]
        going_with = (ties or self.ties_of(audience)).among([article for _, article in best])
        return Chosen(
            [article for _, article in best],
            [score for score, _ in best],
            [self._reason(article, audience, going_with) for _, article in best],
        )

    def ties_of(self, audience: Audience) -> Ties:
        """Return what goes with what the member bought, as far as reasons may name it: the same for lists of all kinds."""
        return self._rules.ties_with(self._telling(audience))

    def rank_by_rules(
        self, audience: Audience, popular: Popularity, *, new: bool, count: int
    ) -> list[tuple[int, float]]:
        """
        Return a ranking without habits: what the group buys, and what goes with what the member bought.

        Counts of a group are drawn to the chain's `popular` ones; a rule's adjusted lift multiplies them. With `new`, what was
        bought is left out. What may not be offered is left out too, and what is behind so many that `choose` cannot have it
        among the first `count`.
        """
        shares = popular.shares * popular.spread(audience.taste.times)
        scores = np.log(np.maximum(shares, 1e-9)) + popular.ties(self._rules, self._telling(audience))
        bought = popular.of(audience.habits)
        recency = {article: habit.recency for article, habit in audience.habits.items()}
        scores += np.log1p(20 * popular.placed(recency))
        left_out = popular.of(self._sensitive) | popular.of(audience.closed)
        left_out |= popular.of_categories(audience.closed_categories)
        if new:
            left_out |= bought
        open_to = np.flatnonzero(~left_out)
        order = open_to[np.lexsort((popular.articles[open_to], -scores[open_to]))]
        # What was shown in vain falls behind others, so that many more may come forward.
        first = order[: count + len(audience.ignored)]
        return list(zip(popular.articles[first].tolist(), scores[first].tolist(), strict=True))

    def _open(self, articles: Iterable[int], audience: Audience) -> list[int]:
        """Return those of `articles` that may be offered and named."""
        sensitive, closed = self._sensitive, audience.closed
        found = [article for article in articles if article not in sensitive and article not in closed]
        if not audience.closed_categories:
            return found
        category_of, categories = self._category_of, audience.closed_categories
        return [article for article in found if category_of.get(article) not in categories]

    def _telling(self, audience: Audience) -> list[int]:
        """Return the member's own articles that reasons may name, the ones bought most lately first."""
        habits = audience.habits
        own = sorted((-habits[article].recency, article) for article in self._open(habits, audience))
        return [article for _, article in own[:TOLD_BY]]

    def _reason(self, article: int, audience: Audience, ties: Mapping[int, tuple[float, int]]) -> Reason:
        habit = audience.habits.get(article)
        if habit is not None and habit.baskets >= OFTEN:
            return Reason("overdue" if habit.overdue else "often")
        if article in ties:
            other = ties[article][1]
            return Reason("goes_with", other, self._category_of.get(other))
        if audience.taste.times.get(article, 0.0) >= GROUP_TASTE and audience.taste.about:
            shared = [
                name
                for name in audience.taste.about
                if name in audience.own_categories
                and name not in self._private
                and name not in audience.closed_categories
            ]
            return Reason("group", None, shared[0] if shared else None)
        return Reason("popular")
