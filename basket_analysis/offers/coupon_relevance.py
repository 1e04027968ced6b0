"""Which of the coupons that a household was sent it will redeem: learnt from the campaigns before."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from basket_analysis.offers.coupon_books import Campaign, CouponBook, Floats, Int64s
from basket_analysis.offers.coupon_breadth import Choices, broad_coupons, leanings, weight_of_leanings
from basket_analysis.offers.coupon_features import Moment, Purchases, Rows

SHORTEST_PAST = 14
"""Days of sales before a campaign that it can be learnt from."""

FEWEST_LISTS = 30
"""Fewer lists of households that redeemed something teach nothing: then habits alone decide."""

MOST_ROWS = 1_000_000
"""Pairs that are learnt from at most; beyond them fewer lists are looked at, evenly over time."""

CELLS = 250_000
"""Pairs whose signals are in memory at once."""

_SEEDS = (1, 2)

_TREES: dict[str, Any] = {
    "learning_rate": 0.03,
    "n_estimators": 200,
    "num_leaves": 8,
    "min_child_samples": 40,
    "colsample_bytree": 0.5,
    "subsample": 0.7,
    "subsample_freq": 1,
    "reg_lambda": 10.0,
    "n_jobs": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}


class CouponRanker:
    """
    Scores pairs of household and coupon; of a household's coupons of one campaign the higher is likelier redeemed.

    It learns from the lists of every household that redeemed something of a campaign that began before `day`:
    which of the pool it took, told from what was known when the campaign began. Two boosted models are put in
    equal parts: one tells what is redeemed from what is not, one puts lists in order (LambdaMART). A few coupons of large pools are
    good for whole departments; which of these a household got is told besides by what it spends more on than others do
    (`coupon_breadth`). With too few lists (`learnt_` says so) a coupon counts as much as its articles were bought lately. The same
    input makes the same scores, to the bit; nothing of `day` or later is looked at.
    """

    def __init__(self, *, day: int) -> None:
        self.day = day

    def fit(self, purchases: Purchases, book: CouponBook) -> "CouponRanker":
        """Learn from what was bought and redeemed before the day."""
        self._purchases = purchases
        self._book = CouponBook(book.campaigns, book.redemptions.before(self.day))
        self._now = Moment(purchases, self._book, self.day)
        self._models: list[tuple[Any, float, float]] = []
        self._weight = 0.0
        lists = self._lists()
        self.lists_ = sum(len(households) for _campaign, households in lists)
        self.learnt_ = self.lists_ >= FEWEST_LISTS
        if self.learnt_:
            self._learn(*self._examples(lists))
        return self

    def score(self, campaign: int, households: Int64s) -> Floats:
        """Return the scores of a campaign's whole pool (columns) in the hands of `households` (rows)."""
        pool = self._book.campaigns[campaign]
        scores = np.zeros((len(households), len(pool.coupons)))
        most = max(1, CELLS // max(1, len(pool.coupons)))
        for first in range(0, len(households), most):
            some = households[first : first + most]
            rows, names = self._now.signals(pool, some)
            scores[first : first + most] = self._scores(rows, names).reshape(len(some), -1)
        if self._weight:
            self._lean(scores, pool, households)
        return scores

    def _lean(self, scores: Floats, pool: Campaign, households: Int64s) -> None:
        """Add to the scores of broad coupons how far each household's spending leans to them."""
        broad = broad_coupons(self._now, pool)
        if len(broad):
            scores[:, broad] += self._weight * leanings(self._now, pool, broad, households)

    def _lists(self) -> list[tuple[int, Int64s]]:
        """Return the campaigns that can be learnt from, with the households that redeemed anything of them."""
        days = self._purchases.day
        earliest = (int(days.min()) if len(days) else self.day) + SHORTEST_PAST
        found = []
        for number, campaign in enumerate(self._book.campaigns):
            if earliest <= campaign.starts < self.day and len(campaign.coupons) > 1:
                households = np.unique(self._book.redemptions.of(number).household)
                if len(households):
                    found.append((number, households))
        rows = sum(
            len(households) * len(self._book.campaigns[number].coupons) for number, households in found
        )
        step = max(1, -(-rows // MOST_ROWS))
        return [(number, households[::step]) for number, households in found]

    def _examples(self, lists: list[tuple[int, Int64s]]) -> tuple[Rows, NDArray[np.int32], list[int]]:
        """Return signals, whether each pair was redeemed, and how long each list is; learn what leanings weigh."""
        choices: list[Choices] = []
        rows: list[Rows] = []
        redeemed: list[NDArray[np.int32]] = []
        sizes: list[int] = []
        for number, households in lists:
            pool = self._book.campaigns[number]
            moment = Moment(self._purchases, self._book, pool.starts)
            rows.extend(self._in_parts(moment, number, households))
            done = self._book.redemptions.of(number)
            taken = np.zeros((len(households), len(pool.coupons)), np.int32)
            place = np.minimum(np.searchsorted(households, done.household), len(households) - 1)
            meant = households[place] == done.household
            taken[place[meant], done.coupon[meant]] = 1
            broad = broad_coupons(moment, pool)
            if len(broad):
                choices.append((leanings(moment, pool, broad, households), taken[:, broad] > 0))
            redeemed.append(taken.ravel())
            sizes += [len(pool.coupons)] * len(households)
        self._weight = weight_of_leanings(choices)
        return np.concatenate(rows), np.concatenate(redeemed), sizes

    def _in_parts(self, moment: Moment, number: int, households: Int64s) -> Iterator[Rows]:
        pool = self._book.campaigns[number]
        most = max(1, CELLS // len(pool.coupons))
        for first in range(0, len(households), most):
            yield moment.signals(pool, households[first : first + most])[0]

    def _learn(self, rows: Rows, redeemed: NDArray[np.int32], sizes: list[int]) -> None:
        # Only who ranks pays for loading it.
        from lightgbm import LGBMClassifier, LGBMRanker  # noqa: PLC0415

        for seed in _SEEDS:
            apart = LGBMClassifier(random_state=seed, **_TREES).fit(rows, redeemed)
            in_order = LGBMRanker(objective="lambdarank", random_state=seed, **_TREES).fit(
                rows, redeemed, group=sizes
            )
            for model in (apart.booster_, in_order.booster_):
                raw = np.asarray(model.predict(rows, raw_score=True, num_threads=1))
                self._models.append((model, float(raw.mean()), float(raw.std()) or 1.0))

    def _scores(self, rows: Rows, names: tuple[str, ...]) -> Floats:
        if not self._models:
            lately, popularity = names.index("article_fading_90"), names.index("popularity")
            return rows[:, lately].astype(np.float64) + rows[:, popularity].astype(np.float64)
        total = np.zeros(len(rows))
        for model, mean, spread in self._models:
            total += (np.asarray(model.predict(rows, raw_score=True, num_threads=1)) - mean) / spread
        return total / len(self._models)
