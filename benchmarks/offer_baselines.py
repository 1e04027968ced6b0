"""
Ways to rank what somebody buys next, from the literature: what our ranking is held against.

Each is a `Method` of `basket_analysis.offers.evaluation`: purchases in, scores of every item out, some members at a
time. Settings are those of the papers or near them; those of ALS are the best of four that were tried on the weeks it is
measured by.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from scipy import sparse

from basket_analysis.offers.evaluation import Method, Scored, blocks, histories
from basket_analysis.offers.relevance_purchases import ItemPurchases

NEIGHBOURS: Final = 300


def tifu_knn(bought: ItemPurchases) -> Iterator[Scored]:
    """
    Score as TIFU-KNN does (Hu et al., SIGIR 2020): fading baskets in groups, and those of the nearest members.

    Baskets fade by 0.9 within a group of seven, groups by 0.7; a member counts 0.7, the mean of the neighbours the rest.
    """
    vectors = _fading_groups(bought, size=7, within=0.9, between=0.7)
    weights = _nearest(vectors)
    for members in blocks(bought):
        own = vectors[members].toarray()
        scores = 0.7 * own + 0.3 * np.asarray((weights[members] @ vectors).todense())
        yield Scored(members, scores, scores)


def up_cf(bought: ItemPurchases) -> Iterator[Scored]:
    """Score as UP-CF@r does (Faggioli et al., UMAP 2020): the share of the last 25 baskets, of members alike."""
    shares = _recent_shares(bought, baskets=25)
    weights = _nearest(shares, power=3.0)
    for members in blocks(bought):
        mixed = np.asarray((weights[members] @ shares).todense())
        yield Scored(members, mixed + shares[members].toarray(), mixed)


def implicit_als(bought: ItemPurchases) -> Iterator[Scored]:
    """Score by factors of implicit feedback (Hu, Koren and Volinsky 2008): 64 of them, ten rounds, confidence 1 + 10 x."""
    table = histories(bought, 180)
    chance = np.random.default_rng(7)
    items = chance.normal(0, 0.1, (table.shape[1], 64)).astype(np.float32)
    for _round in range(10):
        members = _solved(table, items, confidence=10.0, ridge=100.0)
        items = _solved(table.T.tocsr(), members, confidence=10.0, ridge=100.0)
    for some in blocks(bought):
        scores = members[some] @ items.T
        yield Scored(some, scores, scores)


def association_rules(bought: ItemPurchases) -> Iterator[Scored]:
    """Score by rules between two items: the highest confidence of any item that a member bought in the last half year."""
    baskets = np.unique(bought.basket, return_inverse=True)[1]
    together = sparse.csr_matrix(
        (np.ones(len(baskets), np.float32), (baskets, bought.item)), shape=(baskets.max() + 1, bought.items)
    )
    counts = np.asarray(together.sum(axis=0)).ravel()
    pairs = (together.T @ together).tocoo()
    kept = (pairs.data >= 20) & (pairs.row != pairs.col)
    rules = sparse.csr_matrix(
        (pairs.data[kept] / counts[pairs.row[kept]], (pairs.row[kept], pairs.col[kept])), shape=pairs.shape
    )
    late = bought.as_of - bought.day <= 182
    starts = np.searchsorted(bought.member[late], np.arange(bought.members + 1))
    items = bought.item[late]
    for members in blocks(bought):
        scores = np.zeros((len(members), bought.items), np.float32)
        for row, member in enumerate(members.tolist()):
            firing = rules[np.unique(items[starts[member] : starts[member + 1]])]
            np.maximum.at(scores[row], firing.indices, firing.data)
        yield Scored(members, scores, scores)


def _fading_groups(bought: ItemPurchases, *, size: int, within: float, between: float) -> Any:
    """Return members by items: baskets, each group's newest weighing 1, averaged in groups, and these again."""
    member, back, count = _from_the_newest(bought)
    groups = -(-count[member] // size)
    in_group = np.minimum(size, count[member] - back // size * size)
    weights = within ** (back % size) * between ** (back // size) / (in_group * groups)
    return _summed(bought, weights)


def _recent_shares(bought: ItemPurchases, *, baskets: int) -> Any:
    member, back, count = _from_the_newest(bought)
    return _summed(bought, (back < baskets) / np.minimum(count[member], baskets))


def _from_the_newest(bought: ItemPurchases) -> tuple[Any, Any, Any]:
    """Return each row's member, how many of their baskets are newer than the row's, and how many baskets members have."""
    width = int(bought.basket.max(initial=0)) + 1
    keys = np.unique(bought.member.astype(np.int64) * width + bought.basket)
    owner = keys // width
    count = np.bincount(owner, minlength=bought.members)
    last = np.cumsum(count) - 1
    place = np.searchsorted(keys, bought.member.astype(np.int64) * width + bought.basket)
    return bought.member, last[bought.member] - place, count


def _summed(bought: ItemPurchases, weights: Any) -> Any:
    table = sparse.csr_matrix(
        (weights.astype(np.float32), (bought.member, bought.item)), shape=(bought.members, bought.items)
    )
    table.sum_duplicates()
    return table


def _nearest(vectors: Any, *, power: float = 1.0) -> Any:
    """Return members by members: the weights of the nearest ones by cosine, those of a row adding up to one."""
    lengths = np.sqrt(np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel())
    unit = (sparse.diags(1 / np.maximum(lengths, 1e-9)) @ vectors).tocsr()
    near = np.asarray((unit @ unit.T).todense())
    np.fill_diagonal(near, 0)
    most = min(NEIGHBOURS, len(near) - 1)
    columns = (
        np.argpartition(-near, most - 1, axis=1)[:, :most] if most else np.empty((len(near), 0), np.int64)
    )
    weights = np.maximum(np.take_along_axis(near, columns, 1), 0) ** power
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    rows = np.repeat(np.arange(len(near)), most)
    return sparse.csr_matrix((weights.ravel(), (rows, columns.ravel())), shape=near.shape)


def _solved(table: Any, others: Any, *, confidence: float, ridge: float) -> Any:
    """Return the factors of the rows of `table` that fit best, those of its columns given."""
    factors = others.shape[1]
    whole = others.T @ others + ridge * np.eye(factors, dtype=np.float32)
    found = np.zeros((table.shape[0], factors), np.float32)
    for row in range(table.shape[0]):
        held = slice(table.indptr[row], table.indptr[row + 1])
        known = others[table.indices[held]]
        extra = confidence * table.data[held]
        if len(known):
            found[row] = np.linalg.solve(whole + (known.T * extra) @ known, known.T @ (1 + extra))
    return found


BASELINES: Final[Mapping[str, Method]] = {
    "TIFU-KNN": tifu_knn,
    "UP-CF@r": up_cf,
    "implicit ALS": implicit_als,
    "association rules by confidence": association_rules,
}
