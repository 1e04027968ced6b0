"""The question put to a ranking: which items are worth judging for some members, and what speaks for each. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from basket_analysis.baskets import Int32s, Int64s
from basket_analysis.offers.relevance_features import Origin, at_pairs
from basket_analysis.offers.relevance_kernels import Score
from basket_analysis.offers.relevance_purchases import Floats, ItemPurchases, Kind, distinct
from basket_analysis.offers.relevance_tastes import Tastes


@dataclass(frozen=True, slots=True)
class Plan:
    """How one kind of list is learnt: from how many days of the past, how far apart, and by what they say."""

    horizon: int
    origins: int
    step: int
    rounds: int
    members: int
    """So many members of a day are learnt from at most."""
    from_others: Mapping[str, int]
    """How many of the best by each score are candidates."""
    own: int = 0
    """How many of what the member bought before, by recency."""
    kept_negatives: float = 1.0


@dataclass(frozen=True, slots=True)
class Moment:
    """One day as the members that are learnt from, and their tastes, were known then."""

    sample: Origin
    tastes: Tastes


def moment_of(sample: ItemPurchases, day: int, kinds: tuple[Kind, ...]) -> Moment:
    """Return what was known of `sample` before `day`, as lists of `kinds` need it."""
    origin = Origin(sample, day)
    return Moment(origin, Tastes(origin, kinds))


def blocks_of(
    moment: Moment, origin: Origin, members: Int32s, own: Int32s, kinds: tuple[Kind, ...]
) -> list["Block"]:
    """Return a block of `members` of `origin` for each of `kinds`; `own` are their rows in the sample, -1 for who is not in it."""
    scores = moment.tastes.scores(origin, members, own, kinds)
    return [Block(moment, origin, members, kind, scores[kind]) for kind in kinds]


@dataclass(frozen=True, slots=True)
class Block:
    """Some members, a run of numbers of `origin`, for whom a kind of list is wanted, and the scores that items have for them."""

    moment: Moment
    origin: Origin
    members: Int32s
    kind: Kind
    scores: Mapping[str, Score]

    def candidates(self, plan: Plan, rankable: NDArray[np.bool_], known: Int64s | None = None) -> Int64s:
        """
        Return the pairs to judge, rising.

        `known` are the pairs ever bought, where they reach further back than the origin's.
        """
        origin, items = self.origin, self.origin.items
        mine = _of_members(origin.key, self.members, items)
        bought = origin.key[mine] if known is None else known[_of_members(known, self.members, items)]
        closed = np.zeros((len(self.members), items), np.bool_)
        closed[:, ~rankable] = True
        if self.kind == "new":
            closed[np.searchsorted(self.members, bought // max(items, 1)), bought % max(items, 1)] = True
        found = [np.empty(0, np.int64), self._own(plan.own, mine, rankable)]
        for name, count in plan.from_others.items():
            most = min(count, items)
            if not most:
                continue
            judged = self.scores[name].of_all()
            judged[closed] = -np.inf
            least = np.partition(judged, -most, axis=1)[:, -most][:, None]
            row, item = np.nonzero((judged >= least) & (judged > -np.inf))
            found.append(self.members[row].astype(np.int64) * items + item)
        return distinct(np.concatenate(found))

    def _own(self, count: int, mine: Int64s, rankable: NDArray[np.bool_]) -> Int64s:
        """Return the pairs at the places `mine` that were bought most lately, up to `count` per member."""
        origin = self.origin
        if not count or not len(mine):
            return np.empty(0, np.int64)
        recency = origin.pairs["recency_90"][mine] + origin.pairs["recency_20"][mine]
        owner, allowed = origin.pair_member[mine], rankable[origin.pair_item[mine]]
        order = np.lexsort((-recency, ~allowed, owner))
        place = np.arange(len(order)) - np.searchsorted(owner[order], owner[order])
        return origin.key[mine[order[(place < count) & allowed[order]]]]

    def features(self, keys: Int64s) -> tuple[tuple[str, ...], Floats]:
        """Return the names of columns and the columns of `keys`, which are all candidates; always the same ones in order."""
        origin, items = self.origin, max(self.origin.items, 1)
        member, item = (keys // items).astype(np.int32), (keys % items).astype(np.int32)
        row = np.searchsorted(self.members, member)
        repeats = self.kind == "all"
        compared = not repeats and "type" in origin.groups
        columns: dict[str, NDArray[Any]] = {}
        if repeats:
            columns.update(at_pairs(origin.pairs, origin.key, keys))
        columns.update({name: column[member] for name, column in origin.of_member.items()})
        of_item = self.moment.sample.of_item
        columns.update({name: column[item] for name, column in of_item.items()})
        for name, (group, known, of_group) in origin.of_group.items():
            wanted = member.astype(np.int64) * (int(group.max(initial=0)) + 1) + group[item]
            found = at_pairs(of_group, known, wanted)
            level = found.pop("level")
            if name in PRICED and compared:
                found["dearer"] = np.log(np.maximum(of_item["i_price"][item], 1)) - level
            columns.update({f"{name}_{column}": values for column, values in found.items()})
            if repeats:
                columns[f"{name}_loyal"] = columns["recency_90"] / np.maximum(found["recency_120"], 1e-3)
        told = {name: score.at(row, item) for name, score in self.scores.items()}
        columns.update({f"s_{name}": values for name, values in told.items()})
        columns.update({f"place_{name}": _places(told[name], row) for name in PLACED if name in told})
        columns["dear"] = of_item["i_price"][item] / np.maximum(origin.of_member["m_price"][member], 1)
        if compared:
            columns["closest"], columns["together"] = self.moment.tastes.likeness.to_own(
                origin.histories(120, self.members), row, item, origin.groups["type"]
            )
        if repeats:
            usual = of_item["i_gap"][item]
            columns["overdue_for_all"] = columns["since"] / np.maximum(usual, 1)
            pause = (columns["span"] + 2 * np.where(usual > 0, usual, USUAL_GAP)) / (columns["baskets"] + 1)
            columns["hazard"] = columns["since"] / pause
        return tuple(columns), np.column_stack(list(columns.values())).astype(np.float32)

    def unlearnt(self, keys: Int64s) -> Floats:
        """Return what `keys` are worth where nothing was learnt: what members alike buy."""
        items = max(self.origin.items, 1)
        row = np.searchsorted(self.members, keys // items)
        return self.scores["alike"].at(row, (keys % items).astype(np.int32))


PLACED = ("ease_new", "alike_lately", "factors")
"""Scores of which a candidate's place among the member's candidates is told too."""

PRICED = ("type", "category")
"""Groups within which a new article is told to be dearer or cheaper than what the member takes of them."""

USUAL_GAP = 60
"""Days after which what nobody bought twice is taken to be bought again."""


def _places(values: Floats, owner: Int64s) -> Floats:
    """Return the place of each value among those of its owner, from 0 for the highest."""
    order = np.lexsort((-values, owner))
    among = owner[order]
    places = np.empty(len(values), np.float32)
    places[order] = np.arange(len(order)) - np.searchsorted(among, among)
    return places


def _of_members(keys: Int64s, members: Int32s, items: int) -> Int64s:
    """Return the places of the keys of `members`, which rise."""
    if not len(members):
        return np.empty(0, np.int64)
    first, last = np.searchsorted(keys, [int(members[0]) * items, (int(members[-1]) + 1) * items])
    among = np.zeros(int(members[-1]) - int(members[0]) + 1, np.bool_)
    among[members - members[0]] = True
    places: Int64s = first + np.flatnonzero(among[keys[first:last] // max(items, 1) - int(members[0])])
    return places
