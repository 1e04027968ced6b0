"""How good coupon relevance is: does a household's list put first what it then redeemed. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from basket_analysis.offers.coupon_books import LARGE_POOL

REPEATS: Final = 1000
DEPTH: Final = 16

MEASURES: Final = ("AUC of lists", "mean average precision", f"recall@{DEPTH} of large pools")


@dataclass(frozen=True, slots=True)
class CouponRow:
    """A method's measures in the order of `MEASURES`, means over lists with their 95 % intervals."""

    method: str
    means: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def measure_lists(
    method: str, lists: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]], *, seed: int = 7
) -> CouponRow:
    """
    Return how well `lists` of (scores, redeemed) put the redeemed first.

    Lists of which nothing or everything was redeemed say nothing and are left out. Of equal scores the later one
    counts as lower.
    """
    telling = [(scores, taken) for scores, taken in lists if 0 < taken.sum() < len(taken)]
    columns: list[list[float]] = [[], [], []]
    for scores, taken in telling:
        columns[0].append(_auc(scores, taken))
        hits = taken[np.argsort(-scores, kind="stable")]
        columns[1].append(float((hits * np.cumsum(hits) / np.arange(1, len(hits) + 1)).sum() / hits.sum()))
        if len(taken) >= LARGE_POOL:
            columns[2].append(float(hits[:DEPTH].sum() / hits.sum()))
    chance = np.random.default_rng(seed)
    means, low, high = [], [], []
    for column in columns:
        values = np.array(column or [0.0])
        drawn = values[chance.integers(0, len(values), (REPEATS, len(values)))].mean(axis=1)
        bounds = np.percentile(drawn, [2.5, 97.5])
        means.append(float(values.mean()))
        low.append(float(bounds[0]))
        high.append(float(bounds[1]))
    return CouponRow(method, tuple(means), tuple(low), tuple(high))


def _auc(scores: NDArray[np.float64], taken: NDArray[np.bool_]) -> float:
    """Return how likely a redeemed coupon stands above one that was not; equal scores count half."""
    values, place = np.unique(scores, return_inverse=True)
    redeemed = np.bincount(place[taken], minlength=len(values))
    others = np.bincount(place[~taken], minlength=len(values))
    below = np.cumsum(others) - others
    return float((redeemed * (below + others / 2)).sum() / (taken.sum() * (~taken).sum()))
