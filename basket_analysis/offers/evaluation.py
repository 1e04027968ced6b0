"""
How good personal rankings are: what members bought after a day against lists made from what was before it. Pure.

Tasks: the first basket after the day (nb), the next two weeks (w2), the next six (w6). An item can be ranked when at least five
members bought it before; members are asked for who had five baskets before and bought any such item in the six weeks.
Measures per member, then their mean over members with anything to find:

    recall@K = |first K ∩ bought| / |bought|
    NDCG@K = Σ 1[item at place r was bought] / log2(r + 1)  over the same sum with all bought items first

`new` counts only what a member had never bought before, in lists without it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from basket_analysis.baskets import Int32s, Int64s
from basket_analysis.offers.relevance_features import Origin
from basket_analysis.offers.relevance_kernels import learn_ease
from basket_analysis.offers.relevance_purchases import FEWEST_BUYERS, Floats, ItemPurchases

LENGTH: Final = 20
MIN_BASKETS: Final = 5
REPEATS: Final = 1000
BLOCK: Final = 256
WEEKS: Final = 6

MEASURES: Final = (
    "next basket recall@10",
    "two weeks NDCG@10",
    "new, six weeks recall@20",
    "coverage@20 (new)",
)

OURS: Final = "Regulars"
NULL: Final = "Regulars, lists handed to others"


class Lists(NamedTuple):
    """The first `LENGTH` items for each member, a row each, best first; -1 where there are no more."""

    all: Int32s
    new: Int32s


class Scored(NamedTuple):
    """What a method gives every item for some members, a row each: for all items, and for those new to them."""

    members: Int32s
    all: Floats
    new: Floats


Method = Callable[[ItemPurchases], Iterator[Scored]]
"""Scores all members by their purchases, some members at a time."""


@dataclass(frozen=True)
class Outcome:
    """What members bought after the day, a row per basket and item, baskets in the order of time."""

    member: Int32s
    basket: Int32s
    day: Int32s
    item: Int32s


@dataclass(frozen=True, slots=True)
class OfferRow:
    """A method's measures, in the order of `MEASURES`: means, their 95 % intervals, and those of ours less its."""

    method: str
    means: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    behind_low: tuple[float, ...] | None
    behind_high: tuple[float, ...] | None


@dataclass(frozen=True, slots=True)
class OfferEvaluation:
    """The rows of the protocol, and what they rest on."""

    level: str
    members: int
    items: int
    rows: tuple[OfferRow, ...]


