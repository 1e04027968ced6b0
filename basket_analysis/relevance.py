"""
Which article for whom: members' items in the order in which they are likeliest to buy them next. Pure.

Candidates are what a member bought before and what members alike buy; days of the past, of which the outcome is known,
teach a gradient-boosted ranking what speaks for a purchase. There are two rankings: of everything, learnt from
the next two weeks, and of what a member never bought, learnt from the next six. What few data leave open follows by
popularity, so that every list is full. The same purchases give the same lists, to the bit.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from basket_analysis.baskets import Int32s, Int64s
from basket_analysis.relevance_blocks import Block, Plan, moment_of
from basket_analysis.relevance_features import Origin
from basket_analysis.relevance_kernels import BLOCK
from basket_analysis.relevance_purchases import FEWEST_BUYERS, KINDS, Floats, ItemPurchases, Kind
from basket_analysis.relevance_range import show_more_items

MIN_BASKETS = 5
"""Members with fewer baskets are not learnt from."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """
    Members' lists of one kind, a row each, best first: items, and scores that fall along a row.

    Rows are shorter than asked for only where fewer items can be ranked; -1 fills them up.
    """

    items: Int32s
    scores: Floats


PLANS: Final[dict[Kind, Plan]] = {
    "all": Plan(14, 4, 14, 120, 900, {"ease": 40, "alike": 30}, own=120, kept_negatives=0.6),
    "new": Plan(42, 4, 14, 120, 900, {"ease_new": 130, "alike_lately": 60, "alike": 60}, kept_negatives=0.5),
}

LEAVES: Final = {
    "objective": "cross_entropy",
    "num_leaves": 31,
    "learning_rate": 0.08,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.5,
    "lambda_l2": 5.0,
    "max_bin": 127,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "seed": 7,
    "verbose": -1,
}


@dataclass(slots=True)
class _Lessons:
    """Rows of features and whether they came true, gathered over days of the past."""

    features: list[Floats] = field(default_factory=list)
    outcomes: list[Floats] = field(default_factory=list)
    """1 came true, 0 did not; in between what came true, but not in the very next basket."""
    weights: list[Floats] = field(default_factory=list)
    """Small baskets count nearly as much as large ones, as each member's list is to be good."""


