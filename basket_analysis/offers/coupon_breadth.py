"""
Coupons that are good for whole departments: of a large pool's a household gets about one, and its spending tells which.

Such a coupon is broad: its articles are a good share of what the chain takes. Whoever chooses for each household a few coupons out of
hundreds gives it the broad one that fits it best, so a household that redeemed one has hardly ever got the others. Which one it is
shows in how far the household's spending leans to a coupon's articles, compared with other households.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from basket_analysis.offers.coupon_books import LARGE_POOL, Campaign, Floats, Int64s
from basket_analysis.offers.coupon_features import Moment

BROAD = 0.03
"""A coupon is broad when its articles are this share of what the chain took."""

PRIOR = 0.05
"""A mean household's shares count this much beside those of a household itself."""

RIDGE = 30.0
"""Holds the weight of leanings near nothing until many choices have shown it: campaigns differ from each other."""

_STEPS = 25

Choices = tuple[Floats, NDArray[np.bool_]]
"""Leanings of households (rows) to a pool's broad coupons (columns), and which of these they redeemed."""


def broad_coupons(moment: Moment, pool: Campaign) -> Int64s:
    """Return the places of a large pool's broad coupons; none where there are fewer than two, or the pool is small."""
    nothing = np.empty(0, np.int64)
    if len(pool.coupons) < LARGE_POOL:
        return nothing
    taken = np.maximum(moment.turnover, 0.0)
    share = (pool.articles @ taken) / max(float(taken.sum()), 1.0)
    broad = np.flatnonzero(share >= BROAD).astype(np.int64)
    return broad if len(broad) > 1 else nothing


def leanings(moment: Moment, pool: Campaign, broad: Int64s, households: Int64s) -> Floats:
    """
    Return how far the spending of `households` (rows) leans to each of the broad coupons (columns); a row's mean is 0.

    It is the logarithm of a coupon's share in what the household spent on all of them, over that share's mean among all
    households. One that spent nothing on them leans nowhere.
    """
    spent = _spent(moment, pool.articles[broad])
    whole = spent.sum(axis=1)
    buying = whole > 0
    if not buying.any():
        return np.zeros((len(households), len(broad)))
    usual = (spent[buying] / whole[buying, None]).mean(axis=0)
    known = households < len(spent)
    place = np.where(known, households, 0)
    own = np.where(
        (known & buying[place])[:, None], spent[place] / np.maximum(whole[place, None], 1.0), usual
    )
    ratio = np.log((own + PRIOR * usual + 1e-6) / ((1 + PRIOR) * usual + 1e-6))
    return np.asarray(ratio - ratio.mean(axis=1, keepdims=True))


def _spent(moment: Moment, coupons: sparse.csr_matrix) -> Floats:
    """Return what every household of the sales had spent on the articles of each coupon before the day, in minor units."""
    purchases = moment.purchases
    past = purchases.day < moment.day
    owners = np.repeat(np.arange(len(purchases.offsets) - 1), np.diff(purchases.offsets))[past]
    spent = np.zeros((len(purchases.offsets) - 1, coupons.shape[0]))
    for column in range(coupons.shape[0]):
        meant = np.zeros(coupons.shape[1], np.bool_)
        meant[coupons[column].indices] = True
        kept = meant[purchases.article[past]]
        spent[:, column] = np.bincount(
            owners[kept], weights=purchases.value[past][kept], minlength=len(spent)
        )
    return np.maximum(spent, 0.0)


def weight_of_leanings(choices: Sequence[Choices]) -> float:
    """
    Return the weight of leanings that makes what was redeemed likeliest: a conditional logit (McFadden 1974) with a ridge.

    A household's choice counts once, however many of the coupons it redeemed; one that redeemed none of them says nothing.
    Choices where leanings say the opposite make a weight below 0, and no choices make 0.
    """
    weight = 0.0
    told = [
        (lean[redeemed.any(axis=1)], redeemed[redeemed.any(axis=1)])
        for lean, redeemed in choices
        if redeemed.any()
    ]
    for _step in range(_STEPS):
        slope, bend = -2 * RIDGE * weight, 2 * RIDGE
        for lean, redeemed in told:
            chance = np.exp(weight * lean - (weight * lean).max(axis=1, keepdims=True))
            chance /= chance.sum(axis=1, keepdims=True)
            expected = (chance * lean).sum(axis=1)
            slope += float(((lean * redeemed).sum(axis=1) / redeemed.sum(axis=1) - expected).sum())
            bend += float(((chance * lean**2).sum(axis=1) - expected**2).sum())
        weight += slope / bend
    return weight