class Protocol:
    """The truths of one day, and what lists are worth against them."""

    def __init__(self, bought: ItemPurchases, buyers: Int64s, outcome: Outcome) -> None:
        self.rankable = buyers >= FEWEST_BUYERS
        self._width = max(bought.items, 1)
        baskets = np.unique(
            bought.member * (int(bought.basket.max(initial=0)) + 1) + bought.basket.astype(np.int64)
        )
        count = np.bincount(baskets // (int(bought.basket.max(initial=0)) + 1), minlength=bought.members)
        kept = self.rankable[outcome.item] & (count[outcome.member] >= MIN_BASKETS)
        kept &= (outcome.day >= bought.as_of) & (outcome.day < bought.as_of + 7 * WEEKS)
        member, basket, day, item = (
            column[kept] for column in (outcome.member, outcome.basket, outcome.day, outcome.item)
        )
        key = member.astype(np.int64) * self._width + item
        self.members = np.unique(member)
        first = np.full(bought.members, np.iinfo(np.int32).max, np.int64)
        np.minimum.at(first, member, basket)
        self._known = bought.known
        self._next = np.unique(key[basket == first[member]])
        self._two_weeks = np.unique(key[day < bought.as_of + 14])
        self._new = np.setdiff1d(np.unique(key), self._known)

    def measure(self, lists: Lists) -> tuple[list[Floats], float]:
        """Return the first three measures of every member with anything to find, and the share of items shown as new."""
        found = [
            self._recall(lists.all, self._next, 10),
            self._ndcg(lists.all, self._two_weeks, 10),
            self._recall(lists.new, self._new, 20),
        ]
        shown = np.unique(lists.new[self.members])
        return found, float((shown >= 0).sum() / max(1, int(self.rankable.sum())))

    def _hits(self, lists: Int32s, truth: Int64s, depth: int) -> tuple[NDArray[np.bool_], Int64s]:
        of = np.bincount(truth // self._width, minlength=len(lists))
        asked = self.members[of[self.members] > 0]
        chosen = lists[asked, :depth]
        keys = asked[:, None].astype(np.int64) * self._width + chosen
        return np.isin(keys, truth) & (chosen >= 0), of[asked]

    def _recall(self, lists: Int32s, truth: Int64s, depth: int) -> Floats:
        hits, bought = self._hits(lists, truth, depth)
        recall: Floats = (hits.sum(axis=1) / bought).astype(np.float32)
        return recall

    def _ndcg(self, lists: Int32s, truth: Int64s, depth: int) -> Floats:
        hits, bought = self._hits(lists, truth, depth)
        discount = 1.0 / np.log2(np.arange(2, 2 + depth))
        best = np.concatenate([[0.0], np.cumsum(discount)])[np.minimum(bought, depth)]
        ndcg: Floats = ((hits * discount).sum(axis=1) / best).astype(np.float32)
        return ndcg

    def lists_of(self, bought: ItemPurchases, method: Method) -> Lists:
        """Return the lists that a method's scores make; equal scores stand in the order of items."""
        found = Lists(*(np.full((bought.members, LENGTH), -1, np.int32) for _ in range(2)))
        for members, scores, new_scores in method(bought):
            first, last = np.searchsorted(
                self._known, [members[0] * self._width, (int(members[-1]) + 1) * self._width]
            )
            known = self._known[first:last]
            rows = np.searchsorted(members, known // self._width)
            found.all[members] = _best(np.where(self.rankable, scores, -np.inf))
            new = np.where(self.rankable, new_scores, -np.inf)
            new[rows, known % self._width] = -np.inf
            found.new[members] = _best(new)
        return found


def _best(scores: NDArray[np.floating]) -> Int32s:
    """Return the columns of the highest scores of each row, best first; -1 for what may not be shown."""
    most = min(LENGTH, scores.shape[1])
    near = np.sort(np.argpartition(-scores, most - 1, axis=1)[:, :most], axis=1)
    values = np.take_along_axis(scores, near, 1)
    order = np.argsort(-values, axis=1, kind="stable")
    best = np.full((len(scores), LENGTH), -1, np.int32)
    ranked = np.take_along_axis(near, order, 1)
    best[:, :most] = np.where(np.isfinite(np.take_along_axis(values, order, 1)), ranked, -1)
    return best


def evaluate_offers(
    level: str,
    bought: ItemPurchases,
    buyers: Int64s,
    outcome: Outcome,
    *,
    ours: Lists,
    methods: Mapping[str, Method],
    seed: int = 7,
) -> OfferEvaluation:
    """
    Hold our lists, the same ones each handed to another member, and those of `methods` against what was bought.

    Intervals draw members with replacement, differences the same members for both.
    """
    protocol = Protocol(bought, buyers, outcome)
    others = ours
    if len(protocol.members):
        swapped = [rows.copy() for rows in ours]
        for mine, theirs in zip(swapped, ours, strict=True):
            mine[protocol.members] = theirs[np.roll(protocol.members, 1)]
        others = Lists(*swapped)
    chance = np.random.default_rng(seed)
    reference, covered = protocol.measure(ours)
    rows = [_row(OURS, reference, covered, None, chance)]
    measured = [(NULL, others)] + [
        (name, protocol.lists_of(bought, method)) for name, method in methods.items()
    ]
    for name, lists in measured:
        found, share = protocol.measure(lists)
        rows.append(_row(name, found, share, reference, chance))
    return OfferEvaluation(level, len(protocol.members), int(protocol.rankable.sum()), tuple(rows))


def _row(
    name: str,
    found: Sequence[Floats],
    covered: float,
    reference: Sequence[Floats] | None,
    chance: np.random.Generator,
) -> OfferRow:
    drawn = [
        chance.integers(0, len(values), (REPEATS, len(values))) if len(values) else None for values in found
    ]

    def interval(columns: Sequence[Floats]) -> tuple[tuple[float, ...], tuple[float, ...]]:
        bounds = [
            np.percentile(values[draws].mean(axis=1), [2.5, 97.5]) if draws is not None else (0.0, 0.0)
            for values, draws in zip(columns, drawn, strict=True)
        ]
        return tuple(float(low) for low, _ in bounds), tuple(float(high) for _, high in bounds)

    low, high = interval(found)
    behind = (
        interval([ours - values for ours, values in zip(reference, found, strict=True)])
        if reference
        else None
    )
    means = tuple(float(values.mean()) if len(values) else 0.0 for values in found)
    return OfferRow(name, (*means, covered), low, high, *(behind or (None, None)))


def blocks(bought: ItemPurchases) -> Iterator[Int32s]:
    """Yield all members, some at a time."""
    everybody = np.arange(bought.members, dtype=np.int32)
    for first in range(0, bought.members, BLOCK):
        yield everybody[first : first + BLOCK]


def personal(weight: Callable[[Int32s], Floats]) -> Method:
    """Return the method that adds up `weight`(days since) of a member's baskets with an item, then popularity."""

    def scored(bought: ItemPurchases) -> Iterator[Scored]:
        popular = Origin(bought, bought.as_of).buyers_within(56).astype(np.float32)
        behind = popular / (popular.max(initial=1.0) * 1e4)
        values = weight(bought.as_of - bought.day)
        starts = np.searchsorted(bought.member, np.arange(bought.members + 1))
        for members in blocks(bought):
            lines = slice(starts[members[0]], starts[members[-1] + 1])
            scores = np.tile(behind, (len(members), 1))
            np.add.at(scores, (bought.member[lines] - members[0], bought.item[lines]), values[lines])
            yield Scored(members, scores, np.broadcast_to(popular, scores.shape))

    return scored


def popularity(bought: ItemPurchases) -> Iterator[Scored]:
    """Score items by the members who bought them in the last eight weeks."""
    popular = Origin(bought, bought.as_of).buyers_within(56).astype(np.float32)
    for members in blocks(bought):
        scores = np.broadcast_to(popular, (len(members), bought.items))
        yield Scored(members, scores, scores)


def ease(bought: ItemPurchases) -> Iterator[Scored]:
    """Score items by what the rest of a member's items foretells: EASE, on log(1 + recency), λ 50, and 600 for new ones."""
    again, anew = (histories(bought, half_life) for half_life in (90, 180))
    of_all, of_new = learn_ease(again, 50), learn_ease(anew, 600)
    for members in blocks(bought):
        told_of_all, told_of_new = of_all.score(again[members], members), of_new.score(anew[members], members)
        yield Scored(members, told_of_all.of_all(), told_of_new.of_all())


def histories(bought: ItemPurchases, half_life: float) -> Any:
    """Return members by items, sparse: the logarithm of 1 and what was bought, half as much after each half-life."""
    weights = (0.5 ** ((bought.as_of - bought.day) / half_life)).astype(np.float32)
    table = sparse.csr_matrix(
        (weights, (bought.member, bought.item)), shape=(bought.members, bought.items), dtype=np.float32
    )
    table.sum_duplicates()
    return table.log1p()


def _once(age: Int32s) -> Floats:
    return np.ones(len(age), np.float32)


def _fading(age: Int32s) -> Floats:
    fading: Floats = (0.5 ** (age / 90.0)).astype(np.float32)
    return fading


SIMPLE: Final[Mapping[str, Method]] = {
    "popularity of eight weeks": popularity,
    "personal frequency": personal(_once),
    "personal recency, half-life 90 days": personal(_fading),
    "EASE": ease,
}
"""What is simple enough to ask whether more is needed; more of them are in the benchmark `relevance`."""