class RelevanceRanker:
    """Learns from a sample of members how to rank, and ranks any members, some at a time."""

    def __init__(self, plans: Mapping[Kind, Plan] = PLANS, *, kinds: tuple[Kind, ...] = KINDS) -> None:
        self._plans = plans
        self._kinds = kinds

    def fit(self, sample: ItemPurchases, buyers: Int64s) -> "RelevanceRanker":
        """Learn from `sample`; `buyers` are the members who ever bought each item, in the whole chain."""
        self.rankable_ = buyers >= FEWEST_BUYERS
        self._boosters: dict[Kind, Any] = {}
        for kind in self._kinds:
            plan = self._plans[kind]
            lessons = _Lessons()
            for number in range(plan.origins):
                day = sample.as_of - plan.horizon - plan.step * number
                self._learn_day(lessons, sample, kind, day, number)
            self._boosters[kind] = _boost(lessons, plan)
        self._now = moment_of(sample, sample.as_of, self._kinds)
        return self

    @property
    def learnt_(self) -> bool:
        """Whether there was enough past to learn every ranking from."""
        return all(booster is not None for booster in self._boosters.values())

    def _learn_day(self, lessons: _Lessons, sample: ItemPurchases, kind: Kind, day: int, number: int) -> None:
        plan = self._plans[kind]
        moment = moment_of(sample, day, (kind,))
        bought = _bought_in(sample, day, plan.horizon)
        outcome = bought if kind == "all" else np.setdiff1d(bought, moment.sample.key, assume_unique=True)
        came = np.bincount(outcome // max(sample.items, 1), minlength=sample.members) > 0
        chance = np.random.default_rng(1_000 * number + plan.horizon)
        members = np.flatnonzero(came & (moment.sample.baskets >= MIN_BASKETS)).astype(np.int32)
        if len(members) > plan.members:
            members = np.sort(chance.choice(members, plan.members, replace=False))
        known = moment.sample.buyers >= FEWEST_BUYERS
        soon = _next_baskets(sample, day, plan.horizon) if kind == "all" else outcome
        items = max(sample.items, 1)
        size = np.bincount(outcome // items, minlength=sample.members)
        for block in _blocks(members):
            asked = Block(moment, moment.sample, block, block, kind)
            keys, scores = asked.candidates(plan, known)
            true = np.isin(keys, outcome)
            kept = true | (chance.random(len(keys)) < plan.kept_negatives)
            if kept.any():
                keys = keys[kept]
                lessons.features.append(asked.features(keys, scores))
                lessons.outcomes.append(((true[kept] * 1.0 + np.isin(keys, soon)) / 2).astype(np.float32))
                weights = 1 / np.sqrt(np.maximum(size[keys // items], 2))
                lessons.weights.append(weights.astype(np.float32))

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
        for block in _blocks(np.arange(members.members, dtype=np.int32)):
            for kind in self._kinds:
                asked = Block(self._now, origin, block, own[block], kind)
                keys, judged = self._judge(asked, known)
                closed = known if kind == "new" else known[:0]
                found[kind].append(self._lists(block, keys, judged, closed, depth))
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
        keys, scores = asked.candidates(self._plans[asked.kind], self.rankable_, known)
        booster = self._boosters[asked.kind]
        if booster is None or not len(keys):
            return keys, asked.unlearnt(keys, scores)
        features = asked.features(keys, scores)
        return keys, booster.predict(features, raw_score=True, num_threads=1).astype(np.float32)

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


def _boost(lessons: _Lessons, plan: Plan) -> Any:
    """Return what was learnt; None where nothing could be."""
    outcomes = np.concatenate(lessons.outcomes or [_NOTHING])
    if (outcomes > 0).sum() < LEAST_LESSONS or (outcomes > 0).all():
        return None
    import lightgbm  # noqa: PLC0415 - heavy, and needed at night only

    weights = np.concatenate(lessons.weights)
    rows = lightgbm.Dataset(
        lessons.features, outcomes, weight=weights / weights.mean(), params=dict(LEAVES), free_raw_data=True
    )
    rows.construct()
    lessons.features.clear()
    return lightgbm.train(dict(LEAVES), rows, num_boost_round=plan.rounds)


_NOTHING: Floats = np.empty(0, np.float32)

DEPTH = 250
"""At least so long are lists while they are made: what comes next decides who sees what of the range."""

LEAST_LESSONS = 200
"""With fewer purchases to learn from, lists go by recency and by members alike."""


def _blocks(members: Int32s) -> Iterator[Int32s]:
    for first in range(0, len(members), BLOCK):
        yield members[first : first + BLOCK]


def _next_baskets(bought: ItemPurchases, day: int, horizon: int) -> Int64s:
    """Return the pairs of each member's first basket from `day` on, within `horizon` days."""
    within = np.flatnonzero((bought.day >= day) & (bought.day < day + horizon))
    first = np.full(bought.members, np.iinfo(np.int64).max)
    np.minimum.at(first, bought.member[within], bought.basket[within])
    rows = within[bought.basket[within] == first[bought.member[within]]]
    return np.unique(bought.member[rows].astype(np.int64) * max(bought.items, 1) + bought.item[rows])


def _bought_in(bought: ItemPurchases, day: int, horizon: int) -> Int64s:
    """Return the pairs bought from `day` on, within `horizon` days."""
    within = (bought.day >= day) & (bought.day < day + horizon)
    return np.unique(bought.member[within].astype(np.int64) * max(bought.items, 1) + bought.item[within])
