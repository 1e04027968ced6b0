"""
Which article for whom: members' items in the order in which they are likeliest to buy them next. Pure.

Candidates are what a member bought before and what members alike buy; days of the past, of which the outcome is known,
teach a gradient-boosted ranking what speaks for a purchase. There are two rankings: of everything, learnt from
the next two weeks, and of what a member never bought, learnt from the next six. What few data leave open follows by
popularity, so that every list is full. The same purchases give the same lists, to the bit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from basket_analysis.baskets import Int32s, Int64s
from basket_analysis.offers.compiled_trees import FlatTrees
from basket_analysis.offers.relevance_blocks import Block, Plan, blocks_of, moment_of
from basket_analysis.offers.relevance_features import Origin
from basket_analysis.offers.relevance_lessons import (
    Trees,
    blocks,
    columns_of,
    judge_of,
    learn_trees,
    settings_of,
)
from basket_analysis.offers.relevance_purchases import FEWEST_BUYERS, KINDS, Floats, ItemPurchases, Kind
from basket_analysis.offers.relevance_range import show_more_items


@dataclass(frozen=True, slots=True)
class Ranked:
    """
    Members' lists of one kind, a row each, best first: items, and scores that fall along a row.

    Rows are shorter than asked for only where fewer items can be ranked; -1 fills them up.
    """

    items: Int32s
    scores: Floats


PLANS: Final[dict[Kind, Plan]] = {
    "all": Plan(14, 7, 7, 250, 1_200, {"ease": 40, "alike": 30}, own=120, kept_negatives=0.5),
    "new": Plan(
        42, 3, 14, 200, 1_600, {"ease_new": 130, "alike_lately": 60, "alike": 60}, kept_negatives=0.4
    ),
}


class RelevanceRanker:
    """Learns from a sample of members how to rank, and ranks any members, some at a time."""

    def __init__(self, plans: Mapping[Kind, Plan] = PLANS, *, kinds: tuple[Kind, ...] = KINDS) -> None:
        self._plans = plans
        self._kinds = kinds
        self.trees_: dict[Kind, Trees] = {}
        """What was learnt, by kind."""
        self._judges: dict[Kind, FlatTrees | None] = {}

    def fit(self, sample: ItemPurchases, buyers: Int64s) -> "RelevanceRanker":
        """Learn from `sample`; `buyers` are the members who ever bought each item, in the whole chain."""
        self.learn(sample)
        return self.look(sample, buyers)

    def learn(self, sample: ItemPurchases) -> None:
        """Grow trees from what happened to `sample`."""
        for kind, trees in learn_trees(sample, {kind: self._plans[kind] for kind in self._kinds}).items():
            self._keep(kind, trees)

    def take(self, learnt: Mapping[Kind, Trees], sample: ItemPurchases) -> bool:
        """
        Use trees `learnt` before, and return True; False where they were grown from other columns than `sample` has today.

        Where there was too little to learn from, False too: there may be more by now.
        """
        for kind in self._kinds:
            if kind not in learnt or not learnt[kind].text or not sample.members:
                return False
            if learnt[kind].settings != settings_of(self._plans[kind], columns_of(sample, kind)):
                return False
        for kind in self._kinds:
            self._keep(kind, learnt[kind])
        return True

    def look(self, sample: ItemPurchases, buyers: Int64s) -> "RelevanceRanker":
        """See what `sample` likes today; what was learnt may be older."""
        self.rankable_ = buyers >= FEWEST_BUYERS
        self._now = moment_of(sample, sample.as_of, self._kinds)
        return self

    def _keep(self, kind: Kind, trees: Trees) -> None:
        self.trees_[kind] = trees
        self._judges[kind] = judge_of(trees)

    @property
    def learnt_(self) -> bool:
        """Whether there was enough past to learn every ranking from."""
        return all(self._judges.get(kind) is not None for kind in self._kinds)

    @property
    def today(self) -> Origin:
        """What was known of the sample today: for who ranks the sample itself."""
        return self._now.sample

    def rank(
        self, members: ItemPurchases, *, own: Int32s, count: int, origin: Origin | None = None
    ) -> dict[Kind, Ranked]:
        """
        Return the lists of all `members`, `count` long.

        `own` are their rows in the sample that was learnt from, -1 for who is not in it; `origin` saves
        looking at their purchases again.
        """
        origin = origin or Origin(members, members.as_of)
        depth = max(count, DEPTH)
        found: dict[Kind, list[Ranked]] = {kind: [] for kind in self._kinds}
        known = members.known
        for block in blocks(np.arange(members.members, dtype=np.int32)):
            for asked in blocks_of(self._now, origin, block, own[block], self._kinds):
                keys, judged = self._judge(asked, known)
                closed = known if asked.kind == "new" else known[:0]
                found[asked.kind].append(self._lists(block, keys, judged, closed, depth))
        lists = {
            kind: Ranked(
                np.concatenate([part.items for part in parts] or [np.empty((0, depth), np.int32)]),
                np.concatenate([part.scores for part in parts] or [np.empty((0, depth), np.float32)]),
            )
            for kind, parts in found.items()
        }
        if "new" in lists:
            show_more_items(lists["new"].items, lists["new"].scores, int(self.rankable_.sum()))
        return {kind: Ranked(one.items[:, :count], one.scores[:, :count]) for kind, one in lists.items()}

    def _judge(self, asked: Block, known: Int64s) -> tuple[Int64s, Floats]:
        """Return the candidates of a block of members, and what they were judged to be worth."""
        keys = asked.candidates(self._plans[asked.kind], self.rankable_, known)
        judge = self._judges.get(asked.kind)
        if judge is None or not len(keys):
            return keys, asked.unlearnt(keys)
        _, features = asked.features(keys)
        return keys, judge.predict(features).astype(np.float32)

    def _lists(self, block: Int32s, keys: Int64s, judged: Floats, closed: Int64s, count: int) -> Ranked:
        """Return the lists of a block: the candidates as judged, then what is popular and not `closed`."""
        items = len(self.rankable_)
        count_here = min(count, int(self.rankable_.sum()))
        listed = np.full((len(block), count), -1, np.int32)
        scores = np.zeros((len(block), count), np.float32)
        owner = np.searchsorted(block, keys // max(items, 1))
        order = np.lexsort((keys, -judged, owner))
        bounds = np.searchsorted(owner[order], np.arange(len(block) + 1))
        popular = self._popular
        for row in range(len(block)):
            mine = order[bounds[row] : bounds[row + 1]][:count_here]
            listed[row, : len(mine)] = keys[mine] % items
            scores[row, : len(mine)] = judged[mine]
            missing = count_here - len(mine)
            if missing > 0:
                taken = listed[row, : len(mine)]
                first, last = np.searchsorted(
                    closed, [int(block[row]) * items, (int(block[row]) + 1) * items]
                )
                taken = np.concatenate([taken, (closed[first:last] % items).astype(np.int32)])
                rest = popular[~np.isin(popular, taken)][:missing]
                listed[row, len(mine) : len(mine) + len(rest)] = rest
                least = scores[row, len(mine) - 1] if len(mine) else 0.0
                scores[row, len(mine) : len(mine) + len(rest)] = least - 1 - np.arange(len(rest)) / count
        return Ranked(listed, scores)

    @property
    def _popular(self) -> Int32s:
        """The items that can be ranked, by members who bought them in the last eight weeks, then ever."""
        recent, ever = self._now.sample.buyers_within(56), self._now.sample.buyers
        order = np.lexsort((np.arange(len(ever)), -ever, -recent)).astype(np.int32)
        return order[self.rankable_[order]]


DEPTH = 250
"""At least so long are lists while they are made: what comes next decides who sees what of the range."""
